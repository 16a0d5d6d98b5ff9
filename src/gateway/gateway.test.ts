import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { type TestContext, test } from 'node:test'
import type { Config } from '../config/config.ts'
import { openListener } from '../listen/listen.ts'
import { type Arrival, openScripted, type Script } from '../upstream/open-for-test.ts'
import { configOf, openGateway } from './open-for-test.ts'

const configFor = (document: object): Config => configOf(JSON.stringify(document))

async function open(t: TestContext, document: object) {
  const { gateway, port, close } = await openGateway(configFor(document), openListener)
  t.after(close)
  const send = async (method: string, body = '', headers: Readonly<Record<string, string>> = {}): Promise<IncomingMessage> => {
    const type: Record<string, string> = method === 'POST' ? { 'content-type': 'application/json' } : {}
    const sent = request({ port, host: '127.0.0.1', method, path: '/mcp', headers: { ...type, ...headers } }).end(body)
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    return response.setEncoding('utf8')
  }
  const ask = async (body: object, headers?: Readonly<Record<string, string>>): Promise<Record<string, unknown>> =>
    JSON.parse((await (await send('POST', JSON.stringify(body), headers)).toArray()).join('') || '{}')
  const session = async (): Promise<string> => {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } }
    const response = await send('POST', JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }))
    response.resume()
    return String(response.headers['mcp-session-id'])
  }
  return { gateway, send, ask, session, port }
}

async function scripted(t: TestContext, script: Script = {}) {
  const server = await openScripted(script)
  t.after(() => server.close())
  return server
}

const envelope = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }

const call = (id: unknown, name: string, more: object = {}) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, ...more } })

test('two hundred callers with the same id get each their own answer, in whatever order the server gives them', async (t) => {
  const held: Arrival[] = []
  const server = await scripted(t, {
    'tools/call'(arrival) {
      held.push(arrival)
      if (held.length < 200) return
      for (const one of held.toReversed())
        one.result({ content: [{ type: 'text', text: String((one.params['arguments'] as { who: number }).who) }] })
    },
  })
  const { gateway, ask } = await open(t, { servers: { s: server.url } })
  await gateway.settled()
  const answers = await Promise.all(Array.from({ length: 200 }, (_, who) => ask(call(1, 's_x', { arguments: { who } }))))
  assert.deepEqual(
    answers,
    answers.map((_, who) => ({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: String(who) }] } })),
  )
  assert.equal(new Set(held.map((one) => one.id)).size, 200)
})

test('a cancellation reaches the call of its own session only', async (t) => {
  const server = await scripted(t, { 'tools/call': () => {} })
  const { gateway, send, ask, session } = await open(t, { servers: { s: server.url } })
  await gateway.settled()
  const [mine, other] = [await session(), await session()]
  const cancelled = send('POST', JSON.stringify(call(7, 's_x')), { 'mcp-session-id': mine })
  const first = await server.arrived('tools/call')
  const kept = ask(call(7, 's_x'), { 'mcp-session-id': other })
  const second = await server.arrived('tools/call', 2)
  for (const requestId of ['7', 8])
    await ask({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } }, { 'mcp-session-id': mine })
  await ask({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } })
  assert.equal(server.count('notifications/cancelled'), 0)
  await ask({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } }, { 'mcp-session-id': mine })
  assert.equal((await server.arrived('notifications/cancelled')).params['requestId'], first.id)
  assert.deepEqual(await (await cancelled).toArray(), [])
  second.result({ content: [] })
  assert.deepEqual((await kept)['result'], { content: [] })
})

test('a modern client that goes away has cancelled; a legacy one has not', async (t) => {
  const server = await scripted(t, { 'tools/call': () => {} })
  const { gateway, port } = await open(t, { servers: { s: server.url } })
  await gateway.settled()
  const leave = async (body: object, headers: Readonly<Record<string, string>>, n: number) => {
    const sent = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/mcp',
      headers: { 'content-type': 'application/json', ...headers },
    })
    sent.on('error', () => {}).end(JSON.stringify(body))
    const arrival = await server.arrived('tools/call', n)
    sent.destroy()
    return arrival
  }
  await leave(call(1, 's_x'), {}, 1)
  const modern = await leave(
    call(1, 's_x', { _meta: envelope }),
    { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 's_x' },
    2,
  )
  assert.equal((await server.arrived('notifications/cancelled')).params['requestId'], modern.id)
  assert.equal(server.count('notifications/cancelled'), 1)
})

