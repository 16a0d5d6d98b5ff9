import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adaptedMetadata, audienceFor, hindrance, standInOf } from './authorization-server.ts'
import type { IssuerMetadata } from './issuer-metadata.ts'
import { settingsOf } from './login-for-test.ts'
import { providers } from './providers.ts'
import type { McpSettings, ProviderName } from './settings.ts'

const metadata: IssuerMetadata = {
  issuer: 'https://id.example/',
  authorization_endpoint: 'https://id.example/authorize?tenant=1',
  token_endpoint: 'https://id.example/token',
  registration_endpoint: 'https://id.example/register',
  response_types_supported: ['code'],
  dpop_signing_alg_values_supported: ['ES256'],
}
const own = 'https://mcp.example.com/mcp'
const registrationUrl = 'https://mcp.example.com/.well-known/oauth-client-registration/mcp'

function adapted(mcp: Partial<McpSettings>, from: IssuerMetadata = metadata) {
  const standIn = standInOf(settingsOf([], mcp).mcp)
  assert.ok(standIn)
  return adaptedMetadata(standIn, from, { own, registrationUrl, audience: own })
}

/** Provider, whether its row alone makes the endpoint stand in, and what differs from the issuer's metadata then. */
const rows: readonly (readonly [ProviderName, object | undefined])[] = [
  ['keycloak', undefined],
  ['okta', undefined],
  ['descope', undefined],
  ['authentik', undefined],
  ['auth0', { authorization_endpoint: `https://id.example/authorize?tenant=1&audience=${encodeURIComponent(own)}` }],
  ['entra', { code_challenge_methods_supported: ['S256'] }],
]

for (const [provider, changes] of rows)
  test(`${provider}: ${changes === undefined ? 'clients manage with the issuer alone' : JSON.stringify(changes)}`, () => {
    if (changes === undefined) assert.equal(standInOf(settingsOf([], { provider }).mcp), undefined)
    else assert.deepEqual(adapted({ provider }), { ...metadata, issuer: own, ...changes })
  })

test('each provider has its row in the table above', () => {
  assert.deepEqual(rows.map(([name]) => name).toSorted(), Object.keys(providers).toSorted())
})

test('without provider and client id nobody stands in', () => {
  assert.equal(standInOf(undefined), undefined)
  assert.equal(standInOf(settingsOf([], { resource: own }).mcp), undefined)
})

for (const provider of [undefined, ...rows.map(([name]) => name)])
  test(`a client id (${provider ?? 'any provider'}): registration is here, for a public client`, () => {
    const from = {
      ...metadata,
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'none'],
      client_id_metadata_document_supported: true,
      authorization_response_iss_parameter_supported: true,
      signed_metadata: 'e30.e30.e30',
    }
    const result = adapted({ provider, clientId: 'ours' }, from)
    assert.equal(result['issuer'], own)
    assert.equal(result['registration_endpoint'], registrationUrl)
    assert.deepEqual(result['token_endpoint_auth_methods_supported'], ['none', 'client_secret_basic'])
    assert.equal(result['token_endpoint'], metadata.token_endpoint)
    for (const gone of ['client_id_metadata_document_supported', 'authorization_response_iss_parameter_supported', 'signed_metadata'])
      assert.equal(gone in result, false, gone)
    assert.deepEqual(result['dpop_signing_alg_values_supported'], ['ES256'])
  })

test('PKCE is filled in only where nothing is said', () => {
  const said = { ...metadata, code_challenge_methods_supported: ['plain'] }
  assert.deepEqual(adapted({ provider: 'entra' }, said)['code_challenge_methods_supported'], ['plain'])
  assert.equal('code_challenge_methods_supported' in adapted({ provider: 'auth0' }), false)
})

test('a registration endpoint of another origin is not passed on', () => {
  for (const registration_endpoint of ['https://evil.example/register', 'http://id.example/register', 'javascript:x', 7])
    assert.equal('registration_endpoint' in adapted({ provider: 'entra' }, { ...metadata, registration_endpoint }), false)
})

/** Changes to the metadata, whether there is a client id, why the issuer is named itself. */
const hindrances: readonly (readonly [object, string | undefined, RegExp | undefined])[] = [
  [{}, undefined, undefined],
  [{}, 'ours', undefined],
  [{ authorization_endpoint: 'https://evil.example/authorize' }, 'ours', /another origin/],
  [{ token_endpoint: 'http://id.example/token' }, 'ours', /another origin/],
  [{ token_endpoint: 'https://id.example:8443/token' }, undefined, /another origin/],
  [{ authorization_response_iss_parameter_supported: true }, undefined, /RFC 9207/],
  [{ authorization_response_iss_parameter_supported: 'true' }, undefined, undefined],
  [{ authorization_response_iss_parameter_supported: true }, 'ours', undefined],
]

for (const [changes, clientId, why] of hindrances)
  test(`${JSON.stringify(changes)} ${clientId === undefined ? 'without' : 'with'} a client id: ${why ?? 'may be stood in for'}`, () => {
    const found = hindrance({ provider: undefined, clientId }, { ...metadata, ...changes })
    if (why === undefined) assert.equal(found, undefined)
    else assert.match(found ?? '', why)
  })

test('the audience asked for is the endpoint where tokens may be for it, else the first that is taken', () => {
  assert.equal(audienceFor(['https://api.example', own], own), own)
  assert.equal(audienceFor(['https://api.example', 'https://b.example'], own), 'https://api.example')
})
