import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Head } from '../../mcp/mcp.ts'
import { createLog, headOf, openIssuer, settingsOf } from './login-for-test.ts'
import { type ChallengeError, challengeHeader, metadataFor } from './metadata.ts'
import type { AuthenticateSettings } from './settings.ts'

const id = 'https://id.example/realms/main'
const at = 'resource_metadata="http://mcp.example.com/.well-known/oauth-protected-resource'
const jwt = settingsOf([id])
const scoped = settingsOf([{ issuer: id, scopes: ['mcp', 'mcp:tools'] }])
const known = settingsOf([id], { resource: 'https://public.example/agents/sre' })
const keysOnly = settingsOf([])
const tls = { tls: { certificate: undefined } }

/** Settings, head, error, the whole header. */
const challenges: readonly (readonly [AuthenticateSettings, Parameters<typeof headOf>[0], ChallengeError, string])[] = [
  [jwt, {}, {}, `Bearer ${at}/mcp"`],
  [jwt, { path: '/mcp/' }, {}, `Bearer ${at}/mcp"`],
  [jwt, { path: '/' }, {}, `Bearer ${at}"`],
  [jwt, { path: '/a"b\\c%20d' }, {}, `Bearer ${at}/a%22b%5Cc%20d"`],
  [jwt, { host: '[::1]:8080' }, {}, 'Bearer resource_metadata="http://[::1]:8080/.well-known/oauth-protected-resource/mcp"'],
  [jwt, tls, {}, `Bearer ${at.replace('http:', 'https:')}/mcp"`],
  [jwt, { headers: { 'x-forwarded-proto': 'HTTPS, http' } }, {}, `Bearer ${at.replace('http:', 'https:')}/mcp"`],
  [jwt, { headers: { 'x-forwarded-proto': 'javascript' } }, {}, `Bearer ${at}/mcp"`],
  [known, { path: '/mcp/sre' }, {}, 'Bearer resource_metadata="https://public.example/.well-known/oauth-protected-resource/mcp/sre"'],
  [scoped, {}, {}, `Bearer ${at}/mcp", scope="mcp mcp:tools"`],
  [scoped, {}, { scopes: [] }, `Bearer ${at}/mcp"`],
  [
    jwt,
    {},
    { error: 'invalid_token', description: 'the token has expired' },
    `Bearer ${at}/mcp", error="invalid_token", error_description="the token has expired"`,
  ],
  [
    scoped,
    {},
    { error: 'insufficient_scope', description: 'scope="x" is\r\nmissing \\ é', scopes: ['mcp:tools'] },
    `Bearer ${at}/mcp", scope="mcp:tools", error="insufficient_scope", error_description="scope='x' is??missing / ?"`,
  ],
  [keysOnly, {}, {}, 'Bearer realm="mcplex"'],
  [keysOnly, tls, { error: 'invalid_token', scopes: ['mcp'] }, 'Bearer realm="mcplex", error="invalid_token"'],
]

for (const [settings, head, error, expected] of challenges)
  test(`a challenge: ${expected}`, () => {
    const header = challengeHeader(settings, headOf(head), error)
    assert.equal(header, expected)
    // Node itself takes it for a header's value.
    assert.doesNotThrow(() => new Headers({ 'www-authenticate': header }))
  })

const resource = '/.well-known/oauth-protected-resource'

async function get(settings: AuthenticateSettings, head: Partial<Head> & { headers?: Record<string, string> } = {}, path = '/mcp') {
  const reply = await metadataFor(settings, { now: Date.now, log: createLog().log })(headOf(head), resource, path)
  assert.ok(reply)
  return { ...reply, document: JSON.parse(reply.body) as unknown }
}

/** Settings, head, path, the document. */
const documents: readonly (readonly [AuthenticateSettings, Parameters<typeof headOf>[0], string, object])[] = [
  [jwt, {}, '/mcp', { resource: 'http://mcp.example.com/mcp', authorization_servers: [id] }],
  [jwt, tls, '/mcp/', { resource: 'https://mcp.example.com/mcp', authorization_servers: [id] }],
  [jwt, {}, '/', { resource: 'http://mcp.example.com', authorization_servers: [id] }],
  [jwt, {}, '', { resource: 'http://mcp.example.com', authorization_servers: [id] }],
  [settingsOf([id, 'https://other.example/', id]), {}, '/mcp', { authorization_servers: [id, 'https://other.example/'] }],
  [known, {}, '/mcp/sre', { resource: 'https://public.example/agents/sre', authorization_servers: [id] }],
  [scoped, {}, '/mcp', { scopes_supported: ['mcp', 'mcp:tools'] }],
  [
    settingsOf([{ issuer: id, scopes: ['mcp'] }], {
      scopesSupported: ['mcp:read', 'offline_access'],
      resourceName: 'Tools',
      resourceDocumentation: 'https://docs.example/tools',
      provider: 'keycloak',
    }),
    {},
    '/mcp',
    {
      authorization_servers: [id],
      scopes_supported: ['mcp:read'],
      resource_name: 'Tools',
      resource_documentation: 'https://docs.example/tools',
    },
  ],
]

for (const [settings, head, path, expected] of documents)
  test(`of the endpoint ${path}: ${JSON.stringify(expected)}`, async () => {
    const { status, headers, document } = await get(settings, head, path)
    assert.equal(status, 200)
    assert.equal(headers['access-control-allow-origin'], '*')
    assert.equal(headers['content-type'], 'application/json')
    assert.match(headers['cache-control'] ?? '', /private, max-age=60/)
    assert.partialDeepStrictEqual(document, { ...expected, bearer_methods_supported: ['header'] })
  })

