import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Ask, Cancellation, capability } from '../../mcp/mcp.ts'
import { type Arrival, called, callOf, clientOf, events, openMet, refused, type Script } from '../open-for-test.ts'
import type { Connector } from '../wire/connector.ts'

/** A server with sessions, `s1` being the gateway's own. */
function sessionScript(status: number, capabilities: object = {}) {
  const known = new Set<string | undefined>()
  const state = { opened: 0, calls: 0 }
  const error = '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: No valid session ID provided"}}'
  const guard = (act: (arrival: Arrival) => void) => (arrival: Arrival) =>
    known.has(arrival.session) ? act(arrival) : arrival.reply(status, 'application/json', error)
  const empty = guard(({ result }) => result({}))
  const script: Script = {
    initialize({ result }) {
      const id = `s${++state.opened}`
      known.add(id)
      result({ protocolVersion: '2025-11-25', capabilities: { tools: {}, ...capabilities }, serverInfo: {} }, { 'mcp-session-id': id })
    },
    'tools/list': guard(({ result }) => result({ tools: [] })),
    'tools/call': guard(({ result }) => {
      state.calls++
      result({ content: [] })
    }),
    'logging/setLevel': empty,
    'resources/subscribe': empty,
    'resources/unsubscribe': empty,
  }
  const lose = (...ids: string[]) => {
    for (const id of ids) known.delete(id)
  }
  return { script, state, known, lose }
}

const sessionsOf = (arrivals: readonly Arrival[], method: string) =>
  arrivals.filter((one) => one.method === method).map((one) => one.session)

for (const status of [404, 400]) {
  test(`a session lost with ${status} is opened once for ten waiting calls, and each call is done once`, async (t) => {
    for (const session of [undefined, clientOf('c')]) {
      const { script, state, lose } = sessionScript(status)
      const { upstream } = await openMet(t, script)
      const send = () => upstream.send(callOf({ session }), called('x'))
      await send()
      lose('s2')
      const sent = await Promise.all(Array.from({ length: 10 }, send))
      assert.deepEqual(
        sent.map(({ answer }) => answer.kind),
        Array(10).fill('complete'),
      )
      assert.deepEqual([state.opened, state.calls], [3, 11])
    }
  })
}

test('a reply that comes late for a session that was opened again since opens no other', async (t) => {
  const { script, state, lose } = sessionScript(404)
  const { server, upstream } = await openMet(t, script)
  const session = clientOf('c', 0, 'sealed')
  lose('sealed')
  const held: Arrival[] = []
  const own = script['tools/call']
  server.script = { ...script, 'tools/call': (arrival) => (held.length < 2 ? void held.push(arrival) : own?.(arrival)) }
  const [first, second] = [upstream.send(callOf({ session }), called('x')), upstream.send(callOf({ session }), called('x'))]
  await server.arrived('tools/call', 2)
  for (const [i, sent] of [first, second].entries()) {
    held[i]?.reply(404, 'text/plain', '')
    assert.equal((await sent).answer.kind, 'complete')
  }
  assert.equal(state.opened, 2)
})

test('an error under the call’s own id comes from behind the session: the call is not sent again', async (t) => {
  const { script, state } = sessionScript(404)
  const { server, upstream } = await openMet(t, {
    ...script,
    'tools/call': ({ reply, id }) =>
      reply(404, 'application/json', `{"jsonrpc":"2.0","id":${id},"error":{"code":1,"message":"session not found"}}`),
  })
  assert.equal((await upstream.send(callOf(), called('x'))).answer.kind, 'failed')
  assert.deepEqual([server.count('tools/call'), state.opened], [1, 2])
})

