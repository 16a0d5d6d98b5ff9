import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, type Ask, Cancellation } from '../../mcp/mcp.ts'
import type { Sent } from '../../upstream/upstream.ts'
import { createSuspendedCalls, type RoundHooks, SuspendableCall } from './suspended-calls.ts'

const done: Sent = { answer: { kind: 'complete', result: '{"content":[]}', isError: false, hasMeta: false }, upstreamMs: 1, era: 'legacy' }
const quietly: RoundHooks = { onNotice() {}, drained: () => undefined, onGone() {} }

/** A legacy server's call as a test plays it. */
function open(process = 'p') {
  let ids = 0
  const suspendedCalls = createSuspendedCalls(process, () => `id${++ids}`)
  const cancellation = new Cancellation()
  const replies: string[] = []
  const notices: string[] = []
  const hooks = { ...quietly, onNotice: (text: string) => void notices.push(text) }
  const call = new SuspendableCall('me', cancellation, hooks)
  let finish = (_sent: Sent) => {}
  const upstream = new Promise<Sent>((resolve) => {
    finish = resolve
  })
  const withdrawn: (() => void)[] = []
  const ask = (text: string, method: Ask['method'] = 'elicitation/create') =>
    call.onAsk({
      method,
      params: `{"message":"${text}"}`,
      server: 's',
      id: '1',
      reply: (rest) => replies.push(`${text} ${rest}`),
      onWithdrawn: (listener) => withdrawn.push(listener),
    })
  return {
    suspendedCalls,
    call,
    cancellation,
    replies,
    notices,
    ask,
    withdrawn,
    finish,
    start: () => suspendedCalls.run(call, () => upstream),
  }
}

function questions(answer: Answer): { readonly state: string; readonly requests: Record<string, { method: string; params: unknown }> } {
  assert.equal(answer.kind, 'input-required', JSON.stringify(answer))
  assert.ok(answer.kind === 'input-required' && answer.state !== undefined)
  return { state: answer.state, requests: JSON.parse(answer.result).inputRequests }
}

test('a call that asks nothing is not held', async () => {
  const { start, finish, suspendedCalls } = open()
  const round = start()
  finish(done)
  assert.deepEqual([await round, suspendedCalls.size], [done, 0])
})

test('questions that come together are one round; the answers go to who asked; the call then ends', async () => {
  const { start, ask, finish, suspendedCalls, replies } = open()
  const round = start()
  ask('name?')
  ask('', 'roots/list')
  const { state, requests } = questions((await round).answer)
  assert.deepEqual(
    Object.values(requests).map(({ method }) => method),
    ['elicitation/create', 'roots/list'],
  )
  const [first = '', second = ''] = Object.keys(requests)
  const next = suspendedCalls.resume(state, `{"${second}":{"roots":[]},"${first}":{"action":"accept"},"other":1}`, quietly)
  assert.deepEqual(replies, [' "result":{"roots":[]}', 'name? "result":{"action":"accept"}'])
  finish(done)
  assert.deepEqual([await next, suspendedCalls.size], [done, 0])
})

test('what was not answered is asked again, and a later question makes another round', async () => {
  const { start, ask, finish, suspendedCalls, replies } = open()
  const round = start()
  ask('one')
  ask('two')
  const first = questions((await round).answer)
  const [one = '', two = ''] = Object.keys(first.requests)
  const second = questions((await suspendedCalls.resume(first.state, `{"${one}":{}}`, quietly)).answer)
  assert.deepEqual(Object.keys(second.requests), [two])
  const third = suspendedCalls.resume(second.state, `{"${two}":{}}`, quietly)
  ask('three')
  const last = questions((await third).answer)
  assert.equal(Object.keys(last.requests).length, 1)
  assert.deepEqual(replies, ['one "result":{}', 'two "result":{}'])
  const end = suspendedCalls.resume(last.state, `{"${Object.keys(last.requests)[0]}":{}}`, quietly)
  finish(done)
  assert.deepEqual(await end, done)
})