test('scopes that nobody named are not there', async () => {
  const { document } = await get(settingsOf([id], { scopesSupported: ['offline_access'] }))
  assert.deepEqual(Object.keys(document as object), ['resource', 'authorization_servers', 'bearer_methods_supported'])
})

test('where only keys and certificates count, there is no document', () => {
  const metadata = metadataFor(settingsOf([], { clientId: 'ours', provider: 'keycloak' }), { now: Date.now, log: createLog().log })
  for (const name of ['oauth-protected-resource', 'oauth-authorization-server', 'openid-configuration', 'oauth-client-registration'])
    assert.equal(metadata(headOf(), `/.well-known/${name}`, '/mcp'), undefined)
})

test('other well-known paths are nobody’s, and registration is only there with a client id', () => {
  const metadata = metadataFor(jwt, { now: Date.now, log: createLog().log })
  for (const name of ['oauth-client-registration', 'oauth-protected-resources', 'security.txt', ''])
    assert.equal(metadata(headOf({ method: 'POST' }), `/.well-known/${name}`, '/mcp', '{}'), undefined)
})

/** Method, path, status, `Allow` or methods of the preflight. */
const methods: readonly (readonly [string, string, number, string])[] = [
  ['OPTIONS', resource, 204, 'GET, HEAD, OPTIONS'],
  ['POST', resource, 405, 'GET, HEAD, OPTIONS'],
  ['DELETE', '/.well-known/oauth-authorization-server', 405, 'GET, HEAD, OPTIONS'],
  ['OPTIONS', '/.well-known/openid-configuration', 204, 'GET, HEAD, OPTIONS'],
  ['OPTIONS', '/.well-known/oauth-client-registration', 204, 'POST, OPTIONS'],
  ['GET', '/.well-known/oauth-client-registration', 405, 'POST, OPTIONS'],
]

for (const [method, wanted, status, names] of methods)
  test(`${method} ${wanted}: ${status}`, async () => {
    const metadata = metadataFor(settingsOf([id], { clientId: 'ours' }), { now: Date.now, log: createLog().log })
    const reply = await metadata(headOf({ method }), wanted, '/mcp')
    assert.equal(reply?.status, status)
    assert.equal(reply?.headers['access-control-allow-origin'], '*')
    assert.equal(reply?.headers[status === 204 ? 'access-control-allow-methods' : 'allow'], names)
    if (status === 204) assert.match(reply?.headers['access-control-allow-headers'] ?? '', /MCP-Protocol-Version/)
  })

test('a provider that registers nobody is warned of where no client id is given', () => {
  const warned = (mcp: Parameters<typeof settingsOf>[1]) => {
    const { log, lines } = createLog()
    metadataFor(settingsOf([id], mcp), { now: Date.now, log })
    return lines.length
  }
  assert.equal(warned({ provider: 'entra' }), 1)
  assert.equal(warned({ provider: 'entra', clientId: 'ours' }), 0)
  assert.equal(warned({ provider: 'keycloak' }), 0)
})

test('an issuer that can’t be asked: 503 for its metadata, and the endpoint’s own all the same', async (t) => {
  const issuer = await openIssuer(t)
  issuer.act = (_, response) => response.destroy()
  const metadata = metadataFor(settingsOf([issuer.issuer], { clientId: 'ours' }), { now: () => 0, log: createLog().log })
  const server = await metadata(headOf(), '/.well-known/oauth-authorization-server', '/mcp')
  assert.equal(server?.status, 503)
  assert.equal(server?.headers['cache-control'], 'no-store')
  assert.match(server?.body ?? '', /temporarily_unavailable/)
  const own = await metadata(headOf(), resource, '/mcp')
  assert.deepEqual(JSON.parse(own?.body ?? '').authorization_servers, ['http://mcp.example.com/mcp'])
})

test('an issuer whose endpoints are of another origin is named itself, client id or not, and that is logged once', async (t) => {
  const issuer = await openIssuer(t)
  issuer.metadata = { token_endpoint: 'https://evil.example/token' }
  const { log, lines } = createLog()
  const metadata = metadataFor(settingsOf([issuer.issuer], { clientId: 'ours' }), { now: () => 0, log })
  for (let i = 0; i < 3; i++) {
    const own = await metadata(headOf(), resource, '/mcp')
    assert.deepEqual(JSON.parse(own?.body ?? '').authorization_servers, [issuer.issuer])
  }
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /another origin/)
})

test('a registration takes no more of the caller than its body', async (t) => {
  const issuer = await openIssuer(t)
  const metadata = metadataFor(settingsOf([issuer.issuer], { clientId: 'ours' }), { now: () => 0, log: createLog().log })
  const register = (body?: string) => metadata(headOf({ method: 'POST' }), '/.well-known/oauth-client-registration', '/mcp', body)
  const reply = await register('{"redirect_uris":["https://app.example/cb"]}')
  assert.equal(reply?.status, 201)
  assert.equal(reply?.headers['cache-control'], 'no-store')
  assert.equal(JSON.parse(reply?.body ?? '').client_id, 'ours')
  assert.equal((await register())?.status, 400)
  assert.deepEqual(issuer.seen, [])
})
