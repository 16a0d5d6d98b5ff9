import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { maxRegistrationBytes, registerClient } from './client-registration.ts'

const ask = (members: object) =>
  registerClient(JSON.stringify({ redirect_uris: ['http://localhost:6274/oauth/callback'], ...members }), 'ours')

test('whoever registers is given the one public client, and its own redirects back', () => {
  const reply = ask({
    redirect_uris: ['https://app.example/cb', 'cursor://anysphere.cursor-mcp/cb', 'http://127.0.0.1:33418'],
    client_name: 'Inspector',
    client_id: 'mine',
    client_secret: 'mine too',
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    response_types: ['code'],
    scope: 'mcp offline_access',
    application_type: 'native',
    jwks_uri: 'http://169.254.169.254/',
  })
  assert.deepEqual(reply, {
    status: 201,
    body: {
      client_id: 'ours',
      redirect_uris: ['https://app.example/cb', 'cursor://anysphere.cursor-mcp/cb', 'http://127.0.0.1:33418'],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      client_name: 'Inspector',
      scope: 'mcp offline_access',
      application_type: 'native',
    },
  })
})

test('what is not asked for has the defaults of RFC 7591', () => {
  const { body } = ask({})
  assert.deepEqual(body['grant_types'], ['authorization_code'])
  assert.deepEqual(body['response_types'], ['code'])
})

/** Name, body, status, error. */
const refused: readonly (readonly [string, string, number, string])[] = [
  ['nothing', '', 400, 'invalid_client_metadata'],
  ['no JSON', '<html>', 400, 'invalid_client_metadata'],
  ['a list', '[]', 400, 'invalid_client_metadata'],
  ['null', 'null', 400, 'invalid_client_metadata'],
  ['redirects twice', '{"redirect_uris":["https://a.example"],"redirect_uris":["https://b.example"]}', 400, 'invalid_client_metadata'],
  ['no redirects', '{}', 400, 'invalid_redirect_uri'],
  ['an empty list of redirects', '{"redirect_uris":[]}', 400, 'invalid_redirect_uri'],
  ['a redirect that is no text', '{"redirect_uris":[1]}', 400, 'invalid_redirect_uri'],
  ['a redirect that is no URL', '{"redirect_uris":["/cb"]}', 400, 'invalid_redirect_uri'],
  ['a redirect to plain http elsewhere', '{"redirect_uris":["http://app.example/cb"]}', 400, 'invalid_redirect_uri'],
  ['a redirect to what looks like this machine', '{"redirect_uris":["http://localhost.evil.example/cb"]}', 400, 'invalid_redirect_uri'],
  ['a redirect with a fragment', '{"redirect_uris":["https://app.example/cb#x"]}', 400, 'invalid_redirect_uri'],
  ['a script', '{"redirect_uris":["JavaScript:alert(1)"]}', 400, 'invalid_redirect_uri'],
  ['data', '{"redirect_uris":["data:text/html,x"]}', 400, 'invalid_redirect_uri'],
  ['a bad redirect beside a good one', '{"redirect_uris":["https://app.example/","file:///etc"]}', 400, 'invalid_redirect_uri'],
  ['a long redirect', `{"redirect_uris":["https://app.example/${'x'.repeat(2048)}"]}`, 400, 'invalid_redirect_uri'],
  ['33 redirects', JSON.stringify({ redirect_uris: Array(33).fill('https://app.example/') }), 400, 'invalid_redirect_uri'],
  ['other grants', '{"redirect_uris":["https://a.example/"],"grant_types":["client_credentials"]}', 400, 'invalid_client_metadata'],
  [
    'grants that are no list',
    '{"redirect_uris":["https://a.example/"],"grant_types":"authorization_code"}',
    400,
    'invalid_client_metadata',
  ],
  ['other responses', '{"redirect_uris":["https://a.example/"],"response_types":["token"]}', 400, 'invalid_client_metadata'],
  ['too much', `{"x":"${'é'.repeat(maxRegistrationBytes / 2)}"}`, 413, 'invalid_client_metadata'],
  ['too deep', `{"x":${'['.repeat(9)}${']'.repeat(9)}}`, 400, 'invalid_client_metadata'],
]

for (const [name, body, status, error] of refused)
  test(`a registration with ${name} is refused`, () => {
    const reply = registerClient(body, 'ours')
    assert.equal(reply.status, status)
    assert.equal(reply.body['error'], error)
    assert.equal(typeof reply.body['error_description'], 'string')
    assert.equal('client_id' in reply.body, false)
  })

test('no registration gives a secret, another client, or an exception', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), fc.constantFrom('', '"redirect_uris":["https://a.example/"],'), (value, redirects) => {
      const reply = registerClient(`{${redirects}"client_secret":${value},"client_id":${value},"client_name":${value}}`, 'ours')
      assert.equal('client_secret' in reply.body, false)
      assert.equal(reply.body['client_id'], reply.status === 201 ? 'ours' : undefined)
    }),
  )
})
