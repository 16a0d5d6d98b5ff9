import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openListener } from '../listen/listen.ts'
import { Buffers } from '../mcp/mcp.ts'
import { createMetrics, type RequestRecord } from '../observe/observe.ts'
import { type Era, eras, type FlowingCall, openClient, openFlowing, room, turn } from './flow-for-test.ts'
import { configOf, openGateway, silentLog } from './open-for-test.ts'

const kib = 1024
const mib = 1024 * kib

/** A gateway with a bound of what it holds, before the flowing server `s` and another, `good`, with what it records. */
async function open(t: TestContext, serverEra: Era, limitBytes: number) {
  const [server, good] = [await openFlowing(t, serverEra), await openFlowing(t, serverEra)]
  const records: RequestRecord[] = []
  const buffers = new Buffers(limitBytes)
  const log = { ...silentLog, request: (record: RequestRecord) => void records.push(record) }
  const { gateway, port, close } = await openGateway(
    configOf(JSON.stringify({ servers: { s: server.url, good: good.url } })),
    (options) => openListener({ ...options, buffers }),
    { log, metrics: createMetrics(), buffers },
  )
  t.after(close)
  await gateway.settled()
  return { server, good, port, records, buffers }
}

/** Begins an event of so many bytes that never ends; gives up when the connection closes. */
async function hold({ response }: FlowingCall, bytes: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"x":"')
  const piece = 'x'.repeat(64 * kib)
  for (let sent = 0; sent < bytes && !response.destroyed; sent += piece.length) if (!response.write(piece)) await room(response)
}

for (const era of eras)
  test(`256 streams of a ${era} server with an event each that never ends stay within the bound, and others are served`, async (t) => {
    const { server, good, port, records, buffers } = await open(t, era, 8 * mib)
    server.onCall = (call) => void hold(call, mib)
    let most = 0
    const hostile = await openClient(port, era)
    const calls = Array.from({ length: 256 }, (_, id) => hostile.call({}, id))
    const answered = calls.map(async (sent) => {
      const reply = await sent
      return (await reply.setEncoding('utf8').toArray()).join('')
    })
    good.onCall = ({ response, arguments: { size }, answer }) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(answer('y'.repeat(Number(size))))
    const client = await openClient(port, era, 'good_x')
    const isRefused = () => records.filter(({ reason }) => reason === 'upstream-memory').length
    for (let i = 0; i < 40 || isRefused() < 200; i++) {
      most = Math.max(most, buffers.heldBytes)
      const size = i % 10 === 0 ? 2 * mib : 100
      const reply = await client.call({ size }, i)
      assert.equal(JSON.parse((await reply.setEncoding('utf8').toArray()).join('')).result.content[0].text.length, size)
      await nextTurn()
      most = Math.max(most, buffers.heldBytes)
    }
    assert.ok(most > 2 * mib && most <= 8 * mib, `${most}`)
    const refused = await Promise.race(answered)
    assert.match(refused, /s sends more than can be held for it at the moment/)
    const [record] = records.filter(({ reason }) => reason === 'upstream-memory')
    assert.deepEqual([record?.outcome, record?.server, record?.method], ['error', 's', 'tools/call'])
    assert.ok(records.every(({ server: of, outcome }) => of !== 'good' || outcome === 'ok'))
  })

test('what was held is given back, however a call ends', async (t) => {
  for (const era of eras) {
    const { server, port, buffers } = await open(t, era, 64 * mib)
    const client = await openClient(port, era)
    await Promise.all(
      (await Promise.all([1, 2, 3].map((id) => client.call({ messages: 50, chars: 64 * kib }, id)))).map((reply) => reply.toArray()),
    )
    server.onCall = ({ response, answer }) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(answer('x'.repeat(2 * mib)))
    await (await client.call({}, 4)).toArray()
    server.onCall = ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('x'.repeat(mib))
      setImmediate(() => response.destroy())
    }
    await (await client.call({}, 5)).toArray()
    while (buffers.heldBytes !== 0) await turn(t)
    assert.equal(buffers.givenUp, 0)
  }
})

test('an answer that its client does not take is held until it is, or until others need the room', async (t) => {
  const { server, good, port, records, buffers } = await open(t, 'modern', 64 * mib)
  const client = await openClient(port, 'modern')
  server.onCall = ({ response, answer }) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer('x'.repeat(15 * mib)))
  const replies = [await client.call({}, 1), await client.call({}, 2)]
  for (const reply of replies) reply.pause().on('error', () => {})
  while (records.filter(({ method }) => method === 'tools/call').length < 2) await turn(t)
  // Most of both: sockets have taken the rest.
  assert.ok(buffers.heldBytes > 12 * mib, `${buffers.heldBytes}`)
  buffers.limitBytes = buffers.heldBytes + mib
  good.onCall = ({ response, answer }) => response.writeHead(200, { 'content-type': 'application/json' }).end(answer('x'.repeat(4 * mib)))
  const other = await openClient(port, 'modern', 'good_x')
  const pieces: Buffer[] = await (await other.call({}, 3)).toArray()
  assert.ok(pieces.reduce((sum, { length }) => sum + length, 0) > 4 * mib)
  while (!records.some(({ reason }) => reason === 'slow-client')) await turn(t)
  assert.equal(records.filter(({ reason }) => reason === 'slow-client').length, 1)
  for (const reply of replies) reply.destroy()
  while (buffers.heldBytes !== 0) await turn(t)
})