for (const era of ['legacy', 'modern'])
  test(`the bound on streams holds also for those of ${era} clients that come before the servers are known`, async (t) => {
    const late: Arrival[] = []
    const server = await scripted(t, { 'tools/list': (arrival) => void late.push(arrival) })
    const limits = { streamsPerCaller: 2 }
    const { gateway, send, session } = await open(t, { servers: { a: (await scripted(t)).url }, limits })
    const id = await session()
    gateway.apply(configFor({ servers: { b: server.url }, limits }))
    await server.arrived('tools/list')
    const params = { notifications: { toolsListChanged: true }, _meta: envelope }
    const listen = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params })
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' }
    const opened = Array.from({ length: 5 }, () =>
      era === 'legacy' ? send('GET', '', { 'mcp-session-id': id, accept: 'text/event-stream' }) : send('POST', listen, headers),
    )
    // A request on a connection of its own that is answered shows that the five before it have been read.
    ;(await send('GET', '')).resume()
    for (const arrival of late) arrival.result({ tools: [] })
    const replies = await Promise.all(opened)
    assert.deepEqual(replies.map((reply) => reply.statusCode).toSorted(), [200, 200, 429, 429, 429])
    for (const reply of replies) reply.on('error', () => {}).destroy()
  })

test('a new configuration keeps the servers that it does not change, and tells of the change', async (t) => {
  const [a, b] = [await scripted(t), await scripted(t)]
  const { gateway, send, ask, session } = await open(t, { servers: { a: a.url } })
  await gateway.settled()
  const names = async () =>
    ((await ask({ jsonrpc: '2.0', id: 1, method: 'tools/list' }))['result'] as { tools: { name: string }[] }).tools.map((tool) => tool.name)
  assert.deepEqual(await names(), ['a_x'])
  const stream = await send('GET', '', { 'mcp-session-id': await session(), accept: 'text/event-stream' })
  gateway.apply(configFor({ servers: { a: a.url, b: b.url } }))
  await gateway.settled()
  assert.deepEqual(await names(), ['a_x', 'b_x'])
  let heard = ''
  for await (const chunk of stream) {
    heard += chunk
    if (heard.includes('list_changed')) break
  }
  assert.equal(a.count('server/discover'), 1)
  gateway.apply(configFor({ servers: { b: b.url } }))
  assert.deepEqual(await names(), ['b_x'])
  assert.deepEqual([a.count('server/discover'), b.count('server/discover')], [1, 1])
  assert.deepEqual(
    gateway.status().servers.map((server) => server.name),
    ['b'],
  )
})

test('a call in flight on a server that is no longer configured finishes', async (t) => {
  const [a, b] = [await scripted(t, { 'tools/call': () => {} }), await scripted(t)]
  const { gateway, ask } = await open(t, { servers: { a: a.url } })
  await gateway.settled()
  const sent = ask(call(1, 'a_x'))
  const arrival = await a.arrived('tools/call')
  gateway.apply(configFor({ servers: { b: b.url } }))
  arrival.result({ content: [] })
  assert.deepEqual((await sent)['result'], { content: [] })
  assert.match(JSON.stringify(await ask(call(2, 'a_x'))), /Unknown tool: a_x/)
})

