import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { openListener } from '../listen/listen.ts'
import { configOf, openGateway } from './open-for-test.ts'
import { openServers } from './transcripts/scripted-server.ts'

const issuer = 'https://id.example'
const audience = 'https://mcp.example'
const { publicKey, privateKey } = await generateKeyPair('ES256')
const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] })

/** A token of somebody, for so many seconds. */
function tokenOf(sub: string, claims: object = {}, seconds = 300): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ sub, iss: issuer, aud: audience, exp: now + seconds, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .sign(privateKey)
}

const digestOf = (key: string) => createHash('sha256').update(key).digest('hex')

/** `all` is for everybody who proves who it is, `sre` for those of that group. */
const document = (url: string, more = '') => `
servers: { a: "${url}/a", b: "${url}/b" }
agents:
  all: { tools: ["*"] }
  sre: { tools: ["a_*"], access: '"sre" in jwt.groups || apiKey.team == "sre"' }
policies:
  authenticate:
    jwt: [{ issuer: ${issuer}, audiences: [${audience}], jwks: { inline: '${jwks}' }, algorithms: [ES256], leeway: 0s }]
    apiKeys: [{ id: ci, sha256: ${digestOf('the-key-of-ci')}, claims: { team: sre } }]
  authorize:
    deny: ['mcp.tool.name == "y" && !("admin" in jwt.groups)', 'has(mcp.tool.arguments.force) && mcp.tool.arguments.force']
${more}`

type Headers = Readonly<Record<string, string>>

async function open(t: TestContext, more = '') {
  const servers = await openServers(['a', 'b'].map((name) => ({ name, kind: 'stateful', offers: new Map([['tools', ['x', 'y']]]) })))
  for (const server of servers.byName.values()) server.isPlaying = false
  const { gateway, port, close } = await openGateway(configOf(document(servers.url, more)), openListener)
  t.after(async () => {
    await close()
    servers.close()
  })
  await gateway.settled()
  const url = `http://127.0.0.1:${port}`
  const post = (path: string, body: unknown, headers: Headers = {}) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
      body: JSON.stringify(body),
    })
  const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } }
  return {
    gateway,
    url,
    post,
    apply: (text: string) => gateway.apply(configOf(document(servers.url, text))),
    /** A legacy client of whoever has these headers. */
    async session(path: string, who: Headers) {
      const reply = await post(path, { jsonrpc: '2.0', id: 0, method: 'initialize', params: initialize }, who)
      assert.equal(reply.status, 200, await reply.clone().text())
      const headers = { ...who, 'mcp-session-id': reply.headers.get('mcp-session-id') ?? assert.fail() }
      const rpc = async (method: string, params: object = {}) => {
        const answer = await post(path, { jsonrpc: '2.0', id: 1, method, params }, headers)
        return { status: answer.status, body: (await answer.json()) as Answer }
      }
      return { headers, rpc }
    },
  }
}

interface Answer {
  readonly result?: { readonly tools?: readonly { readonly name: string }[]; readonly isError?: boolean; readonly content?: unknown }
  readonly error?: { readonly code: number; readonly message: string; readonly data?: { readonly requestId: string } }
}

