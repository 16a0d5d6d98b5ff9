import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Connector, Listen, Post, Reply } from '../connector.ts'
import { createEndpoints } from './endpoints.ts'

const unreachable: Reply = { kind: 'failed', failure: 'unreachable', text: 'refused' }
const fine: Reply = { kind: 'http', status: 202, text: '' }
const sessionUnknown: Reply = { kind: 'http', status: 404, text: '' }
const plain: Post = { headers: [], body: '', id: 1, timeoutMs: 5000, maxMs: 10_000 }
const inSession = (id: string): Post => ({ ...plain, headers: ['mcp-name', 'mcp-session-id', 'mcp-session-id', id] })
const [a, b, c, d] = ['10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1', '[2001:db8::1]:1'] as const

/** Endpoints that are objects: what each was asked is in `asked`, and `reply` is what it says. */
function open(endpoints: readonly string[]) {
  const asked: string[] = []
  const requests: Post[] = []
  const streams: Listen[] = []
  const state = { nowMs: 0, reply: (_: string): Reply | Promise<Reply> => fine }
  const connector = createEndpoints({ connect: (at) => fake(at ?? 'host'), now: () => state.nowMs, random: () => 0 })
  const set = (next: readonly string[]) => connector.setEndpoints?.(next)
  function fake(name: string): Connector {
    return {
      async post(request) {
        asked.push(name)
        requests.push(request)
        return state.reply(name)
      },
      listen(request) {
        streams.push(request)
        return { close() {} }
      },
      async delete() {},
      async close() {
        asked.push(`${name} closed`)
      },
    }
  }
  set(endpoints)
  return Object.assign(state, {
    connector,
    set,
    requests,
    streams,
    /** What was asked since it was last called. */
    taken: () => asked.splice(0),
  })
}

test('a server that never has endpoints has its host’s connector, and nothing before it', () => {
  const host: Connector = { post: async () => fine, listen: () => ({ close() {} }), async delete() {}, async close() {} }
  const connector = createEndpoints({ connect: () => host, now: () => 0, random: () => 0 })
  connector.setEndpoints?.([])
  assert.deepEqual([connector.post, connector.listen, connector.delete], [host.post, host.listen, host.delete])
})

test('each takes its turn, however often it is listed', async () => {
  const made = open([a, b, d, a])
  for (let i = 0; i < 4; i++) assert.deepEqual(await made.connector.post(plain), fine)
  assert.deepEqual(made.taken(), [a, b, d, a])
})

test('first those that could be reached, in turn, then the host, at last those that could not; none is tried twice', async () => {
  const made = open([a, b, c])
  made.reply = (name) => (name === a || name === b ? unreachable : fine)
  await made.connector.post(plain)
  assert.deepEqual(made.taken(), [a, b, c])
  made.reply = () => unreachable
  assert.deepEqual(await made.connector.post(plain), unreachable)
  assert.deepEqual(made.taken(), [c, 'host', b, a])
})

test('one that can’t be reached is passed over for 0.8 s, then for twice as long, up to 24 s, and found by one request alone', async () => {
  const made = open([a, b])
  made.reply = (name) => (name === a ? unreachable : fine)
  const isTried = async () => {
    await made.connector.post(plain)
    await made.connector.post(plain)
    return made.taken().includes(a)
  }
  assert.ok(await isTried())
  for (const restMs of [800, 1600, 3200, 6400, 12_800, 24_000, 24_000]) {
    made.nowMs += restMs - 1
    assert.equal(await isTried(), false, `${restMs}`)
    made.nowMs += 1
    assert.ok(await isTried(), `${restMs}`)
  }
  // While one request waits for it, the others go elsewhere; once it has answered it is as the others are.
  made.nowMs += 24_000
  let answer = (_: Reply) => {}
  made.reply = (name) => (name === a ? new Promise((resolve) => (answer = resolve)) : fine)
  const sent = [made.connector.post(plain), made.connector.post(plain), made.connector.post(plain)]
  assert.deepEqual(made.taken().toSorted(), [a, b, b])
  answer(fine)
  await Promise.all(sent)
  made.reply = () => fine
  await made.connector.post(plain)
  await made.connector.post(plain)
  assert.deepEqual(made.taken().toSorted(), [a, b])
})

