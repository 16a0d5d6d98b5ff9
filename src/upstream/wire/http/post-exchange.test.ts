import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Dispatcher } from 'undici'
import type { Reply } from '../connector.ts'
import { CallLane, type LaneCall } from './call-lane.ts'
import { PostExchange } from './post-exchange.ts'
import type { HttpSettings } from './settings.ts'

const settings: HttpSettings = {
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
  first.expire()
  assert.deepEqual([dispatched, replies.map(({ kind }) => kind)], [[first, second], ['failed']])
})
