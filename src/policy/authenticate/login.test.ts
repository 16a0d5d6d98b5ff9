import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import * as second from '@modelcontextprotocol/client'
import * as first from '@modelcontextprotocol/sdk/client/auth.js'
import { createLog, openEndpoint, openIssuer, settingsOf } from './login-for-test.ts'
import type { McpSettings } from './settings.ts'

/** The TypeScript SDK's own OAuth clients, as they are, against what we give out; the authorization server is a small one on loopback. */
const sdks = { 'SDK 1': first, 'SDK 2': second } as const
type SdkName = keyof typeof sdks
const names = Object.keys(sdks) as readonly SdkName[]

const redirectUrl = 'http://localhost:6274/oauth/callback'
const clientMetadata = { redirect_uris: [redirectUrl], client_name: 'test', token_endpoint_auth_method: 'none' }

interface Login {
  /** Of the authorization server that the client chose. */
  readonly issuer: string
  readonly authorizationUrl: URL
  readonly token: string
}

/** What a client does that knows nothing but the endpoint's URL, from the 401 to the token. */
async function login(name: SdkName, endpoint: string, own?: { readonly client_id: string; readonly issuer: string }): Promise<Login> {
  const saved: { client?: unknown; tokens?: unknown; state?: unknown; url?: URL; verifier?: string } = {}
  if (own !== undefined) saved.client = own
  const provider = {
    redirectUrl,
    clientMetadata,
    clientInformation: () => saved.client as never,
    saveClientInformation(client: unknown) {
      saved.client = client
    },
    tokens: () => undefined,
    saveTokens(tokens: unknown) {
      saved.tokens = tokens
    },
    redirectToAuthorization(url: URL) {
      saved.url = url
    },
    saveCodeVerifier(verifier: string) {
      saved.verifier = verifier
    },
    codeVerifier: () => saved.verifier ?? '',
    discoveryState: () => saved.state as never,
    saveDiscoveryState(state: unknown) {
      saved.state = state
    },
  }
  const challenge = await fetch(endpoint, { method: 'POST' })
  const { resourceMetadataUrl, scope } = sdks[name].extractWWWAuthenticateParams(challenge)
  const known = { serverUrl: endpoint, ...(resourceMetadataUrl && { resourceMetadataUrl }), ...(scope && { scope }) }
  assert.ok(resourceMetadataUrl, 'the challenge leads to the metadata')
  assert.equal(await sdks[name].auth(provider, known), 'REDIRECT')
  const { url: authorizationUrl } = saved
  assert.ok(authorizationUrl)
  const redirect = await fetch(authorizationUrl, { redirect: 'manual' })
  const back = new URL(redirect.headers.get('location') ?? '').searchParams
  const iss = back.get('iss')
  const answer = { ...known, authorizationCode: back.get('code') ?? '', ...(name === 'SDK 2' && iss !== null ? { iss } : {}) }
  assert.equal(await sdks[name].auth(provider, answer), 'AUTHORIZED')
  const state = saved.state as { readonly authorizationServerMetadata: { readonly issuer: string } }
  const tokens = saved.tokens as { readonly access_token: string }
  return { issuer: state.authorizationServerMetadata.issuer, authorizationUrl, token: tokens.access_token }
}

async function open(t: TestContext, mcp: Partial<McpSettings> | undefined, sendsIss: boolean) {
  const issuer = await openIssuer(t)
  issuer.sendsIss = sendsIss
  const { log, lines } = createLog()
  const endpoint = await openEndpoint(t, settingsOf([{ issuer: issuer.issuer, scopes: ['mcp'] }], mcp), log)
  return { issuer, endpoint, lines }
}

/** Settings, whether the issuer sends `iss`, who the client takes for the authorization server, and the client that it logs in as. */
const logins: readonly (readonly [Partial<McpSettings> | undefined, boolean, 'issuer' | 'endpoint', string])[] = [
  [undefined, false, 'issuer', 'registered'],
  [undefined, true, 'issuer', 'registered'],
  [{ provider: 'keycloak' }, true, 'issuer', 'registered'],
  [{ provider: 'auth0' }, false, 'endpoint', 'registered'],
  [{ provider: 'auth0' }, true, 'issuer', 'registered'],
  [{ provider: 'entra' }, false, 'endpoint', 'registered'],
  [{ clientId: 'ours' }, false, 'endpoint', 'ours'],
  [{ provider: 'keycloak', clientId: 'ours' }, false, 'endpoint', 'ours'],
]