test('that many find one unreachable at once does not make its rest longer', async () => {
  const made = open([a])
  made.reply = (name) => (name === a ? unreachable : fine)
  await Promise.all(Array.from({ length: 10 }, (_, i) => made.connector.post(inSession(`${a}/${i}`))))
  for (let i = 0; i < 10; i++) await made.connector.post(inSession(`${a}/${i}`))
  made.taken()
  made.nowMs = 800
  await made.connector.post(plain)
  assert.deepEqual(made.taken(), [a, 'host'])
})

test('one that is listed anew is tried at once', async () => {
  const made = open([a])
  made.reply = (name) => (name === a ? unreachable : fine)
  await made.connector.post(plain)
  // Something is under way there, so that it is not forgotten.
  let answer = (_: Reply) => {}
  made.reply = () => new Promise((resolve) => (answer = resolve))
  const sent = made.connector.post(inSession(`${a}/1`))
  made.set([])
  made.set([a])
  assert.deepEqual(made.taken(), [a, 'host', a])
  made.reply = () => fine
  await made.connector.post(plain)
  assert.deepEqual(made.taken(), [a])
  answer(fine)
  await sent
})

test('one that leaves before its turn is not tried any more', async () => {
  const made = open([a, b])
  made.reply = (name) => {
    if (name === a) made.set([a])
    return name === a ? unreachable : fine
  }
  await made.connector.post(plain)
  assert.deepEqual(made.taken(), [a, `${b} closed`, 'host'])
})

test('tries share the request’s time', async () => {
  const made = open([a, b, c, d])
  made.reply = () => {
    made.nowMs += 2000
    return unreachable
  }
  assert.deepEqual(await made.connector.post(plain), unreachable)
  assert.deepEqual(
    made.requests.map(({ timeoutMs, maxMs }) => [timeoutMs, maxMs]),
    [
      [5000, 10_000],
      [3000, 8000],
      [1000, 6000],
    ],
  )
})

test('a session at the host that can’t be reached is lost only where an endpoint could have another', async () => {
  const made = open([a])
  made.reply = () => unreachable
  assert.deepEqual(await made.connector.post(inSession('host/1')), sessionUnknown)
  made.set([])
  assert.deepEqual(await made.connector.post(inSession('host/1')), unreachable)
  assert.deepEqual(await made.connector.post(inSession(`${a}/1`)), sessionUnknown)
  assert.deepEqual(made.taken(), ['host', `${a} closed`, 'host'])
})

test('a request in a session is the same at its endpoint, but for the id', async () => {
  const made = open([a, d])
  const request = { ...inSession(`${d}/1/2`), isCall: true, cause: 'client', isResumable: true } as const
  const heard: unknown[] = []
  await made.connector.post({ ...request, onWaiting: (waiting) => heard.push(waiting) })
  const { onMessage: _, onWaiting, cancellation, ...sent } = made.requests[0] ?? assert.fail()
  assert.deepEqual({ ...sent, cancellation }, { ...request, ...inSession('1/2'), cancellation: undefined })
  const waiting = { allow() {} }
  onWaiting?.(waiting)
  assert.deepEqual([heard, made.taken()], [[waiting], [d]])
})

test('a stream of a session ends with 404 where its endpoint has left, or had', async () => {
  const made = open([a, b])
  const ends: number[] = []
  const listen = (id: string) =>
    made.connector.listen({ method: 'GET', headers: inSession(id).headers, onMessage() {}, onEnd: (status) => ends.push(status) })
  for (const id of [`${a}/1`, `${b}/1`]) listen(id)
  made.set([a])
  for (const stream of made.streams) stream.onEnd(200, undefined, undefined)
  assert.deepEqual(ends, [200, 404])
  listen(`${b}/1`)
  listen(`${b}/1`).close()
  await nextTurn()
  assert.deepEqual([ends, made.streams.length], [[200, 404, 404], 2])
})

test('closing closes all', async () => {
  const made = open([a, b])
  made.reply = () => new Promise(() => {})
  void made.connector.post(inSession(`${b}/1`))
  made.set([a])
  await made.connector.close()
  assert.deepEqual(made.taken().toSorted(), [`${a} closed`, b, `${b} closed`, 'host closed'])
})