/** What the server says under the request's own id, and whether a ping finds the session gone. */
for (const [title, status, text, isGone, opened] of [
  ['404 and a word', 404, 'Session not found', true, 3],
  ['400 and a word', 400, 'No valid session ID provided', true, 3],
  ['404 alone, while it is gone', 404, 'Not found', true, 3],
  ['404 alone, while it is there', 404, 'Not found', false, 2],
  ['400 alone', 400, 'Bad arguments', true, 2],
] as const)
  test(`a session that is lost under the calls’ own ids (${title}): no call is sent again, those to come are in one new session`, async (t) => {
    for (const session of [undefined, clientOf('c', 0, 'sealed')]) {
      const { script, state, known, lose } = sessionScript(404)
      const { server, upstream } = await openMet(t, script)
      known.add('sealed')
      const send = () => upstream.send(callOf({ session }), called('x'))
      await send()
      const error = ({ reply, id }: Arrival) =>
        reply(status, 'application/json', `{"jsonrpc":"2.0","id":${id},"error":{"code":-32001,"message":"${text}"}}`)
      const own = script['tools/call']
      server.script = {
        ...script,
        'tools/call': (arrival) => (known.has(arrival.session) && arrival.id !== undefined ? own?.(arrival) : error(arrival)),
        ping: (arrival) => (isGone ? error(arrival) : arrival.result({})),
      }
      const before = session === undefined ? 's2' : 'sealed'
      lose(before)
      const sent = await Promise.all(Array.from({ length: 3 }, send))
      assert.deepEqual(
        sent.map(({ answer }) => answer.kind === 'failed' && answer.error.message),
        [text, text, text],
      )
      const calls = server.count('tools/call')
      const isNew = opened === 3
      const answers = await Promise.all(Array.from({ length: 3 }, send))
      assert.deepEqual([calls, server.count('tools/call')], [4, 7])
      assert.deepEqual(
        answers.map(({ answer }) => answer.kind),
        Array(3).fill(isNew ? 'complete' : 'failed'),
      )
      assert.equal(state.opened, session === undefined ? opened : opened - 1)
    }
  })

test('a session that is lost again at once is not opened a third time for one call', async (t) => {
  const { script, state } = sessionScript(404)
  const { server, upstream } = await openMet(t, { ...script, 'tools/call': ({ reply }) => reply(404, 'text/plain', '') })
  refused((await upstream.send(callOf(), called('x'))).answer)
  assert.deepEqual([server.count('tools/call'), state.opened], [2, 3])
})

test('a client’s own session is opened with its capabilities, used by it alone, and ends with it', async (t) => {
  const { script } = sessionScript(404)
  const { server, upstream } = await openMet(t, script)
  const [a, b] = [clientOf('a', capability.sampling), clientOf('b')]
  assert.equal(upstream.hasSessions(), true)
  assert.equal(await upstream.openSession(a), 's2')
  for (const session of [a, b, a]) await upstream.send(callOf({ session }), called('x'))
  assert.deepEqual(sessionsOf(server.arrivals, 'tools/call'), ['s2', 's3', 's2'])
  const declared = server.arrivals.filter((one) => one.method === 'initialize').map((one) => one.params['capabilities'])
  assert.deepEqual(declared.slice(1), [{ sampling: {} }, {}])
  upstream.endSession(clientOf('unknown'), true)
  upstream.endSession(a, true)
  assert.equal((await server.arrived('DELETE')).session, 's2')
})

test('the session that is sealed into the client’s own is used, until it is lost', async (t) => {
  const { script, known, lose } = sessionScript(404)
  const { server, upstream } = await openMet(t, script)
  known.add('sealed')
  const session = clientOf('c', 0, 'sealed')
  await upstream.send(callOf({ session }), called('x'))
  lose('sealed')
  await upstream.send(callOf({ session }), called('x'))
  await upstream.send(callOf({ session }), called('x'))
  assert.deepEqual(sessionsOf(server.arrivals, 'tools/call'), ['sealed', 'sealed', 's2', 's2'])
})