test('an answer that comes between two rounds is kept for the next one', async () => {
  const { start, ask, finish, suspendedCalls } = open()
  const round = start()
  ask('name?')
  const { state } = questions((await round).answer)
  finish(done)
  await undefined
  assert.deepEqual(await suspendedCalls.resume(state, undefined, quietly), done)
  assert.equal(suspendedCalls.size, 0)
})

test('another replica, a second round at once and a finished call are refused', async () => {
  const { start, ask, finish, suspendedCalls } = open('p')
  const round = start()
  ask('name?')
  const { state, requests } = questions((await round).answer)
  const responses = `{"${Object.keys(requests)[0]}":{}}`
  const refusal = async (of: typeof suspendedCalls, what = state) => {
    const { answer } = await of.resume(what, responses, quietly)
    return answer.kind === 'refused' ? `${answer.reason}: ${answer.text}` : answer.kind
  }
  assert.match(await refusal(createSuspendedCalls('q', () => 'id')), /^invalid-params: .*another replica/)
  assert.match(await refusal(suspendedCalls, 'p id9'), /^invalid-params: .*no longer waits/)
  const next = suspendedCalls.resume(state, responses, quietly)
  assert.match(await refusal(suspendedCalls), /^invalid-params: another round/)
  finish(done)
  await next
  assert.match(await refusal(suspendedCalls), /^invalid-params: .*no longer waits/)
})

test('a question that the server takes back is not put', async () => {
  const { start, ask, withdrawn, finish } = open()
  const round = start()
  ask('name?')
  withdrawn[0]?.()
  finish(done)
  assert.deepEqual(await round, done)
})

test('notices go to the round that is under way, and to nobody between two', async () => {
  const { start, ask, call, finish, suspendedCalls, notices } = open()
  const round = start()
  call.onNotice('first')
  ask('name?')
  const { state, requests } = questions((await round).answer)
  call.onNotice('between')
  const later: string[] = []
  const next = suspendedCalls.resume(state, `{"${Object.keys(requests)[0]}":{}}`, {
    ...quietly,
    onNotice: (text) => void later.push(text),
  })
  call.onNotice('second')
  finish(done)
  await next
  assert.deepEqual([notices, later], [['first'], ['second']])
})

test('a client that leaves in a later round gives the call up', async () => {
  const { start, ask, cancellation, suspendedCalls } = open()
  const round = start()
  ask('name?')
  const { state, requests } = questions((await round).answer)
  let leave = () => {}
  void suspendedCalls.resume(state, `{"${Object.keys(requests)[0]}":{}}`, {
    ...quietly,
    onGone: (listener) => {
      leave = listener
    },
  })
  assert.equal(cancellation.isCancelled, false)
  leave()
  assert.equal(cancellation.isCancelled, true)
})

test('a client that never comes back gives the call up', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { start, ask, cancellation, suspendedCalls } = open()
  const round = start()
  ask('name?')
  t.mock.timers.tick(30)
  const { state } = questions((await round).answer)
  t.mock.timers.tick(10 * 60 * 1000)
  assert.deepEqual([cancellation.isCancelled, suspendedCalls.size], [true, 0])
  const { answer } = await suspendedCalls.resume(state, undefined, quietly)
  assert.equal(answer.kind, 'refused')
})

test('where there is no room the server is told, and its call goes on', async () => {
  const { suspendedCalls } = open()
  const calls = Array.from({ length: 1001 }, (_, n) => new SuspendableCall(`caller ${n % 40}`, new Cancellation(), quietly))
  const replies: string[] = []
  for (const call of calls) {
    void suspendedCalls.run(call, () => new Promise(() => {}))
    call.onAsk({ method: 'roots/list', params: '{}', server: 's', id: '1', reply: (rest) => replies.push(rest), onWithdrawn() {} })
  }
  assert.deepEqual([suspendedCalls.size, replies.length], [1000, 1])
  assert.match(replies[0] ?? '', /^"error":/)
})