test('readiness: starting, ready, degraded by name, draining', async (t) => {
  const held: Arrival[] = []
  const server = await scripted(t, { 'server/discover': (arrival) => void held.push(arrival) })
  const { gateway } = await open(t, { servers: { s: server.url, gone: 'http://127.0.0.1:1/mcp' } })
  await server.arrived('server/discover')
  assert.deepEqual([gateway.readiness().isReady, gateway.readiness().reasons], [false, ['starting']])
  held[0]?.reply(404, 'text/plain', '')
  await gateway.settled()
  const { isReady, degraded } = gateway.readiness()
  assert.equal(isReady, true)
  assert.match(degraded.join(), /^default\/gone: can't be reached/)
  gateway.becomeUnready()
  assert.deepEqual([gateway.readiness().isReady, gateway.readiness().reasons], [false, ['draining']])
})

test('listeners of one socket are told apart by their hostnames; off loopback these are the only names, and no page is let in', async (t) => {
  const server = await scripted(t)
  const socket = { address: '0.0.0.0', port: 8080, protocol: 'HTTP', insecure: true }
  const { gateway, send } = await open(t, {
    listeners: [
      { name: 'wide', hostname: '*.example.com', ...socket },
      { name: 'own', hostname: 'mcp.example.com', ...socket },
    ],
    backends: { one: { servers: { s: { http: { url: server.url } } } } },
    routes: [{ name: 'r', listeners: ['own'], hostnames: ['mcp.example.com'], rules: [{ backends: [{ backend: 'one' }] }] }],
  })
  await gateway.settled()
  const ping = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
  for (const [headers, status] of [
    [{ host: 'mcp.example.com' }, 200],
    [{ host: 'MCP.Example.com:8080' }, 200],
    [{ host: 'other.example.com' }, 404],
    [{ host: 'example.com' }, 404],
    [{ host: 'localhost' }, 404],
    [{ host: 'mcp.example.com', origin: 'http://mcp.example.com' }, 403],
    [{ host: 'mcp.example.com', origin: 'http://localhost:1' }, 403],
  ] as const) {
    const reply = await send('POST', ping, headers)
    assert.equal(reply.statusCode, status, JSON.stringify(headers))
    const body = (await reply.toArray()).join('')
    if (status === 404) assert.doesNotMatch(body, /there is/)
  }
})

test('a route’s time-out is tighter than the server’s', async (t) => {
  const server = await scripted(t, { 'tools/call': () => {} })
  const { gateway, ask } = await open(t, {
    listeners: [{ name: 'http', port: 8080 }],
    backends: { one: { servers: { s: { http: { url: server.url } } } } },
    routes: [{ name: 'r', rules: [{ backends: [{ backend: 'one' }], timeouts: { request: '200ms' } }] }],
  })
  await gateway.settled()
  assert.match(JSON.stringify(await ask(call(1, 's_x'))), /did not answer within 200 ms/)
})

test('static headers reach their server, and only it; a caller’s credentials reach none', async (t) => {
  const [a, b] = [await scripted(t), await scripted(t)]
  const credentials = { header: { Authorization: 'Bearer own', 'X-Key': 'k' } }
  const { gateway, ask } = await open(t, { servers: { a: { http: { url: a.url }, credentials }, b: b.url } })
  await gateway.settled()
  const sent = { authorization: 'Bearer caller', cookie: 'c=1', 'x-key': 'caller', 'x-forwarded-for': '1.2.3.4' }
  await ask(call(1, 'a_x'), sent)
  await ask(call(1, 'b_x'), sent)
  const seen = [a, b].map((server) =>
    server.arrivals.map(({ request: { headers } }) => [headers.authorization, headers['x-key'], headers.cookie]),
  )
  assert.ok(
    seen[0]?.every((one) => one.join() === 'Bearer own,k,'),
    JSON.stringify(seen[0]),
  )
  assert.ok(
    seen[1]?.every((one) => one.join() === ',,'),
    JSON.stringify(seen[1]),
  )
})

test('a server that is down fails its own calls, by name, and nobody else’s', async (t) => {
  const [a, b] = [await scripted(t), await scripted(t)]
  const { gateway, ask } = await open(t, { servers: { a: a.url, b: b.url } })
  await gateway.settled()
  a.close()
  const failed = (await ask(call(1, 'a_x')))['result'] as { isError: boolean; content: { text: string }[] }
  const texts = JSON.stringify(failed)
  assert.ok(failed.isError && failed.content[0]?.text.startsWith("a can't be reached: "), texts)
  // Where it is, and what can be done, is for operators.
  assert.doesNotMatch(texts, /127\.0\.0\.1|start the server/)
  assert.match(gateway.status().servers[0]?.remedy ?? '', /127\.0\.0\.1:\d+: start the server/)
  assert.deepEqual((await ask(call(2, 'b_x')))['result'], { content: [] })
  const list = (await ask({ jsonrpc: '2.0', id: 3, method: 'tools/list' }))['result'] as { tools: { name: string }[] }
  assert.deepEqual(
    list.tools.map((tool) => tool.name),
    ['a_x', 'b_x'],
  )
})