for (const { isLast, ended, title } of [
  {
    isLast: false,
    ended: ['s1', 's3', 's4', 's6'],
    title: 'not those that were handed out, or opened elsewhere, while another replica may go on with them',
  },
  { isLast: true, ended: ['s1', 's2', 's3', 's4', 's6', 'sealed'], title: 'all of them where there is no other replica' },
])
  test(`on closing the sessions end: ${title}`, async (t) => {
    const { script, known, lose } = sessionScript(404)
    const { server, upstream } = await openMet(t, script)
    known.add('sealed')
    await upstream.openSession(clientOf('handed out'))
    await upstream.send(callOf({ session: clientOf('adopted', 0, 'sealed') }), called('x'))
    await upstream.send(callOf({ session: clientOf('opened later') }), called('x'))
    await upstream.send(callOf(), called('x'))
    const reopened = clientOf('reopened')
    await upstream.openSession(reopened)
    lose('s5')
    await upstream.send(callOf({ session: reopened }), called('x'))
    await upstream.close(0, isLast)
    assert.deepEqual(sessionsOf(server.arrivals, 'DELETE').toSorted(), ended)
  })

test('a session that was handed out stays where another replica may go on with it; it ends where the client ended it', async (t) => {
  const { script } = sessionScript(404)
  const { server, upstream } = await openMet(t, script)
  const [kept, deleted] = [clientOf('kept'), clientOf('deleted')]
  await upstream.openSession(kept)
  await upstream.openSession(deleted)
  upstream.endSession(kept, false)
  upstream.endSession(deleted, true)
  await server.arrived('DELETE')
  assert.deepEqual(sessionsOf(server.arrivals, 'DELETE'), ['s3'])
})

test('clients without sessions share those of equal capabilities and levels; the level is told first', async (t) => {
  const { script } = sessionScript(404, { logging: {} })
  const { server, upstream } = await openMet(t, script)
  const calls = [
    {},
    { capabilities: capability.sampling },
    { capabilities: capability.sampling, logLevel: 'error' },
    { capabilities: capability.sampling | capability.rootsChange },
    { capabilities: capability.sampling, logLevel: 'error' },
    {},
  ] as const
  for (const more of calls) await upstream.send(callOf({ clientEra: 'modern', ...more }), called('x'))
  assert.deepEqual(sessionsOf(server.arrivals, 'tools/call'), ['s2', 's3', 's4', 's3', 's4', 's2'])
  const levels = server.arrivals.filter((one) => one.method === 'logging/setLevel')
  assert.deepEqual(
    levels.map((one) => [one.session, one.params['level']]),
    [['s4', 'error']],
  )
})

test('twenty calls at once open one shared session', async (t) => {
  const { script, state } = sessionScript(404)
  const { upstream } = await openMet(t, script)
  await Promise.all(Array.from({ length: 20 }, () => upstream.send(callOf(), called('x'))))
  assert.deepEqual([state.opened, state.calls], [2, 20])
})

test('a shared session that makes room is ended when its last call has left it', async (t) => {
  const { script } = sessionScript(404)
  const { server, upstream } = await openMet(t, script)
  const own = script['tools/call']
  server.script = { ...script, 'tools/call': (arrival) => (server.count('tools/call') === 1 ? undefined : own?.(arrival)) }
  const slow = upstream.send(callOf(), called('x'))
  const held = await server.arrived('tools/call')
  for (let i = 1; i < 64; i++) await upstream.send(callOf({ capabilities: i }), called('x'))
  await upstream.send(callOf({ capabilities: capability.apps }), called('x'))
  await upstream.send(callOf({ capabilities: capability.apps | 1 }), called('x'))
  assert.equal((await server.arrived('DELETE')).session, 's3')
  held.result({ content: [] })
  assert.equal((await slow).answer.kind, 'complete')
  assert.equal((await server.arrived('DELETE', 2)).session, held.session)
})

