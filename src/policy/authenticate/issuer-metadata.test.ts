import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { createIssuerMetadata } from './issuer-metadata.ts'
import { createLog, openIssuer } from './login-for-test.ts'

const json = (response: ServerResponse, value: unknown) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end(typeof value === 'string' ? value : JSON.stringify(value))

test('the places are tried in the order of the specification', async (t) => {
  const issuer = await openIssuer(t)
  const metadata = await createIssuerMetadata(issuer.issuer, undefined, { now: () => 0, log: createLog().log })()
  assert.equal(metadata?.token_endpoint, `${issuer.issuer}/token`)
  assert.deepEqual(issuer.seen, [
    'GET /.well-known/oauth-authorization-server/realms/main',
    'GET /.well-known/openid-configuration/realms/main',
    'GET /realms/main/.well-known/openid-configuration',
  ])
})

test('one request for all who wait, none for 5 minutes, then one at the place that is known', async (t) => {
  let nowMs = 0
  const issuer = await openIssuer(t)
  const get = createIssuerMetadata(issuer.issuer, undefined, { now: () => nowMs, log: createLog().log })
  const all = await Promise.all(Array.from({ length: 20 }, get))
  assert.equal(issuer.seen.length, 3)
  assert.equal(new Set(all).size, 1)
  nowMs = 299_999
  await get()
  assert.equal(issuer.seen.length, 3)
  nowMs = 300_000
  await Promise.all([get(), get()])
  assert.deepEqual(issuer.seen.slice(3), ['GET /realms/main/.well-known/openid-configuration'])
})

test('what was had is given on while the issuer fails, which is asked again after 10 s', async (t) => {
  let nowMs = 0
  const { log, lines } = createLog()
  const issuer = await openIssuer(t)
  const get = createIssuerMetadata(issuer.issuer, undefined, { now: () => nowMs, log })
  const before = await get()
  issuer.act = (_, response) => response.writeHead(500).end()
  nowMs = 300_000
  assert.equal(await get(), before)
  const asked = issuer.seen.length
  nowMs = 309_999
  assert.equal(await get(), before)
  assert.equal(issuer.seen.length, asked)
  assert.equal(lines.length, 1)
  issuer.act = undefined
  issuer.metadata = { scopes_supported: ['new'] }
  nowMs = 310_000
  assert.deepEqual((await get())?.['scopes_supported'], ['new'])
})

test('before the first answer a failing issuer is asked every 10 s, not by every caller', async (t) => {
  let nowMs = 0
  const issuer = await openIssuer(t)
  issuer.act = (_, response) => response.writeHead(404).end()
  const get = createIssuerMetadata(issuer.issuer, undefined, { now: () => nowMs, log: createLog().log })
  for (let i = 0; i < 5; i++) assert.equal(await get(), undefined)
  assert.equal(issuer.seen.length, 3)
  nowMs = 10_000
  issuer.act = undefined
  assert.equal((await get())?.issuer, issuer.issuer)
})

const good = { authorization_endpoint: 'https://id.example/a', token_endpoint: 'https://id.example/t' }

/** Name, what the issuer does (given its own name), what the log says. */
const hostile: readonly (readonly [string, (response: ServerResponse, issuer: string, request: IncomingMessage) => unknown, RegExp])[] = [
  ['never answers', () => {}, /no answer within|broken off/],
  ['sends bytes one by one', (response) => dribble(response), /no answer within|broken off/],
  ['sends 1 MiB', (response, issuer) => json(response, { issuer, ...good, x: 'x'.repeat(1 << 20) }), /more than 262144 bytes/],
  ['redirects elsewhere', (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), /302/],
  ['has another name', (response) => json(response, { issuer: 'https://evil.example', ...good }), /`issuer` is another/],
  ['has its name with a slash more', (response, issuer) => json(response, { issuer: `${issuer}/`, ...good }), /`issuer` is another/],
  ['sends HTML', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'), /not JSON/],
  ['sends a list', (response) => json(response, []), /`issuer` is another/],
  ['sends null', (response) => json(response, null), /`issuer` is another/],
  [
    'says everything twice',
    (response, issuer) => json(response, `{"issuer":"${issuer}","issuer":"${issuer}"}`),
    /not JSON that can be used/,
  ],
  ['has no endpoints', (response, issuer) => json(response, { issuer }), /authorization_endpoint/],
  [
    'runs a script',
    (response, issuer) => json(response, { issuer, ...good, authorization_endpoint: 'javascript:alert(1)' }),
    /authorization_endpoint/,
  ],
  ['has an endpoint that is no text', (response, issuer) => json(response, { issuer, ...good, token_endpoint: ['x'] }), /token_endpoint/],
  ['fails', (response) => response.writeHead(500).end('canary'), /500/],
]

for (const [name, act, says] of hostile)
  test(`an issuer that ${name} gives nothing`, async (t) => {
    const { log, lines } = createLog()
    const issuer = await openIssuer(t)
    issuer.act = (request, response) => void act(response, issuer.issuer, request)
    const get = createIssuerMetadata(issuer.issuer, undefined, { now: () => 0, log })
    assert.equal(await get(), undefined)
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', says)
    assert.doesNotMatch(lines[0] ?? '', /canary|evil\.example|alert/)
  })

function dribble(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  const timer = setInterval(() => response.write(' '), 100)
  response.on('close', () => clearInterval(timer))
}
