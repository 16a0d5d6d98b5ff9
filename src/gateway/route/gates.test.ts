import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { openListener } from '../../listen/listen.ts'
import { configOf, openGateway } from '../open-for-test.ts'
import { openServers } from '../transcripts/scripted-server.ts'

const digestOf = (key: string) => createHash('sha256').update(key).digest('hex')

async function open(t: TestContext, document: (url: string) => string) {
  const servers = await openServers([
    {
      name: 'a',
      kind: 'stateful',
      offers: new Map([
        ['tools', ['x', 'y']],
        ['resources', ['r:1']],
        ['capabilities', ['{"resources":{"subscribe":true}}']],
      ]),
    },
  ])
  for (const server of servers.byName.values()) server.isPlaying = false
  const { gateway, port, close } = await openGateway(configOf(document(servers.url)), openListener)
  t.after(async () => {
    await close()
    servers.close()
  })
  await gateway.settled()
  const url = `http://127.0.0.1:${port}/mcp`
  const post = (body: object, headers: Readonly<Record<string, string>>) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }),
    })
  return {
    gateway,
    post,
    servers,
    apply: (text: string) => gateway.apply(configOf(text)),
    url: servers.url,
    /** A legacy client with an open stream. */
    async stream(headers: Readonly<Record<string, string>>) {
      const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } }
      const started = await post({ method: 'initialize', params }, headers)
      assert.equal(started.status, 200, await started.clone().text())
      const session = { ...headers, 'mcp-session-id': started.headers.get('mcp-session-id') ?? '' }
      const gone = new AbortController()
      t.after(() => gone.abort())
      const reply = await fetch(url, { headers: { ...session, accept: 'text/event-stream' }, signal: gone.signal })
      assert.equal(reply.status, 200)
      const over = { isSo: false }
      const end = reply.text().then(
        () => {
          over.isSo = true
        },
        () => {},
      )
      return { session, over, end }
    },
  }
}

const byTeam = (access: string) => (url: string) =>
  `
servers: { a: "${url}/a" }
agents: { one: { path: /mcp, tools: ["*"], resources: ["*"], access: '${access}' } }
`

test('what somebody opened is judged by that request’s own head, whoever came first', async (t) => {
  const any = byTeam('request.headers["team"] in ["red", "blue"]')
  const { stream, apply, url } = await open(t, any)
  const red = await stream({ team: 'red' })
  const blue = await stream({ team: 'blue' })
  apply(byTeam('request.headers["team"] == "red"')(url))
  await blue.end
  assert.deepEqual([red.over.isSo, blue.over.isSo], [false, true])
})

test('an agent with `access` alone keeps its clients’ streams when something else changes', async (t) => {
  const document = byTeam('request.headers["team"] == "red"')
  const { stream, apply, url, servers, post } = await open(t, document)
  const red = await stream({ team: 'red' })
  servers.byName.get('a')?.change('tools', ['x', 'y', 'z'])
  apply(`${document(url)}limits: { depth: 60 }\n`)
  const reply = await post({ method: 'resources/subscribe', params: { uri: 'a+r:1' } }, red.session)
  assert.deepEqual([((await reply.json()) as { error?: unknown }).error, red.over.isSo], [undefined, false])
})

const byKey = (key: string) => (url: string) =>
  `
servers: { a: "${url}/a" }
policies: { authenticate: { apiKeys: [{ id: ci, sha256: ${digestOf(key)} }] } }
`

test('a reload that fails closes what it has opened, and one that works what is no longer asked for', async (t) => {
  const { gateway, apply, url, post } = await open(t, byKey('one'))
  const ping = async (key: string) => (await post({ method: 'ping' }, { 'x-api-key': key })).status
  assert.deepEqual([await ping('one'), await ping('two')], [200, 401])
  const bad = configOf(byKey('two')(url))
  const throwing = {
    ...bad,
    get routes(): never {
      throw new Error('gone')
    },
  }
  assert.throws(() => gateway.apply(throwing), /gone/)
  assert.deepEqual([await ping('one'), await ping('two')], [200, 401])
  apply(byKey('two')(url))
  assert.deepEqual([await ping('one'), await ping('two')], [401, 200])
})

test('a request whose body comes after the configuration has changed is judged by the new one', async (t) => {
  const { apply, url, post, gateway } = await open(t, byKey('one'))
  assert.equal((await post({ method: 'ping' }, { 'x-api-key': 'one' })).status, 200)
  const { listeners } = gateway.config()
  assert.equal(listeners.length, 1)
  let send = (_text: string | undefined) => {}
  const body = new ReadableStream({
    start(controller) {
      send = (text) => (text === undefined ? controller.close() : controller.enqueue(new TextEncoder().encode(text)))
    },
  })
  const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
  const port = Number(new URL((await post({ method: 'ping' }, {})).url).port)
  const late = fetch(`http://127.0.0.1:${port}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'x-api-key': 'one' },
    body,
    duplex: 'half',
  } as RequestInit)
  send(text.slice(0, 10))
  // The head has been taken when another request behind it has been answered.
  for (let i = 0; i < 20; i++) await (await post({ method: 'ping' }, { 'x-api-key': 'one' })).text()
  apply(byKey('two')(url))
  send(text.slice(10))
  send(undefined)
  assert.equal((await late).status, 401)
})
