import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Connector, Listen, Post, Reply } from './connector.ts'
import { createEndpoints } from './endpoints.ts'

const unreachable: Reply = { kind: 'failed', failure: 'unreachable', text: 'refused' }
const fine: Reply = { kind: 'http', status: 202, text: '' }
const sessionUnknown: Reply = { kind: 'http', status: 404, text: '' }
const plain: Post = { isCall: true, headers: [], body: '', id: 1, timeoutMs: 5000, maxMs: 10_000 }
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

const ailments: readonly Reply[] = [
  { kind: 'failed', failure: 'broken', text: '' },
  { kind: 'failed', failure: 'timeout', text: '' },
  { kind: 'http', status: 503, text: '' },
]
for (const sick of ailments) {
  const name = sick.kind === 'failed' ? sick.failure : sick.status

  test(`one that answers ${name} without a session is passed over too, ever longer; nothing is sent twice`, async () => {
    const made = open([a, b])
    made.reply = (at) => (at === a ? sick : fine)
    assert.deepEqual(await made.connector.post(plain), sick)
    assert.deepEqual(made.taken(), [a])
    for (const restMs of [800, 1600, 3200, 6400, 12_800, 24_000, 24_000]) {
      made.nowMs += restMs - 1
      for (let i = 0; i < 3; i++) assert.deepEqual(await made.connector.post(plain), fine)
      assert.deepEqual(made.taken(), [b, b, b])
      made.nowMs += 1
      const replies = await Promise.all(Array.from({ length: 4 }, () => made.connector.post(plain)))
      assert.deepEqual([replies.filter((reply) => reply === sick).length, made.taken().toSorted()], [1, [a, b, b, b]])
    }
  })

  test(`where all answer ${name} they are asked in turn, not the host; after them those that can’t be reached`, async () => {
    const made = open([a, b, c])
    made.reply = (at) => (at === a ? unreachable : sick)
    for (let i = 0; i < 7; i++) assert.deepEqual(await made.connector.post(plain), sick)
    const asked = made.taken()
    assert.deepEqual([asked.includes('host'), asked.filter((at) => at === a).length, new Set(asked).size], [false, 1, 3])
  })

  test(`that a client’s session answers ${name} rests nothing, and that one goes well ends no rest`, async () => {
    const made = open([a, b])
    made.reply = () => sick
    for (let i = 0; i < 3; i++) await made.connector.post({ ...inSession(`${a}/1`), isCall: true })
    made.taken()
    made.reply = (at) => (at === a ? sick : fine)
    await made.connector.post(plain)
    assert.deepEqual(made.taken(), [a])
    made.reply = () => fine
    await made.connector.post({ ...inSession(`${a}/1`), isCall: true })
    made.taken()
    for (let i = 0; i < 3; i++) await made.connector.post(plain)
    assert.deepEqual(made.taken(), [b, b, b])
  })
}

test('one that hangs when it is tried again is tried ever more seldom meanwhile', async () => {
  const made = open([a, b])
  made.reply = (at) => (at === a ? (ailments[0] ?? fine) : fine)
  await made.connector.post(plain)
  made.reply = (at) => (at === a ? new Promise(() => {}) : fine)
  made.taken()
  for (const restMs of [800, 1600, 3200]) {
    made.nowMs += restMs
    for (let i = 0; i < 4; i++) void made.connector.post(plain)
    assert.deepEqual(made.taken().toSorted(), [a, b, b, b])
  }
})

test('what the gateway asks for itself takes no turns of calls, and stays where it is answered', async () => {
  const made = open([a, b, c])
  const asking: Post = { ...plain, isCall: false }
  const asked: string[] = []
  for (let i = 0; i < 3; i++) {
    await made.connector.post(plain)
    asked.push(...made.taken())
    await made.connector.post(asking)
    assert.deepEqual(made.taken(), [b])
  }
  assert.deepEqual(asked, [a, b, c])
  // Where it fails, or where the gateway can do nothing with the answer, the next one is asked.
  made.reply = (at) => (at === b ? { kind: 'http', status: 500, text: '' } : fine)
  await made.connector.post(asking)
  assert.equal(made.connector.moveOn?.(), 3)
  await made.connector.post(asking)
  assert.equal(made.connector.moveOn?.(), 3)
  await made.connector.post(asking)
  made.set([b])
  assert.equal(made.connector.moveOn?.(), 1)
  assert.deepEqual(
    made.taken().filter((at) => !at.endsWith('closed')),
    [b, c, a],
  )
})

