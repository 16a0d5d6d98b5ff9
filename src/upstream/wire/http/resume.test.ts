import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Cancellation } from '../../../mcp/mcp.ts'
import {
  type Arrival,
  called,
  callOf,
  events,
  messageOf,
  modernScript,
  openMet,
  progressOf,
  refused,
  type Script,
} from '../../open-for-test.ts'

const sse = { 'content-type': 'text/event-stream' }
/** Answers a call with the start of a stream, and ends it. */
const primed =
  (text = 'id: e1\nretry: 20\ndata: \n\n') =>
  ({ response }: Arrival) =>
    void response.writeHead(200, sse).end(text)
const answerTo = ({ id }: Arrival) => `data: {"jsonrpc":"2.0","id":${id},"result":{"content":[]}}\n\n`

/** A server that begins each call so, and does that with each GET that takes one up again. */
function resumable(begin: (arrival: Arrival) => void, get: (arrival: Arrival, call: Arrival, n: number) => void): Script {
  let call: Arrival | undefined
  let gets = 0
  return {
    initialize: ({ result }) =>
      result({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: {} }, { 'mcp-session-id': 'k' }),
    'tools/call'(arrival) {
      call = arrival
      begin(arrival)
    },
    GET: (arrival) => void (call && get(arrival, call, ++gets)),
  }
}

for (const [name, cut] of [
  ['ends', (arrival: Arrival) => primed()(arrival)],
  ['breaks', ({ response }: Arrival) => void response.writeHead(200, sse).write('id: e1\nretry: 20\ndata: \n\n', () => response.destroy())],
] as const) {
  test(`a stream that ${name} before the answer is taken up again by GET, in the same session, and the call is posted once`, async (t) => {
    const script = resumable(cut, ({ response }, call) =>
      response.writeHead(200, sse).end(`id: e2\ndata: ${progressOf(call)}\n\n${answerTo(call)}`),
    )
    const { server, upstream } = await openMet(t, script)
    const notices: string[] = []
    const message = messageOf('{"name":"s_x","_meta":{"progressToken":"p"}}')
    const { answer } = await upstream.send(callOf({ message, onNotice: (text) => notices.push(text) }), called('x'))
    assert.deepEqual([answer.kind, notices.length, server.count('tools/call'), server.count('GET')], ['complete', 1, 1, 1])
    const { request, session } = await server.arrived('GET')
    assert.deepEqual([session, request.headers['last-event-id'], request.headers['mcp-protocol-version']], ['k', 'e1', '2025-11-25'])
    assert.match(request.headers.accept ?? '', /text\/event-stream/)
  })
}

test('an id and a pause that come without data count as well', async (t) => {
  const begin = primed('retry: 20\n\nid: e1\n\n')
  const { server, upstream } = await openMet(
    t,
    resumable(begin, ({ response }, call) => void response.writeHead(200, sse).end(answerTo(call))),
  )
  const { answer } = await upstream.send(callOf(), called('x'))
  assert.equal(answer.kind, 'complete')
  assert.equal((await server.arrived('GET')).request.headers['last-event-id'], 'e1')
})

test('it waits as long as the server wants, each time from the last event', async (t) => {
  const at: number[] = []
  const script = resumable(
    ({ response }) => {
      response.writeHead(200, sse).end('id: e1\nretry: 400\ndata: \n\n', () => at.push(performance.now()))
    },
    ({ response }, call, n) => {
      at.push(performance.now())
      response.writeHead(200, sse).end(n === 1 ? 'id: e2\nretry: 10\ndata: \n\n' : answerTo(call))
    },
  )
  const { server, upstream } = await openMet(t, script)
  assert.equal((await upstream.send(callOf(), called('x'))).answer.kind, 'complete')
  const [ended = 0, first = 0] = at
  assert.ok(first - ended >= 390, `${first - ended} ms`)
  const ids = server.arrivals.filter(({ method }) => method === 'GET').map(({ request }) => request.headers['last-event-id'])
  assert.deepEqual(ids, ['e1', 'e2'])
})

test('what the server asks after its stream was taken up again is the same call’s', async (t) => {
  const script = resumable(primed(), (arrival) => void events(arrival, '{"jsonrpc":"2.0","id":"a","method":"roots/list"}'))
  const { server, upstream } = await openMet(t, script)
  const sent = upstream.send(callOf({ capabilities: 255, onAsk: (ask) => ask.reply('"result":{"roots":[]}') }), called('x'))
  await server.arrived('response')
  const call = await server.arrived('tools/call')
  // The session's own stream is another one.
  const stream = server.arrivals.find(({ method, request }) => method === 'GET' && request.headers['last-event-id'] !== undefined)
  stream?.response.end(answerTo(call))
  assert.equal((await sent).answer.kind, 'complete')
})

test('a server whose streams never come to an answer is asked ten times, and is not posted to again', async (t) => {
  const again = 'id: e\nretry: 0\ndata: \n\n'
  const { server, upstream } = await openMet(
    t,
    resumable(primed(again), ({ response }) => response.writeHead(200, sse).end(again)),
  )
  assert.match(refused((await upstream.send(callOf(), called('x'))).answer).text, /before the answer/)
  assert.deepEqual([server.count('tools/call'), server.count('GET')], [1, 10])
})

for (const [status, text] of [
  [404, /answered 404/],
  [405, /answered 405/],
  [200, /answered 200/],
] as const) {
  test(`a rest that is refused with ${status} fails the call, which is not repeated`, async (t) => {
    const { server, upstream } = await openMet(
      t,
      resumable(primed(), ({ reply }) => reply(status, 'text/html', '')),
    )
    assert.match(refused((await upstream.send(callOf(), called('x'))).answer).text, text)
    assert.deepEqual([server.count('tools/call'), server.count('GET')], [1, 1])
  })
}

test('a call is given up while it waits to be taken up again: by its time-out, or by the caller', async (t) => {
  const script = resumable(primed('id: e\nretry: 20000\ndata: \n\n'), () => {})
  const { server, upstream } = await openMet(t, script, { requestMs: 200 })
  assert.match(refused((await upstream.send(callOf(), called('x'))).answer).text, /within 200 ms/)
  const cancellation = new Cancellation()
  const sent = upstream.send(callOf({ cancellation }), called('x'))
  const call = await server.arrived('tools/call', 2)
  await once(call.response, 'close').catch(() => {})
  cancellation.cancel()
  assert.equal(refused((await sent).answer).reason, 'cancelled')
  await server.arrived('notifications/cancelled', 2)
  assert.equal(server.count('GET'), 0)
})

for (const [name, id] of [
  ['no id', ''],
  ['an id that no header can carry', 'id: a\u0001b\n'],
  ['an id that is taken back', 'id: a\ndata: \n\nid: \n'],
] as const) {
  test(`a stream whose last event has ${name} can’t be taken up again`, async (t) => {
    const { server, upstream } = await openMet(
      t,
      resumable(primed(`${id}data: \n\n`), () => {}),
    )
    assert.match(refused((await upstream.send(callOf(), called('x'))).answer).text, /before the answer/)
    assert.equal(server.count('GET'), 0)
  })
}

test('streams of modern servers are not taken up again', async (t) => {
  const { server, upstream } = await openMet(t, { ...modernScript, 'tools/call': primed() })
  assert.match(refused((await upstream.send(callOf(), called('x'))).answer).text, /before the answer/)
  assert.equal(server.count('GET'), 0)
})