for (const name of names)
  for (const [mcp, sendsIss, who, client] of logins)
    test(`${name}: ${JSON.stringify(mcp ?? {})}, an issuer that ${sendsIss ? 'sends iss' : 'does not'}: a login as ${client}`, async (t) => {
      const { issuer, endpoint } = await open(t, mcp, sendsIss)
      const { authorizationUrl, ...result } = await login(name, endpoint)
      assert.equal(result.issuer, who === 'issuer' ? issuer.issuer : endpoint)
      assert.equal(result.token, `token of ${client}`)
      assert.equal(authorizationUrl.origin, issuer.origin)
      assert.equal(authorizationUrl.searchParams.get('resource'), endpoint)
      assert.equal(authorizationUrl.searchParams.get('scope'), 'mcp')
      assert.equal(authorizationUrl.searchParams.get('code_challenge_method'), 'S256')
      const isHelped = mcp?.provider === 'auth0' && who === 'endpoint'
      assert.equal(authorizationUrl.searchParams.get('audience'), isHelped ? 'https://mcp.example.com/mcp' : null)
      assert.equal(issuer.seen.includes('POST /realms/main/register'), client === 'registered')
    })

for (const name of names)
  test(`${name}: a client that has an id of its own registers nowhere`, async (t) => {
    const { issuer, endpoint } = await open(t, { provider: 'keycloak' }, true)
    const own = { client_id: 'mine', issuer: issuer.issuer }
    assert.equal((await login(name, endpoint, own)).token, 'token of mine')
    assert.equal(issuer.seen.includes('POST /realms/main/register'), false)
  })

test('a client id beside an issuer that sends `iss`: SDK 1 logs in, SDK 2 refuses, and the log has said so', async (t) => {
  const { endpoint, lines } = await open(t, { provider: 'keycloak', clientId: 'ours' }, true)
  assert.equal((await login('SDK 1', endpoint)).token, 'token of ours')
  await assert.rejects(login('SDK 2', endpoint), second.IssuerMismatchError)
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /no `iss`/)
})

test('SDK 2 refuses a stand-in under the issuer’s own name, which is why it has the endpoint’s', async (t) => {
  const { issuer, endpoint } = await open(t, undefined, false)
  await assert.rejects(second.discoverAuthorizationServerMetadata(endpoint), second.IssuerMismatchError)
  assert.equal((await first.discoverAuthorizationServerMetadata(endpoint))?.issuer, issuer.issuer)
})

for (const name of names) {
  test(`${name}: the endpoint's metadata is found without a challenge too, and is whole`, async (t) => {
    const { issuer, endpoint } = await open(t, { scopesSupported: ['mcp', 'offline_access'], resourceName: 'Tools' }, false)
    assert.deepEqual(await sdks[name].discoverOAuthProtectedResourceMetadata(endpoint), {
      resource: endpoint,
      authorization_servers: [issuer.issuer],
      scopes_supported: ['mcp'],
      bearer_methods_supported: ['header'],
      resource_name: 'Tools',
    })
  })

  test(`${name}: registration by hand`, async (t) => {
    const { endpoint } = await open(t, { clientId: 'ours' }, false)
    const metadata = await sdks[name].discoverAuthorizationServerMetadata(endpoint)
    assert.ok(metadata)
    const registered = await sdks[name].registerClient(endpoint, { metadata: metadata as never, clientMetadata })
    assert.equal(registered.client_id, 'ours')
    assert.equal(registered.client_secret, undefined)
    const bad = { ...clientMetadata, redirect_uris: ['http://evil.example/'] }
    await assert.rejects(sdks[name].registerClient(endpoint, { metadata: metadata as never, clientMetadata: bad }), (error: Error) =>
      /invalid_redirect_uri|a redirect is an https URL/.test(`${error.message} ${JSON.stringify(error)}`),
    )
  })
}

test('a client of 2025-03-26 finds the authorization server at the root of the endpoint’s origin', async (t) => {
  const { issuer, endpoint } = await open(t, undefined, false)
  const found = await first.discoverOAuthMetadata(new URL('/', endpoint))
  assert.equal(found?.token_endpoint, `${issuer.issuer}/token`)
})

test('a client of 2025-03-26 is helped at the root as well', async (t) => {
  const { endpoint } = await open(t, { clientId: 'ours' }, false)
  const root = new URL('/', endpoint)
  const metadata = await second.discoverAuthorizationServerMetadata(root)
  assert.equal(metadata?.issuer, root.origin)
  assert.equal((await second.registerClient(root, { metadata: metadata as never, clientMetadata })).client_id, 'ours')
})
