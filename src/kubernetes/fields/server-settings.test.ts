import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { createWorld, nothingObserved, type Observations } from '../objects/objects.ts'
import { readServerSettings, type ServerSettings } from './server-settings.ts'

/** Made for this test. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBdTCCARugAwIBAgIUKxdAfEZodDXJ5PyALIltlzG6yAswCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjAxNDM5MjFaGA8yMTI2MTAyNzE0Mzky
MVowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMZb
bQChobyogS7jybDWKUHg9YiI62UX8eOK7Dyc5rhiYy+on6pJuzPRwj/MYHIpU5ya
iKXsCyBZcXT7JMpZwsyjUzBRMB0GA1UdDgQWBBQqyjRcHYrzziuuR9wbT+UwyglA
6TAfBgNVHSMEGDAWgBQqyjRcHYrzziuuR9wbT+UwyglA6TAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0gAMEUCIQCPOEfub4CddPfMjdkjxtQqR3SfJZRxHolb
pLfs4usI5AIgNjpLDen3H6hD9vxkNlDEyemwi2WDIP0+cw1Cs389sWc=
-----END CERTIFICATE-----
`
const privateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgupSsyMyDu4vVYMUk
ZmLL9HBqIa8werOelX93+pCjBGmhRANCAATGW20AoaG8qIEu48mw1ilB4PWIiOtl
F/Hjiuw8nOa4YmMvqJ+qSbsz0cI/zGByKVOcmoil7AsgWXF0+yTKWcLM
-----END PRIVATE KEY-----
`

const encoded = (text: string): string => Buffer.from(text).toString('base64')
const secret = (name: string, texts: Readonly<Record<string, string>>): unknown => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace: 'tools', name },
  data: Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, encoded(text)])),
})
const configMap = (name: string, data: Readonly<Record<string, string>>): unknown => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'tools', name },
  data,
})

const own = (name: string, more: object, rest: object = {}): unknown => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace: 'tools', name, ...more },
  data: { Authorization: 'dDBwLXNlY3JldA==' },
  ...rest,
})

const world = createWorld([
  own('gw-mcplex', {}),
  own('owned', { ownerReferences: [{ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', name: 'gw', uid: '1' }] }),
  own('labelled', { labels: { 'gateway.networking.k8s.io/gateway-name': 'gw' } }),
  own('account', {}, { type: 'kubernetes.io/service-account-token' }),
  secret('long', { Authorization: 'x'.repeat(8186) }),
  configMap('long', { 'ca.crt': certificate + '#'.repeat(256 * 1024) }),
  configMap('many', { 'ca.crt': certificate.repeat(201) }),
  configMap('large', { 'ca.crt': certificate + '#'.repeat(150 * 1024) }),
  secret('long-pair', { 'tls.crt': certificate + '#'.repeat(256 * 1024), 'tls.key': privateKey }),
  secret('token', { Authorization: 'Bearer t0p-secret\n', other: 'Bearer 0ther' }),
  secret('bare', { Authorization: 't0p-secret' }),
  secret('empty', { Authorization: ' \n' }),
  secret('odd', { Authorization: 't0p\u0001secret', wide: 'сектрет' }),
  secret('pair', { 'tls.crt': certificate, 'tls.key': privateKey }),
  secret('pair-with-ca', { 'tls.crt': certificate, 'tls.key': privateKey, 'ca.crt': certificate }),
  secret('broken-pair', { 'tls.crt': certificate, 'tls.key': 'no key' }),
  configMap('authority', { 'ca.crt': certificate }),
  configMap('no-authority', { 'ca.crt': 'nothing' }),
  { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'tools', name: 'written' }, stringData: { Authorization: 'pl$ain' } },
  { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'tools', name: 'not-base64' }, data: { Authorization: '%%%' } },
  { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'elsewhere', name: 'far' }, data: { Authorization: 'eA==' } },
])

const read = (raw: unknown, observed: Observations = nothingObserved) =>
  readServerSettings(raw, 'tools', { world, observed, areSecretsRead: true, place: 'spec.backend' })
const authorization = (value: string): ServerSettings => ({ credentials: { header: { Authorization: value } } })

describe('how a server is reached', () => {
  const holding: readonly (readonly [name: string, raw: unknown, settings: ServerSettings])[] = [
    ['nothing', undefined, {}],
    ['no members', {}, {}],
    [
      'time limits',
      { tcp: { connectTimeout: '500ms' }, http: { requestTimeout: '1m30s' } },
      { connectTimeout: '500ms', requestTimeout: '1m30s' },
    ],
    ['empty tls: https', { tls: {} }, { tls: {} }],
    ['a name in the certificate', { tls: { sni: 'a.example' } }, { tls: { serverName: 'a.example' } }],
    ['no check of the certificate', { tls: { insecureSkipVerify: 'All' } }, { tls: { insecure: true } }],
    ['an authority', { tls: { caCertificateRefs: [{ name: 'authority' }] } }, { tls: { ca: certificate.trim() } }],
    [
      'an authority in a Secret',
      { tls: { caCertificateRefs: [{ kind: 'Secret', name: 'pair-with-ca' }] } },
      { tls: { ca: certificate.trim() } },
    ],
    ['a certificate of our own', { tls: { mtlsCertificateRef: [{ name: 'pair' }] } }, { tls: { cert: certificate, key: privateKey } }],
    [
      'one that comes with an authority',
      { tls: { mtlsCertificateRef: [{ name: 'pair-with-ca' }] } },
      { tls: { ca: certificate.trim(), cert: certificate, key: privateKey } },
    ],
    [
      'an authority, before the one that comes with the certificate',
      { tls: { mtlsCertificateRef: [{ name: 'pair-with-ca' }], caCertificateRefs: [{ name: 'authority' }] } },
      { tls: { ca: certificate.trim(), cert: certificate, key: privateKey } },
    ],
    ['a key', { auth: { key: 'k$1' } }, authorization('Bearer k$1')],
    ['a Secret, whose own prefix is not doubled', { auth: { secretRef: { name: 'token' } } }, authorization('Bearer t0p-secret')],
    ['a Secret without prefix', { auth: { secretRef: { name: 'bare' } } }, authorization('Bearer t0p-secret')],
    ['a key of a Secret, as it is', { auth: { secretRef: { name: 'token', key: 'other' } } }, authorization('Bearer Bearer 0ther')],
    ['a Secret from a file', { auth: { secretRef: { name: 'written', kind: 'Secret', group: '' } } }, authorization('Bearer pl$ain')],
    [
      'another header, without prefix',
      { auth: { secretRef: { name: 'bare' }, location: { header: { name: 'X-Key' } } } },
      { credentials: { header: { 'X-Key': 't0p-secret' } } },
    ],
    [
      'another header with a prefix',
      { auth: { key: 'k', location: { header: { name: 'X-Key', prefix: 'Token ' } } } },
      { credentials: { header: { 'X-Key': 'Token k' } } },
    ],
    [
      'several credentials, of which the last has a name',
      {
        auth: {
          key: 'k',
          credentials: [
            { location: { header: { name: 'X-Key' } }, secretRef: { name: 'token' } },
            { location: { header: { name: 'authorization' } }, secretRef: { name: 'bare' } },
          ],
        },
      },
      { credentials: { header: { authorization: 't0p-secret', 'X-Key': 'Bearer t0p-secret' } } },
    ],
    ['HTTP/1', { http: { version: 'HTTP1' } }, {}],
  ]
  for (const [name, raw, settings] of holding) {
    it(`${name} holds`, () => {
      const reading = read(raw)
      assert.deepEqual(reading.faults, [])
      assert.deepEqual(reading.settings, settings)
    })
  }

  const closing: readonly (readonly [name: string, raw: unknown, message: RegExp])[] = [
    ['no object', 'text', /^spec\.backend is not an object/],
    [
      'a missing Secret',
      { auth: { secretRef: { name: 'none' } } },
      /^spec\.backend\.auth\.secretRef names Secret tools\/none, .*create it/,
    ],
    ['a Secret of another namespace', { auth: { secretRef: { name: 'far' } } }, /Secret tools\/far, which does not exist/],
    ['a Secret without the key', { auth: { secretRef: { name: 'bare', key: 'x' } } }, /Secret tools\/bare, which has no key x/],
    ['an empty credential', { auth: { secretRef: { name: 'empty' } } }, /key Authorization is empty/],
    ['what is not base64', { auth: { secretRef: { name: 'not-base64' } } }, /is not text in UTF-8/],
    ...['gw-mcplex', 'owned', 'labelled'].map(
      (name) =>
        [
          `a Gateway's own Secret (${name})`,
          { auth: { secretRef: { name } } },
          /Secret tools\/\S+, which is a Gateway's own, .*name another/,
        ] as const,
    ),
    ["a Gateway's own Secret for TLS", { tls: { mtlsCertificateRef: [{ name: 'gw-mcplex' }] } }, /which is a Gateway's own/],
    [
      'a token for the API server',
      { auth: { secretRef: { name: 'account' } } },
      /account, which is a ServiceAccount's token .*name another/,
    ],
    ['a long credential', { auth: { secretRef: { name: 'long' } } }, /the header Authorization, which is longer than 8192 characters/],
    ['a long key', { auth: { key: 'k'.repeat(8186) } }, /the header Authorization, which is longer than 8192 characters/],
    ['a long bundle', { tls: { caCertificateRefs: [{ name: 'long' }] } }, /key ca\.crt holds more than 256 KiB: leave out/],
    ['many authorities', { tls: { caCertificateRefs: [{ name: 'many' }] } }, /key ca\.crt holds more than 200 certificates: leave out/],
    [
      'long bundles together',
      { tls: { caCertificateRefs: [{ name: 'large' }, { name: 'large' }] } },
      /tls\.caCertificateRefs name more than 256 KiB together/,
    ],
    ['a long certificate', { tls: { mtlsCertificateRef: [{ name: 'long-pair' }] } }, /tls\.crt and tls\.key hold more than 256 KiB/],
    ['a control character', { auth: { secretRef: { name: 'odd' } } }, /adds the header Authorization: .*one line of Latin/],
    ['letters that headers lack', { auth: { secretRef: { name: 'odd', key: 'wide' } } }, /adds the header Authorization: /],
    ['a header that is ours', { auth: { key: 'k', location: { header: { name: 'Mcp-Session-Id' } } } }, /a header that mcplex sets itself/],
    [
      'a query parameter',
      { auth: { key: 'k', location: { queryParameter: { name: 'k' } } } },
      /location\.queryParameter is not enforced yet/,
    ],
    ['a location without a name', { auth: { key: 'k', location: {} } }, /location names no header/],
    ['a credential without location', { auth: { credentials: [{ secretRef: { name: 'bare' } }] } }, /credentials\[0\] has no location/],
    ['a name that is none', { auth: { secretRef: { name: '../token' } } }, /secretRef names no Secret/],
    [
      'another kind of object',
      { auth: { secretRef: { group: 'x.io', kind: 'Vault', name: 'token' } } },
      /secretRef\.group is not enforced yet/,
    ],
    ['no credential at all', { auth: {} }, /auth shows the server nothing/],
    ['two at once', { auth: { key: 'k', secretRef: { name: 'bare' } } }, /both key and secretRef/],
    ...['passthrough', 'oauthTokenExchange', 'crossAppAccess', 'jwtSign', 'aws', 'azure', 'gcp'].map(
      (kind) => [kind, { auth: { [kind]: {} } }, new RegExp(`^spec\\.backend\\.auth\\.${kind} is not enforced yet`)] as const,
    ),
    ['a loose check of the certificate', { tls: { insecureSkipVerify: 'Hostname' } }, /insecureSkipVerify is not enforced yet: set sni/],
    ['names to check', { tls: { verifySubjectAltNames: ['a'] } }, /verifySubjectAltNames is not enforced yet/],
    ['SPIFFE', { tls: { certificateSource: 'SPIFFE' } }, /certificateSource is not enforced yet/],
    ['an authority that is none', { tls: { caCertificateRefs: [{ name: 'no-authority' }] } }, /holds no certificates as PEM text/],
    ['a missing authority', { tls: { caCertificateRefs: [{ name: 'none' }] } }, /ConfigMap tools\/none, which does not exist/],
    ['an authority without a name', { tls: { caCertificateRefs: [{}] } }, /caCertificateRefs\[0\] names no ConfigMap or Secret/],
    ['an authority that is not looked at', { tls: { insecureSkipVerify: 'All', caCertificateRefs: [{ name: 'authority' }] } }, /keep one/],
    ['a certificate without its key', { tls: { mtlsCertificateRef: [{ name: 'broken-pair' }] } }, /no certificate with its key/],
    ['a server name that is none', { tls: { sni: 'a b' } }, /^spec\.backend\.tls\.sni /],
    ['guardrails', { mcp: { guardrails: {} } }, /mcp\.guardrails is not enforced yet/],
    ['a tunnel, beside what is only named', { tcp: { keepalive: {} }, tunnel: {} }, /tunnel is not enforced yet/],
    ['an unknown field', { tcp: { fieldOfNextYear: 1 } }, /tcp\.fieldOfNextYear is not known to mcplex/],
    ['a credential of an unknown kind', { auth: { newKind: {} } }, /^spec\.backend\.auth\.newKind is not known to mcplex/],
  ]
  for (const [name, raw, message] of closing) {
    it(`${name} closes the server, and no secret is told`, () => {
      const [first, ...others] = read(raw).faults
      assert.equal(first?.closes, true)
      assert.match(first?.message ?? '', message)
      assert.doesNotMatch(JSON.stringify([first, others]), /t0p|secret"|0ther|сектрет/)
    })
  }

  const named: readonly (readonly [name: string, raw: unknown])[] = [
    ['keepalive', { tcp: { keepalive: {} } }],
    ['HTTP/2', { http: { version: 'HTTP2' } }],
    ['health', { health: {} }],
    ['a time limit that is none', { http: { requestTimeout: 'soon' } }],
  ]
  for (const [name, raw] of named) {
    it(`${name} is named and closes nothing`, () => {
      const { faults, settings } = read(raw)
      assert.deepEqual(
        faults.map((fault) => fault.closes),
        [false],
      )
      assert.deepEqual(settings, {})
    })
  }

  it('says which right is missing where a Secret may not be read', () => {
    const observed = { ...nothingObserved, forbidden: new Set(['/Secret/tools/bare']) }
    const [fault] = read({ auth: { secretRef: { name: 'bare' } } }, observed).faults
    assert.match(fault?.message ?? '', /kubectl create rolebinding mcplex-provisioner -n tools --clusterrole mcplex-provisioner/)
  })

  it('wants every Secret and ConfigMap that is named, there or not', () => {
    const { wanted } = read({
      auth: { secretRef: { name: 'none' }, credentials: [{ location: { header: { name: 'X' } }, secretRef: { name: 'bare' } }] },
      tls: { caCertificateRefs: [{ name: 'authority' }], mtlsCertificateRef: [{ name: 'pair' }] },
    })
    assert.deepEqual(wanted.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`).sort(), [
      'ConfigMap tools/authority',
      'Secret tools/bare',
      'Secret tools/none',
      'Secret tools/pair',
    ])
  })

  it('wants nothing of kinds that are not read', () => {
    assert.deepEqual(read({ auth: { secretRef: { group: 'x.io', kind: 'Secret', name: 'bare' } } }).wanted, [])
    assert.deepEqual(read({ tls: { mtlsCertificateRef: [{ kind: 'Vault', name: 'pair' }] } }).wanted, [])
  })
})

test('a Secret or ConfigMap is judged once, however many targets name it', () => {
  const texts = { secret: { 'tls.crt': encoded(certificate), 'tls.key': encoded(privateKey) }, map: { 'ca.crt': certificate } }
  const once = createWorld([
    { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'tools', name: 'pair' }, data: texts.secret },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'tools', name: 'authority' }, data: texts.map },
  ])
  const raw = { tls: { mtlsCertificateRef: [{ name: 'pair' }], caCertificateRefs: [{ name: 'authority' }] } }
  const readOnce = () =>
    readServerSettings(raw, 'tools', { world: once, observed: nothingObserved, areSecretsRead: true, place: 'spec.backend' })
  const first = readOnce()
  assert.deepEqual(first.faults, [])
  // Nobody changes objects in a world: that it goes unnoticed shows that nothing is read or judged anew.
  texts.secret['tls.crt'] = encoded('no certificate')
  texts.map['ca.crt'] = 'no certificate'
  const again = readOnce()
  assert.deepEqual(again.faults, [])
  assert.equal(again.settings.tls?.['cert'], first.settings.tls?.['cert'])
})
