import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Ask, allCapabilities, Cancellation, capability, noCapabilities } from '../../mcp/mcp.ts'
import { type Arrival, called, callOf, clientOf, events, messageOf, openMet, progressOf, refused, type Script } from '../open-for-test.ts'

const ask = (id: string | number, method = 'elicitation/create', params = '{"message":"m","requestedSchema":{}}') =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":"${method}","params":${params}}`
const finish = ({ response, id }: Arrival) => response.end(`data: {"jsonrpc":"2.0","id":${id},"result":{"content":[]}}\n\n`)
const answers = (arrivals: readonly Arrival[]) =>
  arrivals
    .filter((one) => one.method === 'response')
    .map(({ message: { jsonrpc, ...rest } }) => rest)
    .toSorted((a, b) => (String(a['id']) < String(b['id']) ? -1 : 1))

/** A server that gives sessions, `s1` being the gateway's own. */
function withSessions(): Script {
  let opened = 0
  return {
    initialize: ({ result }) =>
      result({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: {} }, { 'mcp-session-id': `s${++opened}` }),
  }
}

/** An upstream with a call under way, on whose stream the server has sent `data`. */
async function openCall(t: Parameters<typeof openMet>[0], data: readonly string[], more = {}, script: Script = {}, settings = {}) {
  const asks: Ask[] = []
  let wake = () => {}
  const made = await openMet(t, { 'tools/call': (arrival) => void events(arrival, ...data), ...script }, settings)
  const onAsk = (one: Ask) => {
    asks.push(one)
    wake()
  }
  const sent = made.upstream.send(callOf({ capabilities: allCapabilities, onAsk, ...more }), called('x'))
  const call = await made.server.arrived('tools/call')
  const asked = async (n: number) => {
    while (asks.length < n) await new Promise<void>((resolve) => (wake = resolve))
    return asks
  }
  return { ...made, sent, call, asks, asked }
}

test('what the server asks reaches the client of the call, and its answer the server', async (t) => {
  const { server, sent, call, asked } = await openCall(t, [ask('a'), ask(2, 'sampling/createMessage', '{"messages":[],"maxTokens":1}')])
  const [first, second] = await asked(2)
  assert.deepEqual(
    [first?.method, first?.id, first?.server, second?.method, second?.id],
    ['elicitation/create', '"a"', 'b/s i', 'sampling/createMessage', '2'],
  )
  second?.reply('"error":{"code":-1,"message":"no"}')
  first?.reply('"result":{"action":"accept","content":{}}')
  first?.reply('"result":{"action":"decline"}')
  await server.arrived('response', 2)
  finish(call)
  assert.equal((await sent).answer.kind, 'complete')
  assert.deepEqual(answers(server.arrivals), [
    { id: 2, error: { code: -1, message: 'no' } },
    { id: 'a', result: { action: 'accept', content: {} } },
  ])
})

const url = '{"mode":"url","message":"m","url":"https://x/","elicitationId":"e"}'
const tools = '{"messages":[],"maxTokens":1,"tools":[]}'
for (const [name, capabilities, request, code] of [
  ['a client that can do nothing', noCapabilities, ask(1), -32601],
  ['one that can do something else', capability.sampling, ask(1), -32601],
  ['one without roots', capability.sampling, ask(1, 'roots/list', '{}'), -32601],
  ['one without that mode', capability.elicitationForm, ask(1, 'elicitation/create', url), -32602],
  ['one without tools in sampling', capability.sampling, ask(1, 'sampling/createMessage', tools), -32602],
  ['anyone for an unknown method', allCapabilities, ask(1, 'x/y', '{}'), -32601],
] as const) {
  test(`${name} is not asked: the server gets ${code}`, async (t) => {
    const { server, sent, call, asks } = await openCall(t, [request, '{"jsonrpc":"2.0","id":"p","method":"ping"}'], { capabilities })
    await server.arrived('response', 2)
    finish(call)
    await sent
    const [error, pong] = answers(server.arrivals) as [{ error: { code: number } }, object]
    assert.deepEqual([asks.length, error.error.code, pong], [0, code, { id: 'p', result: {} }])
  })
}

test('a request that the server takes back is withdrawn, and answered no more', async (t) => {
  const { server, sent, call, asked } = await openCall(t, [ask('a'), ask('b')])
  const [first, second] = await asked(2)
  const withdrawn = new Promise<void>((resolve) => first?.onWithdrawn(resolve))
  call.response.write('data: {"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"unknown"}}\n\n')
  call.response.write('data: {"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"\\u0061"}}\n\n')
  await withdrawn
  first?.reply('"result":{}')
  second?.reply('"result":{}')
  await server.arrived('response')
  finish(call)
  await sent
  assert.deepEqual(answers(server.arrivals), [{ id: 'b', result: {} }])
})

