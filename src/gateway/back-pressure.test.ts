import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { defaultEdgeLimits, type EdgeLimits, openListener } from '../listen/listen.ts'
import { type AuditEntry, createMetrics, type RequestRecord } from '../observe/observe.ts'
import { type Era, eras, eventsOf, type FlowingCall, openClient, openFlowing, readSlowly, room, turn } from './flow-for-test.ts'
import { configOf, openGateway, silentLog } from './open-for-test.ts'

/** A gateway before one flowing server, with what it records. */
async function open(t: TestContext, serverEra: Era, limits: Partial<EdgeLimits> = {}) {
  const server = await openFlowing(t, serverEra)
  const records: RequestRecord[] = []
  const entries: AuditEntry[] = []
  const metrics = createMetrics()
  const log = { ...silentLog, request: (record: RequestRecord) => void records.push(record) }
  const audit = {
    isOpen: true,
    faults: [],
    write: (entry: AuditEntry) => void entries.push(entry),
    dropped: 0,
    async close() {},
    flush() {},
  }
  const document = { servers: { s: server.url }, policies: { audit: { sinks: [{ stdout: true }] } } }
  const { gateway, port, close } = await openGateway(
    configOf(JSON.stringify(document)),
    (options) => openListener({ ...options, limits: { ...defaultEdgeLimits, ...limits } }),
    { log, metrics, openAudit: () => audit },
  )
  t.after(close)
  await gateway.settled()
  return { server, gateway, port, close, records, entries, metrics }
}

/** Writes progress of a call without end, as fast as it is taken; resolves when the connection has closed. */
async function writeOn({ response, progressToken }: FlowingCall): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const params = { progressToken, progress: 1, message: 'x'.repeat(64 * 1024) }
  const text = `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params })}\n\n`
  while (!response.destroyed) if (!response.write(text)) await room(response)
}

/** Resolves when a call has come whose events nobody reads, and its connection is full. */
async function whenFull(t: TestContext, response: ServerResponse): Promise<void> {
  while (!response.writableNeedDrain) await turn(t)
}

for (const clientEra of eras)
  for (const serverEra of eras)
    test(`a ${clientEra} client that reads more slowly than its ${serverEra} server writes gets the whole stream`, async (t) => {
      const { port, records } = await open(t, serverEra)
      const client = await openClient(port, clientEra)
      const messages = await readSlowly(await client.call({ messages: 320, chars: 64 * 1024 }), 20)
      assert.deepEqual(
        messages.slice(0, -1).map(({ params }) => params?.progress),
        Array.from({ length: 320 }, (_, i) => i + 1),
      )
      assert.equal(messages.at(-1)?.result?.content[0]?.text, 'done')
      const [record] = records.filter(({ method }) => method === 'tools/call')
      assert.deepEqual([record?.outcome, record?.reason], ['ok', undefined])
    })

test('more messages than are read in a second arrive whole, too', async (t) => {
  const { port } = await open(t, 'modern')
  const client = await openClient(port, 'modern')
  const messages = await readSlowly(await client.call({ messages: 2500, chars: 10 }), 0)
  assert.equal(messages.length, 2501)
  assert.equal(messages.at(-1)?.result?.content[0]?.text, 'done')
})

test('what a legacy server sends on the stream of its client is read as fast as this client takes it, and others go on', async (t) => {
  const { server, port } = await open(t, 'legacy')
  const [slow, quick] = [await openClient(port, 'legacy'), await openClient(port, 'legacy')]
  const [slowStream, quickStream] = [await slow.listen(), await quick.listen()]
  slowStream.pause()
  while (server.streams.length < 2) await turn(t)
  const log = (data: string) =>
    `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data } })}\n\n`
  const [first, second] = server.streams
  assert.ok(first && second)
  let sent = 0
  const flood = async () => {
    for (; sent < 320; sent++) if (!first.write(log('x'.repeat(64 * 1024)))) await once(first, 'drain')
    first.write(log('the last'))
  }
  void flood()
  await whenFull(t, first)
  second.write(log('for the quick one'))
  quickStream.setEncoding('utf8')
  for await (const piece of quickStream) if (String(piece).includes('for the quick one')) break
  let heard = ''
  for await (const piece of slowStream.setEncoding('utf8')) {
    heard += piece
    for (let turn = 0; turn < 20; turn++) await nextTurn()
    if (heard.endsWith('"the last"}}\n\n')) break
  }
  assert.equal(eventsOf(heard).length, 321)
})

