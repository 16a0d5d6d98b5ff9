import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { before, test } from 'node:test'
import { discoveryUrls, keysUrl } from './discover.ts'
import { type IssuerKey, jwtSettings, keptLog, makeKey, type ServedIssuer, serveIssuer } from './issuer-for-test.ts'
import { createKeySet, type KeySet, type KeysFound } from './key-set.ts'
import type { KeySource } from './settings.ts'

let one: IssuerKey
let two: IssuerKey

before(async () => {
  ;[one, two] = await Promise.all([makeKey('one'), makeKey('two')])
})

const refreshMs = 300_000

/** A key set with a clock of its own, over what a test issuer serves. */
function open(issuer: ServedIssuer, source: Partial<KeySource> = { kind: 'url' }, name = issuer.url) {
  const log = keptLog()
  const clock = { nowMs: 1_000_000 }
  const keys = { url: `${issuer.url}/jwks`, refreshMs, ca: undefined, ...source } as KeySource
  const set = createKeySet(jwtSettings({ issuer: name, keys }), { now: () => clock.nowMs, log })
  return { set, log, clock, [Symbol.dispose]: () => set.close() }
}

const kidsIn = (found: KeysFound) => (found.kind === 'keys' ? found.keys.map((key) => key.kid) : found.kind)
const find = async (set: KeySet, kid = 'one') => kidsIn(await set.find('ES256', kid))
const messages = (log: ReturnType<typeof keptLog>) => log.lines.map(({ level, msg }) => `${level} ${msg}`)

test('keys are asked for at once, and by all who wait together', async () => {
  await using issuer = await serveIssuer()
  issuer.publish(one, two)
  using opened = open(issuer)
  const found = await Promise.all(Array.from({ length: 100 }, () => find(opened.set)))
  assert.ok(found.every((kids) => kids.length === 1 && kids[0] === 'one'))
  assert.deepEqual(issuer.asked, ['/jwks'])
  assert.deepEqual(kidsIn(await opened.set.find('ES256', undefined)), ['one', 'two'])
  using unasked = open(issuer)
  await unasked.set.idle()
  assert.deepEqual(issuer.asked, ['/jwks', '/jwks'])
})

test('a new key is found at once; the one that went is held no more', async () => {
  await using issuer = await serveIssuer()
  issuer.publish(one)
  using opened = open(issuer)
  const found = await opened.set.find('ES256', 'one')
  const key = found.kind === 'keys' ? found.keys[0] : undefined
  assert.ok(key !== undefined && opened.set.holds(key))
  issuer.publish(two)
  assert.deepEqual(await find(opened.set, 'two'), ['two'])
  assert.ok(!opened.set.holds(key))
  assert.deepEqual(await find(opened.set, 'one'), [])
})

test('a key that stays is held across refreshes, which come when they are due', async () => {
  await using issuer = await serveIssuer()
  issuer.publish(one)
  using opened = open(issuer)
  const { set, clock } = opened
  const found = await set.find('ES256', 'one')
  const key = found.kind === 'keys' ? found.keys[0] : undefined
  issuer.publish(two, one)
  clock.nowMs += refreshMs - 1
  set.tick()
  await set.idle()
  assert.equal(issuer.asked.length, 1)
  clock.nowMs += 1
  set.tick()
  set.tick()
  await set.idle()
  assert.equal(issuer.asked.length, 2)
  assert.ok(key !== undefined && set.holds(key))
  issuer.publish(two)
  clock.nowMs += refreshMs
  set.tick()
  await set.idle()
  assert.ok(!set.holds(key))
})

test('made-up names of keys cost the issuer one request in 30 s', async () => {
  await using issuer = await serveIssuer()
  issuer.publish(one)
  using opened = open(issuer)
  const { set, clock } = opened
  await find(set)
  for (let n = 0; n < 500; n++) assert.deepEqual(await find(set, `made-up-${n}`), [])
  await Promise.all(Array.from({ length: 500 }, (_, n) => find(set, `more-${n}`)))
  assert.equal(issuer.asked.length, 2)
  clock.nowMs += 30_000
  await Promise.all(Array.from({ length: 500 }, (_, n) => find(set, `later-${n}`)))
  assert.equal(issuer.asked.length, 3)
})