test('draining gives up what waits between two rounds, lets a round that is under way end, and nothing waits any more', async () => {
  const waiting = open()
  const { suspendedCalls } = waiting
  const round = waiting.start()
  waiting.ask('name?')
  await round
  const busy = new SuspendableCall('me', new Cancellation(), quietly)
  let finish = (_sent: Sent) => {}
  const answered = suspendedCalls.run(busy, () => new Promise((resolve) => (finish = resolve)))
  suspendedCalls.drain()
  assert.deepEqual([waiting.cancellation.isCancelled, busy.cancellation.isCancelled, suspendedCalls.size], [true, false, 0])
  const replies: string[] = []
  busy.onAsk({ method: 'roots/list', params: '{}', server: 's', id: '1', reply: (rest) => replies.push(rest), onWithdrawn() {} })
  assert.match(replies.join(), /^"error":/)
  finish(done)
  assert.deepEqual(await answered, done)
})

test('one caller may leave so many calls waiting, and others still may', () => {
  const { suspendedCalls } = open()
  const replies: string[] = []
  const ask = (holder: string) => {
    const call = new SuspendableCall(holder, new Cancellation(), quietly)
    void suspendedCalls.run(call, () => new Promise(() => {}))
    call.onAsk({
      method: 'roots/list',
      params: '{}',
      server: 's',
      id: '1',
      reply: (rest) => replies.push(`${holder} ${rest}`),
      onWithdrawn() {},
    })
  }
  for (let n = 0; n < 33; n++) ask('greedy')
  ask('modest')
  assert.deepEqual([suspendedCalls.size, replies.length], [33, 1])
  assert.match(replies[0] ?? '', /^greedy "error":/)
})

test('answers that came between two rounds are kept within a bound, and for a minute', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const large: Sent = { ...done, answer: { kind: 'complete', result: 'x'.repeat(30 * 1024 * 1024), isError: false, hasMeta: false } }
  let ids = 0
  const suspendedCalls = createSuspendedCalls('p', () => `id${++ids}`)
  for (let n = 0; n < 3; n++) {
    const call = new SuspendableCall(`caller ${n}`, new Cancellation(), quietly)
    let finish = (_sent: Sent) => {}
    const round = suspendedCalls.run(call, () => new Promise((resolve) => (finish = resolve)))
    call.onAsk({ method: 'roots/list', params: '{}', server: 's', id: '1', reply() {}, onWithdrawn() {} })
    t.mock.timers.tick(30)
    await round
    finish(large)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  assert.equal(suspendedCalls.size, 2)
  assert.equal((await suspendedCalls.resume('p id1', undefined, quietly)).answer.kind, 'refused')
  assert.equal((await suspendedCalls.resume('p id2', undefined, quietly)).answer, large.answer)
  t.mock.timers.tick(60_000)
  assert.equal(suspendedCalls.size, 0)
})

test('what is no result at all is asked for again', async () => {
  const { start, ask, suspendedCalls, replies } = open()
  const round = start()
  ask('name?')
  const { state, requests } = questions((await round).answer)
  const [key = ''] = Object.keys(requests)
  for (const bad of ['5', 'null', '"x"', '[]']) {
    const again = questions((await suspendedCalls.resume(state, `{"${key}":${bad}}`, quietly)).answer)
    assert.deepEqual(Object.keys(again.requests), [key])
  }
  assert.deepEqual(replies, [])
})

test('patience is for the client: a round that is under way may take longer, and the next question has all of it again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { start, ask, cancellation, suspendedCalls } = open()
  const round = start()
  ask('name?')
  t.mock.timers.tick(30)
  const first = questions((await round).answer)
  const next = suspendedCalls.resume(first.state, `{"${Object.keys(first.requests)[0]}":{}}`, quietly)
  t.mock.timers.tick(11 * 60 * 1000)
  assert.equal(cancellation.isCancelled, false)
  ask('colour?')
  t.mock.timers.tick(30)
  questions((await next).answer)
  t.mock.timers.tick(9 * 60 * 1000)
  assert.equal(cancellation.isCancelled, false)
  t.mock.timers.tick(60 * 1000)
  assert.equal(cancellation.isCancelled, true)
})
