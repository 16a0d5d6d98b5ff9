import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { hostnameRank, isHostnameMatch } from '../gateway/route/hostnames.ts'
import { makeAuthority } from './certificate-for-test.ts'
import { isMisdirected, planTls } from './tls-plan.ts'
import { planForTest } from './transports-for-test.ts'

const authority = makeAuthority('One')
const [a, b] = [authority.issue({ names: ['a'] }), authority.issue({ names: ['b'] })]
const dayMs = 86_400_000

test('a pair that can not be used is a fault that names its place and holds nothing of it', async () => {
  const rows: readonly (readonly [cert: string, key: string, text: RegExp])[] = [
    ['secret words', a.key, /the certificate is not PEM text/],
    [a.cert, 'secret words', /the key is not PEM text of a private key/],
    [a.cert, encryptedKey(), /without a passphrase/],
    [a.cert, b.key, /the key is not the key of the certificate/],
    [`${a.cert}-----BEGIN CERTIFICATE-----\nsecret\n-----END CERTIFICATE-----\n`, a.key, /OpenSSL refuses it/],
  ]
  for (const [cert, key, text] of rows) {
    const plan = await planTls([{ name: 'web', hostname: undefined, clientCa: undefined, certificates: [a, { cert, key }] }], 0)
    assert.ok(plan.kind === 'fault', String(text))
    assert.match(plan.text, text)
    assert.match(plan.text, /^listener "web": tls\.certificates\[1\]: /)
    assert.doesNotMatch(plan.text, /secret|BEGIN/)
  }
})

test('a certificate that clients will not take is a warning', async () => {
  const now = Date.now()
  const texts = async (at: number) =>
    (await planForTest([{ name: 'web', certificates: [authority.issue({ days: [-1, 1] })] }], at)).warnings.map(
      ({ listener, certificate, text }) => [listener, certificate, text.replace(/\d{4}-.*/, '…')],
    )
  assert.deepEqual(await texts(now), [])
  assert.deepEqual(await texts(now + 2 * dayMs), [['web', 'CN=leaf', 'the certificate expired on …']])
  assert.deepEqual(await texts(now - 2 * dayMs), [['web', 'CN=leaf', 'the certificate is not valid before …']])
})

test('a name finds the listener that requests for it are served by', async () => {
  const label = fc.constantFrom('a', 'b', 'com', 'x')
  const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
  const odd = fc.constantFrom('', '.', '.com', 'a..com', '*.com', '127.0.0.1', '[::1]', `${'a.'.repeat(200)}com`)
  const hostname = fc.oneof(
    host,
    host.map((name) => `*.${name}`),
    fc.constant(undefined),
  )
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(hostname, { minLength: 1, maxLength: 6 }), fc.oneof(host, odd), async (hostnames, name) => {
      // Told apart by whom they trust, as certificates are dear to make.
      const listeners = hostnames.map((own) => ({ hostname: own, certificates: [a], clientCa: `of ${own}` }))
      const plan = await planForTest(listeners)
      const served = hostnames
        .toSorted((one, other) => hostnameRank(other) - hostnameRank(one))
        .find((own) => own === undefined || isHostnameMatch(own, name))
      const isServed = served !== undefined || hostnames.includes(undefined)
      assert.equal(plan.siteOf(name)?.trusts, isServed ? `of ${served}` : undefined)
      if (isServed) assert.equal(plan.siteFor(name).trusts, `of ${served}`)
    }),
    { numRuns: 200 },
  )
})

test('a request is misdirected where its Host is of a listener that shows or trusts something else', async () => {
  const [trusted, other] = [authority.cert, makeAuthority('Two').cert]
  const plan = await planForTest([
    { hostname: 'a.example', certificates: [a], clientCa: trusted },
    { hostname: 'same.example', certificates: [a], clientCa: trusted },
    { hostname: 'shows.example', certificates: [b], clientCa: trusted },
    { hostname: 'trusts.example', certificates: [a], clientCa: other },
    { hostname: 'open.example', certificates: [a] },
  ])
  const rows: readonly (readonly [serverName: string | undefined, host: string, isMisdirected: boolean])[] = [
    ['a.example', 'a.example', false],
    ['a.example', 'a.example:8443', false],
    ['a.example', 'same.example', false],
    ['a.example', 'shows.example', true],
    ['a.example', 'trusts.example', true],
    ['a.example', 'open.example', true],
    ['open.example', 'a.example', true],
    ['open.example', 'a.example:443', true],
    ['open.example', 'open.example', false],
    [undefined, 'a.example', false],
    [undefined, 'open.example', true],
    ['unknown.example', 'a.example', false],
    ['unknown.example', 'open.example', true],
    ['a.example', 'unknown.example', false],
  ]
  for (const [serverName, host, expected] of rows) {
    const { trusts } = plan.siteFor(serverName)
    assert.equal(isMisdirected(plan, { serverName, trusts }, host), expected, `${serverName} ${host}`)
  }
  assert.ok(isMisdirected(plan, { serverName: 'a.example', trusts: 'what it trusted before' }, 'a.example'))
})

function encryptedKey(): string {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
  }).privateKey
}