test('while the issuer fails its keys are good for 24 h; it is logged when that begins and ends', async () => {
  await using issuer = await serveIssuer()
  issuer.publish(one)
  using opened = open(issuer)
  const { set, clock, log } = opened
  await find(set)
  const fetchedAt = clock.nowMs
  issuer.pages.set('/jwks', 500)
  clock.nowMs += refreshMs
  for (let n = 0; n < 5; n++) {
    for (const _ of [1, 2]) {
      set.tick()
      await set.idle()
    }
    assert.deepEqual(await find(set), ['one'])
    clock.nowMs += 30_000
  }
  assert.equal(issuer.asked.length, 6)
  // Whether it is made up or new can't be told.
  assert.equal(await find(set, 'two'), 'unreachable')
  assert.deepEqual(messages(log), ["warn an issuer's keys can't be fetched: those it had are good for 24 h"])
  assert.equal(log.lines[0]?.fields['why'], `${issuer.url}/jwks: it answered 500`)
  clock.nowMs = fetchedAt + 24 * 3600 * 1000 - 1
  assert.deepEqual(await find(set), ['one'])
  clock.nowMs += 1
  assert.equal(await find(set), 'unreachable')
  issuer.publish(one)
  clock.nowMs += 2000
  assert.deepEqual(await find(set), ['one'])
  assert.equal(messages(log).at(-1), "info an issuer's keys can be fetched again")
  assert.equal(log.lines.length, 2)
})

test('without any keys it is asked again every 2 s, and nobody is let wait between', async () => {
  await using issuer = await serveIssuer()
  using opened = open(issuer)
  const { set, clock, log } = opened
  for (let n = 0; n < 100; n++) assert.equal(await find(set), 'unreachable')
  assert.equal(issuer.asked.length, 1)
  clock.nowMs += 2000
  set.tick()
  await set.idle()
  assert.equal(issuer.asked.length, 2)
  issuer.publish(one)
  clock.nowMs += 2000
  assert.deepEqual(await find(set), ['one'])
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['warn', 'info'],
  )
})

test('what is no JWK set is an outage; a set without a key that can be used is the word of the issuer', async () => {
  await using issuer = await serveIssuer()
  issuer.publish(one)
  using opened = open(issuer)
  const { set, clock } = opened
  await find(set)
  issuer.pages.set('/jwks', { error: 'maintenance' })
  clock.nowMs += refreshMs
  set.tick()
  await set.idle()
  assert.deepEqual(await find(set), ['one'])
  issuer.pages.set('/jwks', { keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: 'one' }] })
  clock.nowMs += refreshMs
  set.tick()
  await set.idle()
  assert.deepEqual(await find(set), [])
  assert.match(messages(opened.log).at(-1) ?? '', /can be fetched again/)
  assert.match(messages(opened.log).at(-2) ?? '', /warn .* no key that can be used/)
})

test('an issuer’s metadata is looked for where the MCP specification says, in its order', () => {
  assert.deepEqual(discoveryUrls('https://id.example/realms/a'), [
    'https://id.example/.well-known/oauth-authorization-server/realms/a',
    'https://id.example/.well-known/openid-configuration/realms/a',
    'https://id.example/realms/a/.well-known/openid-configuration',
  ])
  assert.deepEqual(discoveryUrls('https://id.example/'), [
    'https://id.example/.well-known/oauth-authorization-server',
    'https://id.example/.well-known/openid-configuration',
  ])
})

test('keys are found by the issuer’s metadata, and then where they were found before', async () => {
  await using issuer = await serveIssuer()
  issuer.publish(one)
  const name = `${issuer.url}/realms/a`
  const last = '/realms/a/.well-known/openid-configuration'
  issuer.pages.set(last, { issuer: name, jwks_uri: `${issuer.url}/jwks` })
  using opened = open(issuer, { kind: 'discovery' }, name)
  assert.deepEqual(await find(opened.set), ['one'])
  const inserted = ['/.well-known/oauth-authorization-server/realms/a', '/.well-known/openid-configuration/realms/a']
  assert.deepEqual(issuer.asked.splice(0), [...inserted, last, '/jwks'])
  opened.clock.nowMs += refreshMs
  opened.set.tick()
  await opened.set.idle()
  assert.deepEqual(issuer.asked, [last, '/jwks'])
})