const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` })
const names = ({ body }: { readonly body: Answer }) => body.result?.tools?.map(({ name }) => name)

test('who proves nothing gets 401 and is told where to log in; who may not use an agent gets 403', async (t) => {
  const { post, url } = await open(t)
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
  const bare = await post('/mcp/sre', ping)
  assert.equal(bare.status, 401)
  const challenge = bare.headers.get('www-authenticate') ?? ''
  const where = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? assert.fail(challenge)
  assert.equal(where, `${url}/.well-known/oauth-protected-resource/mcp/sre`)
  const metadata = (await (await fetch(where, { headers: { origin: 'https://any.example' } })).json()) as Record<string, unknown>
  assert.deepEqual([metadata['resource'], metadata['authorization_servers']], [`${url}/mcp/sre`, [issuer]])
  assert.equal((await fetch(`${url}/.well-known/oauth-protected-resource/mcp/nobody`)).status, 404)

  assert.equal((await post('/mcp/sre', ping, bearer(await tokenOf('eve', { groups: ['dev'] })))).status, 403)
  assert.equal((await post('/mcp/sre', ping, bearer(await tokenOf('eve')))).status, 403)
  assert.equal((await post('/mcp/sre', ping, bearer(await tokenOf('eve', { aud: 'https://other.example', groups: ['sre'] })))).status, 401)
  assert.equal((await post('/mcp/sre', ping, bearer('the-key-of-nobody'))).status, 401)
  assert.equal((await post('/mcp/sre', ping, bearer('the-key-of-ci'))).status, 200)
  assert.equal((await post('/mcp/sre', ping, { 'x-api-key': 'the-key-of-ci' })).status, 200)
})

test('each caller has a view of its own; what rules hide is in neither list nor call, and arguments are judged call by call', async (t) => {
  const { session } = await open(t)
  const [admin, other] = [await tokenOf('ada', { groups: ['admin'] }), await tokenOf('bob', { groups: ['dev'] })]
  const [ofAdmin, ofOther, ofKey] = [
    await session('/mcp/all', bearer(admin)),
    await session('/mcp/all', bearer(other)),
    await session('/mcp/sre', bearer('the-key-of-ci')),
  ]
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(names(await ofAdmin.rpc('tools/list')), ['a_x', 'a_y', 'b_x', 'b_y'])
    assert.deepEqual(names(await ofOther.rpc('tools/list')), ['a_x', 'b_x'])
    // Without a token its groups can't be asked for: that denies.
    assert.deepEqual(names(await ofKey.rpc('tools/list')), ['a_x'])
  }
  assert.equal((await ofOther.rpc('tools/call', { name: 'a_y' })).body.error?.message, 'Unknown tool: a_y')
  assert.equal((await ofAdmin.rpc('tools/call', { name: 'a_y' })).body.error, undefined)
  const { body } = await ofAdmin.rpc('tools/call', { name: 'a_x', arguments: { force: true } })
  assert.ok(body.result?.isError, JSON.stringify(body))
  assert.equal((await ofAdmin.rpc('tools/call', { name: 'a_x', arguments: { force: false } })).body.result?.isError, undefined)
})

test('a session is its caller’s alone', async (t) => {
  const { session, post } = await open(t)
  const ada = await session('/mcp/all', bearer(await tokenOf('ada', { groups: ['admin'] })))
  const asBob = { ...ada.headers, ...bearer(await tokenOf('bob', { groups: ['admin'] })) }
  assert.equal((await post('/mcp/all', { jsonrpc: '2.0', id: 1, method: 'tools/list' }, asBob)).status, 404)
  // A new token of the same caller goes on with it.
  const renewed = { ...ada.headers, ...bearer(await tokenOf('ada', { groups: ['admin'], jti: '2' })) }
  assert.equal((await post('/mcp/all', { jsonrpc: '2.0', id: 1, method: 'tools/list' }, renewed)).status, 200)
})

/** Reads a stream to its end. */
async function ended(reply: Response): Promise<string> {
  assert.equal(reply.status, 200)
  return reply.text()
}

test('a stream ends when its token does', async (t) => {
  const { session, url } = await open(t)
  const { headers } = await session('/mcp/all', bearer(await tokenOf('ada', { groups: [] }, 2)))
  await ended(await fetch(`${url}/mcp/all`, { headers: { ...headers, accept: 'text/event-stream' } }))
  const after = await fetch(`${url}/mcp/all`, { headers: { ...headers, accept: 'text/event-stream' } })
  assert.deepEqual([after.status, after.headers.get('www-authenticate')?.includes('invalid_token')], [401, true])
})

test('who is inside has to come in anew when another proof is asked for, and stays when it is the same', async (t) => {
  const { session, url, apply } = await open(t)
  const { headers } = await session('/mcp/all', bearer('the-key-of-ci'))
  let isOver = false
  const stream = fetch(`${url}/mcp/all`, { headers: { ...headers, accept: 'text/event-stream' } }).then(ended)
  void stream.then(() => {
    isOver = true
  })
  apply('limits: { depth: 63 }')
  const { headers: other } = await session('/mcp/all', bearer('the-key-of-ci'))
  assert.ok(!isOver && other['mcp-session-id'] !== undefined)
  apply('listen: 127.0.0.1:8080\nadmin: { listen: 127.0.0.1:15001 }')
  assert.ok(!isOver)
  apply(
    `routes:\n- { name: closed, policies: { authenticate: { apiKeys: [{ id: x, sha256: ${digestOf('x')} }] } }, rules: [{ matches: [{ path: { type: Exact, value: /mcp/all } }], backends: [{ agent: all }] }] }`,
  )
  await stream
})

test('every message of a batch is recorded, once each, with who it was and what decided', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mcplex-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'audit.jsonl')
  const { post, gateway } = await open(t, `  audit: { sinks: [{ file: "${file}" }] }`)
  const who = bearer(await tokenOf('bob', { groups: ['dev'], act: { sub: 'agent-7' } }))
  const old = { protocolVersion: '2025-03-26', capabilities: {}, clientInfo: { name: 'c', version: '1' } }
  const started = await post('/mcp/all', { jsonrpc: '2.0', id: 0, method: 'initialize', params: old }, who)
  const headers = { ...who, 'mcp-session-id': started.headers.get('mcp-session-id') ?? '' }
  const call = (id: number, name: string, args?: object) => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name, arguments: args },
  })
  await (await post('/mcp/all', [call(1, 'a_x'), call(2, 'a_y'), call(3, 'a_x', { force: true })], headers)).text()
  await (await post('/mcp/all', { jsonrpc: '2.0', id: 1, method: 'ping' })).text()
  gateway.recordEdgeRefusal({
    listener: '127.0.0.1|8080',
    requestId: 'edge-1',
    reason: 'headers-too-large',
    remote: '192.0.2.7',
    status: 431,
  })
  await gateway.close(1000)
  const records = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const sourceAddress = '127.0.0.1'
  const subject = { issuer, subject: 'bob', actors: ['agent-7'], sourceAddress }
  const shown = records.map(({ method, name, outcome, reason, httpStatus, issuer, subject, actors, rule, server, sourceAddress }) =>
    JSON.parse(JSON.stringify({ method, name, outcome, reason, httpStatus, issuer, subject, actors, rule, server, sourceAddress })),
  )
  const [hides, refuses] = ['mcp.tool.name == "y" && !("admin" in jwt.groups)', 'has(mcp.tool.arguments.force) && mcp.tool.arguments.force']
  const at = (index: number) => `policies.authorize.deny[${index}]`
  const ofBatch = { method: 'tools/call', httpStatus: 200, ...subject, server: 'a' }
  assert.deepEqual(shown, [
    { method: 'initialize', outcome: 'ok', httpStatus: 200, ...subject },
    { ...ofBatch, name: 'a_x', outcome: 'ok' },
    { ...ofBatch, name: 'a_y', outcome: 'refused', reason: 'hidden-by-rule', rule: { place: at(0), text: hides } },
    { ...ofBatch, name: 'a_x', outcome: 'refused', reason: 'refused-by-rule', rule: { place: at(1), text: refuses } },
    { method: 'POST', outcome: 'refused', reason: 'unauthenticated', httpStatus: 401, sourceAddress },
    { method: 'unread', outcome: 'refused', reason: 'headers-too-large', httpStatus: 431, sourceAddress: '192.0.2.7' },
  ])
})