test('33 requests open in one call are one too many', async (t) => {
  const { server, sent, call, asks } = await openCall(
    t,
    Array.from({ length: 33 }, (_, i) => ask(i)),
  )
  const refusal = await server.arrived('response')
  assert.deepEqual([refusal.id, asks.length], [32, 32])
  finish(call)
  await sent
})

test('64 calls may wait for their clients; the server is refused more, and asked again when one has ended', async (t) => {
  const made = await openMet(t, { 'tools/call': (arrival) => void events(arrival, ask(arrival.id ?? 0)) })
  const { server, upstream } = made
  let asked = 0
  let wake = () => {}
  const onAsk = () => {
    asked++
    wake()
  }
  const send = () => upstream.send(callOf({ capabilities: allCapabilities, onAsk }), called('x'))
  const sent = Array.from({ length: 65 }, send)
  const refusal = await server.arrived('response')
  while (asked < 64) await new Promise<void>((resolve) => (wake = resolve))
  const waiting = server.arrivals.find((one) => one.method === 'tools/call' && one.id !== refusal.id)
  assert.ok(waiting)
  finish(waiting)
  await Promise.race(sent)
  sent.push(send())
  while (asked < 65) await new Promise<void>((resolve) => (wake = resolve))
  for (const one of server.arrivals) if (one.method === 'tools/call' && one !== waiting) finish(one)
  await Promise.all(sent)
  assert.equal(server.count('response'), 1)
})

test('a call waits longer for its client than for its server', async (t) => {
  const { server, sent, call, asked } = await openCall(t, [ask('a')], {}, {}, { requestMs: 200 })
  const [first] = await asked(1)
  call.response.write(`data: ${progressOf(call)}\n\n`)
  // Twice the time-out, and the sweep that looks at time-outs.
  await new Promise((resolve) => setTimeout(resolve, 600))
  first?.reply('"result":{}')
  await server.arrived('response')
  finish(call)
  assert.equal((await sent).answer.kind, 'complete')
})

test('once the client has answered, the server has its ordinary time; the route’s bound holds all the while', async (t) => {
  const answered = await openCall(t, [ask('a')], {}, {}, { requestMs: 200 })
  const [first] = await answered.asked(1)
  first?.reply('"result":{}')
  assert.match(refused((await answered.sent).answer).text, /within 200 ms/)
  const bounded = await openCall(t, [ask('a')], { timeoutMs: 300 }, {}, { requestMs: 200 })
  assert.match(refused((await bounded.sent).answer).text, /within 300 ms/)
})

test('an answer for which no process waits here goes to the server in the client’s own session', async (t) => {
  const { server, upstream } = await openMet(t, withSessions())
  upstream.respond(clientOf('c', allCapabilities, 'sealed'), '"a"', '"result":{"roots":[]}')
  const { session, message } = await server.arrived('response')
  assert.deepEqual([session, message], ['sealed', { jsonrpc: '2.0', id: 'a', result: { roots: [] } }])
})

test('an answer that is brought as if from elsewhere ends the wait for it here', async (t) => {
  const session = clientOf('c', allCapabilities)
  const { server, upstream, sent, asked } = await openCall(t, [ask('a')], { session }, withSessions(), { requestMs: 200 })
  const [first] = await asked(1)
  upstream.respond(session, '"\\u0061"', '"result":{}')
  await server.arrived('response')
  first?.reply('"error":{"code":-1,"message":"late"}')
  assert.match(refused((await sent).answer).text, /within 200 ms/)
  const [only, ...more] = server.arrivals.filter((one) => one.method === 'response')
  assert.deepEqual([only?.session, only?.message['result'], more.length], ['s2', {}, 0])
})

test('a cancelled call leaves nothing open', async (t) => {
  const cancellation = new Cancellation()
  const { server, sent, asked } = await openCall(t, [ask('a')], { cancellation })
  const [first] = await asked(1)
  cancellation.cancel()
  assert.equal(refused((await sent).answer).reason, 'cancelled')
  first?.reply('"result":{}')
  await server.arrived('notifications/cancelled')
  assert.equal(server.count('response'), 0)
})

test('on the stream that is no client’s the gateway has no roots, and nobody to ask', async (t) => {
  const { server } = await openMet(t, {
    initialize: ({ result }) => result({ protocolVersion: '2025-11-25', capabilities: { tools: { listChanged: true } }, serverInfo: {} }),
    GET: (arrival) => void events(arrival, ask('r', 'roots/list', '{}'), ask('e')),
  })
  await server.arrived('response', 2)
  assert.deepEqual(answers(server.arrivals), [
    { id: 'e', error: { code: -32601, message: 'Method not found' } },
    { id: 'r', result: { roots: [] } },
  ])
})