test('metadata that can’t be trusted leads to no keys', async () => {
  const rows: readonly (readonly [metadata: (url: string) => unknown, why: RegExp])[] = [
    [(url) => ({ issuer: `${url}/`, jwks_uri: `${url}/jwks` }), /its `issuer` is another/],
    [(url) => ({ issuer: url.toUpperCase(), jwks_uri: `${url}/jwks` }), /its `issuer` is another/],
    [(url) => ({ jwks_uri: `${url}/jwks` }), /its `issuer` is another/],
    [(url) => ({ issuer: url }), /no `jwks_uri`/],
    [(url) => ({ issuer: url, jwks_uri: '/jwks' }), /no `jwks_uri`/],
    [(url) => ({ issuer: url, jwks_uri: 'file:///etc/jwks' }), /not https/],
    [(url) => ({ issuer: url, jwks_uri: url.replace('//', '//a:b@').concat('/jwks') }), /user name/],
    [(url) => ({ issuer: url, jwks_uri: 'http://169.254.169.254/jwks' }), /link-local/],
    [(url) => ({ issuer: url, jwks_uri: 'http://metadata.google.internal/jwks' }), /metadata service/],
    [(url) => [url], /its `issuer` is another/],
  ]
  for (const [metadata, why] of rows) {
    await using issuer = await serveIssuer()
    issuer.publish(one)
    issuer.pages.set('/.well-known/oauth-authorization-server', metadata(issuer.url))
    using opened = open(issuer, { kind: 'discovery' })
    assert.equal(await find(opened.set), 'unreachable')
    assert.match(String(opened.log.lines[0]?.fields['why']), why)
    assert.ok(!issuer.asked.includes('/jwks'), String(why))
  }
})

test('an issuer on https names no keys on http', () => {
  const safe = (issuer: string, url: string) => 'url' in keysUrl(issuer, { jwks_uri: url })
  assert.ok(safe('https://id.example', 'https://keys.example/jwks'))
  assert.ok(safe('http://id.example', 'https://keys.example/jwks'))
  assert.ok(safe('http://id.example', 'http://keys.example/jwks'))
  assert.ok(!safe('https://id.example', 'http://id.example/jwks'))
})

test('an issuer that has no usable name has no keys', async () => {
  await using issuer = await serveIssuer()
  using opened = open(issuer, { kind: 'discovery' }, 'http://[::')
  assert.equal(await find(opened.set), 'unreachable')
  assert.equal(opened.log.lines[0]?.fields['why'], 'its name is no URL')
})

test('a redirect of the keys is not followed', async () => {
  await using issuer = await serveIssuer()
  issuer.publish(one)
  issuer.pages.set('/moved', (response: ServerResponse) => response.writeHead(302, { location: '/jwks' }).end())
  using opened = open(issuer, { kind: 'url', url: `${issuer.url}/moved?key=secret` })
  assert.equal(await find(opened.set), 'unreachable')
  assert.deepEqual(issuer.asked, ['/moved?key=secret'])
  assert.ok(!JSON.stringify(opened.log.lines).includes('secret'))
})

test('inline keys ask nobody', async () => {
  await using issuer = await serveIssuer()
  using opened = open(issuer, { kind: 'inline', jwks: JSON.stringify({ keys: [one.jwk] }) })
  assert.deepEqual(await find(opened.set), ['one'])
  assert.deepEqual(await find(opened.set, 'two'), [])
  assert.deepEqual(issuer.asked, [])
  using empty = open(issuer, { kind: 'inline', jwks: '{"keys":[]}' })
  assert.match(messages(empty.log)[0] ?? '', /none of the keys/)
})

test('once closed it breaks off and asks nobody', async () => {
  await using issuer = await serveIssuer()
  issuer.pages.set('/jwks', () => {})
  const { set, clock, log } = open(issuer)
  set.close()
  await set.idle()
  clock.nowMs += refreshMs
  set.tick()
  assert.equal(await find(set), 'unreachable')
  assert.ok(issuer.asked.length <= 1)
  assert.deepEqual(log.lines, [])
})