const soon = (made: ReturnType<typeof open>, id: string, isCall = true) =>
  made.connector.post({ ...inSession(id), isCall, maxMs: undefined })

test('an endpoint that this process has not heard of is waited for, in all that belongs to its sessions', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const made = open([a])
  const ends: number[] = []
  const follow = () =>
    made.connector.listen({ method: 'GET', headers: inSession(`${b}/1`).headers, onMessage() {}, onEnd: (status) => ends.push(status) })
  const sent = [soon(made, `${b}/1`), soon(made, `${b}/1`, false)]
  follow()
  follow().close()
  t.mock.timers.tick(1999)
  made.nowMs = 1999
  made.set([a])
  await nextTurn()
  assert.deepEqual(made.taken(), [])
  made.set([a, b])
  assert.deepEqual(await Promise.all(sent), [fine, fine])
  assert.deepEqual([made.taken(), ends, made.streams.length], [[b, b], [], 1])
  assert.equal(made.requests[0]?.timeoutMs, 5000 - 1999)
})

test('one that does not come within two seconds, or the request’s time, is a lost session, and is never asked', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const made = open([a])
  const ends: number[] = []
  const replies: Reply[] = []
  const note = (reply: Reply) => replies.push(reply)
  void made.connector.post({ ...inSession(`${b}/1`), timeoutMs: 500 }).then(note)
  void soon(made, `${b}/1`).then(note)
  made.connector.listen({ method: 'GET', headers: inSession(`${b}/1`).headers, onMessage() {}, onEnd: (status) => ends.push(status) })
  for (const [ms, count] of [
    [499, 0],
    [1, 1],
    [1499, 1],
    [1, 2],
  ] as const) {
    t.mock.timers.tick(ms)
    await nextTurn()
    assert.equal(replies.length, count)
  }
  await nextTurn()
  assert.deepEqual([replies, ends, made.taken()], [[sessionUnknown, sessionUnknown], [404], []])
})

test('one that was listed and has left is not waited for, nor is anybody after the end', async () => {
  const made = open([a, b])
  made.set([a])
  made.taken()
  assert.deepEqual(await soon(made, `${b}/1`), sessionUnknown)
  const waiting = soon(made, `${c}/1`)
  await made.connector.close()
  assert.deepEqual(await waiting, sessionUnknown)
})

test('the latest thousand that have left are remembered', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const made = open([a])
  const name = (i: number) => `10.1.${i >> 8}.${i & 255}:1`
  for (let i = 0; i <= 1000; i++) made.set([name(i)])
  made.set([a])
  assert.deepEqual(await soon(made, `${name(1)}/1`), sessionUnknown)
  let isOver = false
  const forgotten = soon(made, `${name(0)}/1`).then(() => (isOver = true))
  await nextTurn()
  assert.equal(isOver, false)
  await made.connector.close()
  await forgotten
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
  const drained = Promise.resolve()
  await made.connector.post({ ...request, onWaiting: (waiting) => heard.push(waiting), drained: () => drained })
  const { onMessage: _, onWaiting, drained: drainedThere, cancellation, ...sent } = made.requests[0] ?? assert.fail()
  assert.deepEqual({ ...sent, cancellation }, { ...request, ...inSession('1/2'), cancellation: undefined })
  const waiting = { allow() {} }
  onWaiting?.(waiting)
  assert.deepEqual([heard, made.taken()], [[waiting], [d]])
  assert.equal(drainedThere?.(), drained)
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
