import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Ask, allCapabilities, capability } from '../../mcp/mcp.ts'
import { type Arrival, called, callOf, clientOf, events, messageOf, openMet, progressOf, type Script } from '../open-for-test.ts'
import type { Follower } from './follow.ts'

/** A server that gives sessions, `s1` being the gateway's own, and knows those in `known`. */
function sessionScript(get: (arrival: Arrival, n: number) => void, lost = 404) {
  const error = '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"No valid session"}}'
  const known = new Set<string | undefined>()
  let opened = 0
  let gets = 0
  const script: Script = {
    initialize({ result }) {
      const id = `s${++opened}`
      known.add(id)
      result({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: {} }, { 'mcp-session-id': id })
    },
    GET: (arrival) => (known.has(arrival.session) ? get(arrival, ++gets) : arrival.reply(lost, 'text/plain', 'No valid session')),
    ping: ({ session, result, reply }) => (known.has(session) ? result({}) : reply(lost, 'application/json', error)),
    'tools/call': (arrival) => void events(arrival),
  }
  return { script, known }
}

/** A follower that keeps what it gets. */
function recorder() {
  const got: string[] = []
  const asks: Ask[] = []
  let wake = () => {}
  const follower: Follower = {
    onNotice(text, method) {
      got.push(`${method} ${text}`)
      wake()
    },
    drained: () => undefined,
    onAsk(ask) {
      asks.push(ask)
      got.push(`ask ${ask.id}`)
      wake()
    },
  }
  const until = async (n: number) => {
    while (got.length < n) await new Promise<void>((resolve) => (wake = resolve))
    return got
  }
  return { follower, asks, until }
}

const notice = (method: string, params: object = {}) => JSON.stringify({ jsonrpc: '2.0', method, params })

test('what a server sends to one client reaches that client, as it was sent, and nothing else does', async (t) => {
  const log = notice('notifications/message', { level: 'info', data: 'd' })
  const updated = notice('notifications/resources/updated', { uri: 'u:1' })
  const complete = notice('notifications/elicitation/complete', { elicitationId: 'e' })
  const { script, known } = sessionScript(
    (arrival) =>
      void events(
        arrival,
        notice('notifications/tools/list_changed'),
        log.replace('{', '{"id":1,'),
        '{"jsonrpc":"2.0","id":"r","method":"roots/list"}',
        '{"jsonrpc":"2.0","id":"s","method":"sampling/createMessage","params":{}}',
        log,
        updated,
        complete,
      ),
  )
  known.add('sealed')
  const { server, upstream } = await openMet(t, script)
  const { follower, until, asks } = recorder()
  const stop = upstream.follow(clientOf('c', capability.roots, 'sealed'), follower)
  assert.deepEqual(await until(4), [
    'ask "r"',
    `notifications/message ${log}`,
    `notifications/resources/updated ${updated}`,
    `notifications/elicitation/complete ${complete}`,
  ])
  asks[0]?.reply('"result":{"roots":[]}')
  await server.arrived('response', 2)
  const replies = server.arrivals.filter(({ method }) => method === 'response')
  assert.deepEqual(replies.map(({ id, session }) => [id, session]).toSorted(), [
    ['r', 'sealed'],
    ['s', 'sealed'],
  ])
  assert.equal((await server.arrived('GET')).session, 'sealed')
  stop()
})

test('a stream that ends is opened again, from where it broke off, not before the server wants', async (t) => {
  const { script } = sessionScript(({ response }, n) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (n === 1) response.end('id: é1\nretry: 1200\ndata: \n\n')
  })
  const { server, upstream } = await openMet(t, script)
  const stop = upstream.follow(clientOf('c'), recorder().follower)
  await server.arrived('GET')
  const endedAt = performance.now()
  const { request, session } = await server.arrived('GET', 2)
  assert.ok(performance.now() - endedAt >= 1150)
  assert.deepEqual([Buffer.from(request.headers['last-event-id']?.toString() ?? '', 'latin1').toString(), session], ['é1', 's2'])
  stop()
})

for (const status of [404, 400]) {
  test(`where the session is lost, told by ${status}, it is opened again, once, and the stream in it`, async (t) => {
    const { script, known } = sessionScript((arrival) => void events(arrival), status)
    const { server, upstream } = await openMet(t, script)
    const session = clientOf('c', 0, 'gone')
    const stop = upstream.follow(session, recorder().follower)
    const first = await server.arrived('GET', 2)
    assert.deepEqual([first.session, known.size], ['s2', 2])
    stop()
  })
}

test('where a call finds the session lost, the stream goes on in the new one', async (t) => {
  const { script, known } = sessionScript((arrival) => void events(arrival, notice('notifications/message')))
  const answered: Script = {
    'tools/call': ({ session, result, reply }) => (known.has(session) ? result({ content: [] }) : reply(404, 'text/plain', '')),
  }
  const { server, upstream } = await openMet(t, { ...script, ...answered })
  const session = clientOf('c')
  const { follower, until } = recorder()
  const stop = upstream.follow(session, follower)
  await until(1)
  const { response } = await server.arrived('GET')
  const closed = new Promise((resolve) => response.once('close', resolve))
  known.delete('s2')
  assert.equal((await upstream.send(callOf({ session }), called('x'))).answer.kind, 'complete')
  assert.equal((await server.arrived('GET', 2)).session, 's3')
  await closed
  assert.equal(server.count('initialize'), 3)
  stop()
})