test('progress that comes on the stream that is no client’s reaches its call, and keeps it alive', async (t) => {
  const { server, upstream } = await openMet(
    t,
    {
      initialize: ({ result }) => result({ protocolVersion: '2025-11-25', capabilities: { tools: { listChanged: true } }, serverInfo: {} }),
      GET: (arrival) => void events(arrival),
      'tools/call': (arrival) => void events(arrival),
    },
    { requestMs: 400 },
  )
  const stream = await server.arrived('GET')
  const notices: string[] = []
  const onNotice = (text: string) => notices.push(text)
  const message = messageOf('{"name":"s_x","_meta":{"progressToken":"mine"}}')
  const sent = upstream.send(callOf({ message, onNotice }), called('x'))
  const other = upstream.send(callOf({ onNotice }), called('x'))
  const calls = [await server.arrived('tools/call'), await server.arrived('tools/call', 2)]
  const mine = calls.find((one) => one.params['_meta'] !== undefined)
  const theirs = calls.find((one) => one !== mine)
  assert.ok(mine && theirs)
  finish(theirs)
  await other
  for (let i = 0; i < 8; i++) {
    stream.response.write(`data: ${progressOf(theirs)}\n\ndata: ${progressOf(mine)}\n\n`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  finish(mine)
  assert.equal((await sent).answer.kind, 'complete')
  assert.deepEqual(
    notices,
    Array(8).fill('{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"mine","progress":1}}'),
  )
})

const changed = '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'
const updated = '{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"u:1"}}'
/** Offers what may change. */
const changing = (sessions: boolean): Script => {
  let opened = 0
  return {
    initialize: ({ result }) =>
      result(
        { protocolVersion: '2025-11-25', capabilities: { tools: { listChanged: true }, resources: { subscribe: true } }, serverInfo: {} },
        sessions ? { 'mcp-session-id': `s${++opened}` } : {},
      ),
    GET: (arrival) => void events(arrival),
    'resources/list': ({ result }) => result({ resources: [] }),
    'resources/templates/list': ({ result }) => result({ resourceTemplates: [] }),
    'resources/subscribe': ({ result }) => result({}),
    ping: ({ result }) => result({}),
  }
}

test('a list that changed, told on a call’s stream, is asked for again, once for many notices', async (t) => {
  const { server, sent, call, upstream } = await openCall(t, [changed, changed, changed], {}, changing(false))
  await server.arrived('tools/list', 2)
  finish(call)
  assert.equal((await sent).answer.kind, 'complete')
  await upstream.close(0, true)
  assert.deepEqual([server.count('tools/list'), server.count('response')], [2, 0])
})

/** Who hears of an update that is told on the stream of a call, in the server's terms. */
for (const [title, sessions, caller, followed, heard] of [
  ['in a server without sessions: all who watch', false, 'a', [], ['watch u:1']],
  ['in a shared session: all who watch', true, undefined, ['a'], ['watch u:1']],
  ['in a client’s own session: its follower', true, 'a', ['a', 'b'], ['a u:1']],
  ['in an own session that nobody follows here: all who watch', true, 'a', ['b'], ['watch u:1']],
] as const)
  test(`an updated resource, ${title}`, async (t) => {
    const { server, upstream } = await openMet(t, { ...changing(sessions), 'tools/call': (arrival) => void events(arrival) })
    const got: string[] = []
    let wake = () => {}
    const hear = (text: string) => {
      got.push(text)
      wake()
    }
    const stops = followed.map((key) =>
      upstream.follow(clientOf(key), {
        onNotice: (text) => hear(`${key} ${JSON.parse(text).params.uri}`),
        drained: () => undefined,
        onAsk() {},
      }),
    )
    const watch = upstream.watch('u:1', (uri) => hear(`watch ${uri}`))
    assert.equal(await watch.isGranted, true)
    const sent = upstream.send(callOf({ session: caller && clientOf(caller) }), called('x'))
    const call = await server.arrived('tools/call')
    call.response.write(`data: ${updated.replace('{', '{"id":1,')}\n\ndata: ${updated}\n\n`)
    while (got.length === 0) await new Promise<void>((resolve) => (wake = resolve))
    finish(call)
    await sent
    for (const stop of stops) stop()
    assert.deepEqual(got, heard)
  })

test('a follower that has gone hears nothing more; the newer one of the same client does', async (t) => {
  const { server, upstream } = await openMet(t, { ...changing(true), 'tools/call': (arrival) => void events(arrival, updated) })
  const session = clientOf('a')
  const got: string[] = []
  const follow = (name: string) => upstream.follow(session, { onNotice: () => got.push(name), drained: () => undefined, onAsk() {} })
  const call = async () => {
    const sent = upstream.send(callOf({ session }), called('x'))
    finish(await server.arrived('tools/call', server.count('tools/call') + 1))
    await sent
  }
  const [older, newer] = [follow('older'), follow('newer')]
  older()
  await call()
  newer()
  await call()
  assert.deepEqual(got, ['newer'])
})