test('a lost own session is told the client’s level and subscriptions again', async (t) => {
  const { script, lose } = sessionScript(404, { logging: {}, resources: { subscribe: true } })
  const { server, upstream } = await openMet(t, { ...script, 'resources/list': ({ result }) => result({ resources: [] }) })
  const session = clientOf('c')
  await upstream.setLevel(session, 'warning')
  assert.deepEqual(await upstream.subscribe(session, 'u:1', true), { kind: 'complete', result: '{}', isError: false, hasMeta: false })
  await upstream.subscribe(session, 'u:2', true)
  await upstream.subscribe(session, 'u:2', false)
  lose('s2')
  await upstream.send(callOf({ session }), called('x'))
  await server.arrived('resources/subscribe', 3)
  const told = server.arrivals.filter((one) => one.session === 's3' && one.method !== 'notifications/initialized')
  assert.deepEqual(told.map((one) => [one.method, one.params['level'] ?? one.params['uri']]).toSorted(), [
    ['logging/setLevel', 'warning'],
    ['resources/subscribe', 'u:1'],
    ['tools/call', undefined],
  ])
})

test('setting a level never throws, and what a server says to a subscription is the answer', async (t) => {
  const error = ({ reply, id }: Arrival) =>
    reply(200, 'application/json', `{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"no"}}`)
  const { script } = sessionScript(404, { logging: {} })
  const { upstream } = await openMet(t, { ...script, 'logging/setLevel': error, 'resources/subscribe': error })
  const session = clientOf('c')
  await upstream.setLevel(session, 'info')
  const answer = await upstream.subscribe(session, 'u:1', true)
  assert.deepEqual(answer, { kind: 'failed', error: { code: -32601, message: 'no', data: undefined }, server: 's' })
})

test('changed roots are told in the client’s own session, where it has one', async (t) => {
  const { script } = sessionScript(404)
  const { server, upstream } = await openMet(t, script)
  const [open, closed] = [clientOf('open'), clientOf('closed')]
  await upstream.openSession(open)
  upstream.rootsChanged(closed)
  upstream.rootsChanged(open)
  assert.equal((await server.arrived('notifications/roots/list_changed')).session, 's2')
  assert.equal(server.count('initialize'), 2)
})

test('however often roots change, one notice of a client’s is on its way and one follows', async (t) => {
  const { script } = sessionScript(404)
  const method = 'notifications/roots/list_changed'
  const { server, upstream } = await openMet(t, { ...script, [method]: () => {} })
  const [busy, other] = [clientOf('busy'), clientOf('other')]
  for (const client of [busy, other]) await upstream.openSession(client)
  for (let i = 0; i < 10; i++) upstream.rootsChanged(busy)
  const first = await server.arrived(method)
  upstream.rootsChanged(other)
  await server.arrived(method, 2)
  first.reply(202, 'text/plain', '')
  const last = await server.arrived(method, 3)
  last.reply(202, 'text/plain', '')
  upstream.setLevel(other, 'info')
  await upstream.subscribe(other, 'u:1', true)
  assert.deepEqual(sessionsOf(server.arrivals, method), ['s2', 's3', 's2'])
  upstream.rootsChanged(busy)
  assert.equal((await server.arrived(method, 4)).session, 's2')
})

test('what is under way when its client ends the session opens no other and is not sent again', async (t) => {
  const { script, state, known } = sessionScript(404, { logging: {} })
  known.add('sealed')
  const { server, upstream } = await openMet(t, { ...script, 'tools/call': () => {}, 'resources/subscribe': () => {} })
  const [client, sealed] = [clientOf('c'), clientOf('d', 0, 'sealed')]
  await upstream.openSession(client)
  const sent = upstream.send(callOf({ session: client }), called('x'))
  const subscribed = upstream.subscribe(client, 'u:1', true)
  const held = [await server.arrived('tools/call'), await server.arrived('resources/subscribe')]
  for (const one of [client, sealed]) upstream.endSession(one, true)
  await server.arrived('DELETE', 2)
  for (const one of held) one.reply(404, 'text/plain', '')
  const { reason, server: named } = refused((await sent).answer)
  assert.deepEqual([reason, named], ['session-unknown', 's'])
  assert.equal(refused(await subscribed).reason, 'session-unknown')
  // Nor does what comes late open one, or go on with the one that was sealed.
  for (const session of [client, sealed]) {
    assert.equal(refused((await upstream.send(callOf({ session }), called('x'))).answer).reason, 'session-unknown')
    assert.equal(await upstream.openSession(session), undefined)
    await upstream.setLevel(session, 'info')
    upstream.rootsChanged(session)
    upstream.respond(session, '1', '"result":{}')
  }
  await upstream.openSession(clientOf('e'))
  assert.deepEqual([state.opened, server.count('tools/call'), server.count('logging/setLevel'), server.count('response')], [3, 1, 0, 0])
  assert.equal(server.count('notifications/roots/list_changed'), 0)
})