for (const era of eras)
  test(`a ${era} client that takes nothing for the idle time is dropped, and log, audit and metrics say why`, async (t) => {
    const { port, records, entries, metrics } = await open(t, era, { idleTimeoutMs: 50 })
    const client = await openClient(port, era)
    const response = await client.call({ messages: 320, chars: 64 * 1024 })
    response.pause().on('error', () => {})
    const calls = () => records.filter(({ method }) => method === 'tools/call')
    while (calls().length === 0) await turn(t)
    const { outcome, reason, server } = calls()[0] ?? assert.fail()
    assert.deepEqual([outcome, reason, server, calls().length], ['cancelled', 'slow-client', 's', 1])
    assert.deepEqual(entries.at(-1)?.record, calls()[0])
    const text = await metrics.text()
    assert.match(text, /^mcplex_slow_clients_total 1$/m)
    assert.match(text, /^mcp_server_operation_duration_seconds_count\{[^}]*error_type="slow-client"[^}]*\} 1$/m)
  })

test('an answer that its client never takes has a record of its loss after the one of the answer', async (t) => {
  const { server, port, records, entries } = await open(t, 'modern', { idleTimeoutMs: 50 })
  server.onCall = ({ response, answer }) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer('x'.repeat(12 * 1024 * 1024)))
  const client = await openClient(port, 'modern')
  const response = await client.call({})
  response.pause().on('error', () => {})
  const calls = () => records.filter(({ method }) => method === 'tools/call')
  while (calls().length < 2) await turn(t)
  assert.deepEqual(
    calls().map(({ outcome, reason }) => [outcome, reason]),
    [
      ['ok', undefined],
      ['cancelled', 'slow-client'],
    ],
  )
  assert.equal(new Set(calls().map(({ requestId }) => requestId)).size, 1)
  assert.deepEqual(entries.at(-1)?.record, calls()[1])
})

test('a stream that is dropped has a record of that after the one of its opening', async (t) => {
  const { server, port, records } = await open(t, 'legacy', { idleTimeoutMs: 50 })
  const client = await openClient(port, 'legacy')
  const response = await client.listen()
  response.pause().on('error', () => {})
  while (server.streams.length === 0) await turn(t)
  const [stream] = server.streams
  const params = { level: 'info', data: 'x'.repeat(12 * 1024 * 1024) }
  stream?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params })}\n\n`)
  const gets = () => records.filter(({ method }) => method === 'GET')
  while (gets().length < 2) await turn(t)
  assert.deepEqual(
    gets().map(({ reason }) => reason),
    [undefined, 'slow-client'],
  )
})

test('a call that is held back for its client is still cancelled', async (t) => {
  for (const era of eras) {
    const { server, port } = await open(t, era)
    const called = new Promise<FlowingCall>((resolve) => {
      server.onCall = resolve
    })
    const client = await openClient(port, era)
    const replied = client.call({}, 7)
    const call = await called
    const ended = writeOn(call)
    const response = await replied
    response.pause().on('error', () => {})
    await whenFull(t, call.response)
    if (era === 'modern') response.destroy()
    else await client.cancel(7)
    await ended
    assert.ok(call.response.destroyed)
  }
})

test('a gateway that closes ends what is held back for a client', async (t) => {
  const { server, port, gateway } = await open(t, 'legacy')
  const called = new Promise<FlowingCall>((resolve) => {
    server.onCall = resolve
  })
  const client = await openClient(port, 'legacy')
  const replied = client.call({})
  const call = await called
  const ended = writeOn(call)
  const response = await replied
  response.pause().on('error', () => {})
  await whenFull(t, call.response)
  await gateway.close(1)
  await ended
  assert.ok(call.response.destroyed)
  response.destroy()
})
