import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Dispatcher } from 'undici'
import { ServerBuffers } from '../../../mcp/mcp.ts'
import type { Failure, Reply } from '../connector.ts'
import { CallLane, type LaneCall } from './call-lane.ts'
import { PostExchange } from './post-exchange.ts'
import type { HttpSettings } from './settings.ts'

const settings: HttpSettings = {
  at: 'h:1',
  url: 'http://127.0.0.1/',
  headers: [],
  tls: undefined,
  connectMs: 1,
  idleMs: undefined,
  answerBytes: 1000,
  json: { depth: 10, tokens: 100 },
}
const controller: Dispatcher.DispatchController = {
  aborted: false,
  paused: false,
  reason: null,
  abort() {},
  pause() {},
  resume() {},
}

test('a call that waits to be taken up again keeps its place in the lane, and leaves it when it is given up', () => {
  const dispatched: LaneCall[] = []
  const lane = new CallLane(1, (_, exchange) => dispatched.push(exchange))
  const replies: Reply[] = []
  const open = () => {
    const request = { headers: [], body: '', id: 1, timeoutMs: 1000 }
    const exchange = new PostExchange(
      request,
      settings,
      new ServerBuffers(),
      (reply) => replies.push(reply),
      () => {},
    )
    lane.add({ path: '/', method: 'POST' }, exchange, 0)
    return exchange
  }
  const [first, second] = [open(), open()]
  first.onRequestStart(controller)
  first.onResponseStart(controller, 200, { 'content-type': 'text/event-stream' })
  first.onResponseData(controller, Buffer.from('id: e\nretry: 30000\ndata: \n\n'))
  first.onResponseEnd()
  assert.deepEqual([dispatched, replies], [[first], []])
  first.expire(performance.now())
  assert.deepEqual([dispatched, replies.map(({ kind }) => kind)], [[first, second], ['failed']])
})

function failureIn(replies: readonly Reply[]): Failure | undefined {
  const [reply] = replies
  return reply?.kind === 'failed' ? reply : undefined
}

/** A call whose client has not taken what came, with what lets it. */
function held(more: { readonly maxMs?: number }) {
  const replies: Reply[] = []
  let takes = () => {}
  const drained = new Promise<void>((resolve) => {
    takes = resolve
  })
  let isBehind = true
  const request = { headers: [], body: '', id: 1, timeoutMs: 1000, drained: () => (isBehind ? drained : undefined), ...more }
  const exchange = new PostExchange(request, settings, new ServerBuffers(), (reply) => replies.push(reply))
  exchange.onRequestStart(controller)
  exchange.onResponseStart(controller, 200, { 'content-type': 'text/event-stream' })
  exchange.onResponseData(controller, Buffer.from('data: {"jsonrpc":"2.0","method":"notifications/x"}\n\n'))
  const take = () => {
    isBehind = false
    takes()
    return drained
  }
  return { exchange, replies, take }
}

test('a call does not time out while its client is waited for, and has its time again from then on', async () => {
  const { exchange, replies, take } = held({})
  exchange.expire(exchange.deadline)
  assert.deepEqual(replies, [])
  const before = exchange.deadline
  await take()
  assert.ok(exchange.deadline > before)
  exchange.expire(exchange.deadline)
  assert.equal(failureIn(replies)?.failure, 'timeout')
})

test('where the time of the whole call is over and its client took most of it, that is not said of the server', () => {
  const { exchange, replies } = held({ maxMs: 0 })
  const startedAt = performance.now()
  while (performance.now() - startedAt < 5);
  exchange.expire(performance.now())
  assert.equal(failureIn(replies)?.failure, 'slow-client')
  assert.match(failureIn(replies)?.text ?? '', /^the caller took \d+ ms to read what came/)
})