test('what clients cause beside their calls has connections of its own, what keeps the server in view has not', async (t) => {
  const posts: (readonly [method: string, session: string | undefined, cause: string | undefined])[] = []
  const wrap = (connector: Connector): Connector => ({
    ...connector,
    post(request) {
      const { method = 'response' } = JSON.parse(request.body) as { method?: string }
      posts.push([method, request.headers[request.headers.indexOf('mcp-session-id') + 1], request.isCall ? 'call' : request.cause])
      return connector.post(request)
    },
    delete(headers, cause) {
      posts.push(['DELETE', headers[headers.indexOf('mcp-session-id') + 1], cause])
      return connector.delete(headers, cause)
    },
  })
  const { script } = sessionScript(404, { logging: {}, resources: { subscribe: true } })
  const ping = '{"jsonrpc":"2.0","id":"p","method":"ping"}'
  const more: Script = {
    ...script,
    'resources/list': ({ result }) => result({ resources: [] }),
    'tools/call': (arrival) => void events(arrival, '{"jsonrpc":"2.0","id":"a","method":"roots/list"}'),
    GET: (arrival) => void events(arrival, ping),
  }
  const { server, upstream } = await openMet(t, more, {}, {}, wrap)
  upstream.watch('u:0', () => {})
  await server.arrived('response')
  await server.arrived('resources/subscribe')
  const client = clientOf('c', capability.roots)
  await upstream.openSession(client)
  await upstream.setLevel(client, 'info')
  for (const isOn of [true, false]) await upstream.subscribe(client, 'u:1', isOn)
  upstream.rootsChanged(client)
  const cancellation = new Cancellation()
  const asked = new Promise<Ask>((onAsk) => void upstream.send(callOf({ session: client, cancellation, onAsk }), called('x')))
  ;(await asked).reply('"result":{"roots":[]}')
  await server.arrived('response', 2)
  upstream.respond(client, '"b"', '"result":{}')
  cancellation.cancel()
  await server.arrived('notifications/cancelled')
  upstream.endSession(client, true)
  await server.arrived('DELETE')
  const causes = (session: string) => new Set(posts.filter((one) => one[1] === session).map((one) => one[2]))
  assert.deepEqual([causes('s1'), causes('s2')], [new Set([undefined]), new Set(['client', 'call'])])
  assert.deepEqual(
    posts.filter(([method, , cause]) => method === 'initialize' || cause === 'call').map(([method, , cause]) => [method, cause]),
    [
      ['initialize', undefined],
      ['initialize', 'client'],
      ['tools/call', 'call'],
    ],
  )
})

test('a server without session ids gets every call plainly, and no session is opened for a client', async (t) => {
  const { server, upstream } = await openMet(t)
  const session = clientOf('c')
  assert.deepEqual([upstream.hasSessions(), await upstream.openSession(session)], [false, undefined])
  await upstream.send(callOf({ session }), called('x'))
  assert.deepEqual([server.count('initialize'), sessionsOf(server.arrivals, 'tools/call')], [1, [undefined]])
})

test('a server has sessions while the one that keeps it in view is lost and opened again', async (t) => {
  const { script, lose } = sessionScript(404)
  const { server, upstream } = await openMet(t, script)
  assert.equal(upstream.hasSessions(), true)
  t.mock.method(performance, 'now', () => 1e9)
  lose('s1')
  server.script = { ...script, initialize: () => {} }
  void upstream.ensureFresh()
  await server.arrived('initialize', 2)
  assert.deepEqual([upstream.status().era, upstream.hasSessions()], [undefined, true])
})