test('a stream that got no connection, while the server still knows the session, is asked for again in it', async (t) => {
  const { script, known } = sessionScript((arrival, n) => void (n === 1 ? arrival.response.destroy() : events(arrival)))
  const { server, upstream } = await openMet(t, script)
  const stop = upstream.follow(clientOf('c'), recorder().follower)
  assert.equal((await server.arrived('GET', 2)).session, 's2')
  assert.equal(known.size, 2)
  stop()
})

test('a 404 from a server that still knows the session is no lost session: there is no such stream', async (t) => {
  const { script, known } = sessionScript(({ reply }) => reply(404, 'text/plain', ''))
  const { server, upstream } = await openMet(t, script)
  const stop = upstream.follow(clientOf('c'), recorder().follower)
  await server.arrived('ping')
  const sent = upstream.send(callOf({ session: clientOf('c') }), called('x'))
  const call = await server.arrived('tools/call')
  call.response.end(`data: {"jsonrpc":"2.0","id":${call.id},"result":{"content":[]}}\n\n`)
  await sent
  assert.deepEqual([call.session, known.size, server.count('GET')], ['s2', 2, 1])
  stop()
})

for (const [status, gets] of [
  [405, 1],
  [403, 1],
  [409, 2],
  [503, 2],
] as const) {
  test(`a stream that is refused with ${status} is asked for ${gets === 1 ? 'once' : 'again'}`, async (t) => {
    const { script } = sessionScript((arrival, n) => (n === 1 ? arrival.reply(status, 'text/plain', '') : void events(arrival)))
    const { server, upstream } = await openMet(t, script)
    const stop = upstream.follow(clientOf('c'), recorder().follower)
    await server.arrived('GET', gets)
    stop()
    assert.equal(server.count('GET'), gets)
  })
}

for (const status of [400, 404, 405, 410])
  test(`a stream that is not taken up from its last event (${status}) is opened without it, as often as that is so`, async (t) => {
    const { script } = sessionScript(({ request, response, reply }, n) => {
      if (request.headers['last-event-id'] !== undefined) return reply(status, 'text/plain', 'Invalid event ID')
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`id: e${n}\ndata: \n\n`)
      if (n < 4) response.end()
    })
    const { server, upstream } = await openMet(t, script)
    const stop = upstream.follow(clientOf('c'), recorder().follower)
    await server.arrived('GET', 3)
    stop()
    const gets = server.arrivals.filter(({ method }) => method === 'GET')
    assert.deepEqual(
      gets.map(({ request, session }) => [request.headers['last-event-id'], session]),
      [
        [undefined, 's2'],
        ['e1', 's2'],
        [undefined, 's2'],
      ],
    )
  })

test('a stream that is followed no more is closed', async (t) => {
  const { script } = sessionScript((arrival) => void events(arrival))
  const { server, upstream } = await openMet(t, script)
  const stop = upstream.follow(clientOf('c'), recorder().follower)
  const { response } = await server.arrived('GET')
  const closed = new Promise((resolve) => response.once('close', resolve))
  stop()
  await closed
})

test('progress on a followed stream reaches its call', async (t) => {
  const { script } = sessionScript((arrival) => void events(arrival))
  const { server, upstream } = await openMet(t, script)
  const session = clientOf('c')
  const stop = upstream.follow(session, recorder().follower)
  const stream = await server.arrived('GET')
  let heard = (_: string) => {}
  const notice = new Promise<string>((resolve) => (heard = resolve))
  const message = messageOf('{"name":"s_x","_meta":{"progressToken":"mine"}}')
  const sent = upstream.send(callOf({ session, message, onNotice: heard }), called('x'))
  const call = await server.arrived('tools/call')
  stream.response.write(`data: ${progressOf(call)}\n\n`)
  assert.equal(JSON.parse(await notice).params.progressToken, 'mine')
  call.response.end(`data: {"jsonrpc":"2.0","id":${call.id},"result":{"content":[]}}\n\n`)
  assert.equal((await sent).answer.kind, 'complete')
  stop()
})

test('of many requests on one stream the newest are waited for; an answer to an older one still reaches the server', async (t) => {
  const ask = (i: number) => `{"jsonrpc":"2.0","id":${i},"method":"roots/list"}`
  const { script } = sessionScript((arrival) => void events(arrival, ...Array.from({ length: 40 }, (_, i) => ask(i))))
  const { server, upstream } = await openMet(t, script)
  const client = clientOf('c', allCapabilities)
  const { follower, until, asks } = recorder()
  const stop = upstream.follow(client, follower)
  await until(40)
  asks[0]?.reply('"result":{}')
  asks[39]?.reply('"result":{}')
  assert.equal((await server.arrived('response')).id, 39)
  upstream.respond(client, '1', '"result":{}')
  assert.equal((await server.arrived('response', 2)).id, 1)
  stop()
})

test('followed streams take no connection from what keeps the server in view', async (t) => {
  const { script } = sessionScript((arrival) => void events(arrival))
  const { server, upstream } = await openMet(t, script)
  const stops = Array.from({ length: 40 }, (_, i) => upstream.follow(clientOf(`c${i}`), recorder().follower))
  await server.arrived('GET', 40)
  assert.equal(await upstream.openSession(clientOf('other')), 's42')
  for (const stop of stops) stop()
})
