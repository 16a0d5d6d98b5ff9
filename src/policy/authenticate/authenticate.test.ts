import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { before, test } from 'node:test'
import fc from 'fast-check'
import { exportSPKI, importJWK } from 'jose'
import { anonymous, type Caller, type ClientCertificate, type Head, type Refusal } from '../../mcp/mcp.ts'
import { type Authenticator, createAuthenticator } from './authenticate.ts'
import { headWith, type IssuerKey, jwtSettings, keptLog, makeKey, serveIssuer, sign, signText } from './issuer-for-test.ts'
import type { AuthenticateSettings, JwtSettings } from './settings.ts'

const nowS = 1_800_000_000
const aud = 'https://mcp.example/mcp'
const iss = 'https://id.example'
const good = { iss, aud, sub: 'ann', exp: nowS + 300, iat: nowS }

let ec: IssuerKey
let rsa: IssuerKey
let strong: IssuerKey
let ed: IssuerKey
let inline: JwtSettings

before(async () => {
  ;[ec, rsa, strong, ed] = await Promise.all([makeKey('ec'), makeKey('rsa', 'RS256'), makeKey('strong', 'RS512'), makeKey('ed', 'EdDSA')])
  const set = { keys: [ec.jwk, rsa.jwk, ed.jwk, { ...strong.jwk, alg: undefined }] }
  inline = jwtSettings({ keys: { kind: 'inline', jwks: JSON.stringify(set) } })
})

function open(settings: Partial<AuthenticateSettings>) {
  const log = keptLog()
  const clock = { nowMs: nowS * 1000 }
  const all: AuthenticateSettings = { mode: 'strict', jwt: [], apiKeys: [], mtls: false, mcp: undefined, ...settings }
  const authenticator = createAuthenticator(all, { now: () => clock.nowMs, log })
  return { authenticator, log, clock, [Symbol.dispose]: () => authenticator.close() }
}

const bearing = (token: string): Head => headWith({ authorization: `Bearer ${token}` })
const isRefusal = (outcome: Caller | Refusal): outcome is Refusal => outcome.kind === 'refused'

async function admitted(authenticator: Authenticator, head: Head): Promise<Caller> {
  const outcome = await authenticator.admit(head)
  assert.ok(!isRefusal(outcome), isRefusal(outcome) ? outcome.text : '')
  return outcome
}

async function refused(authenticator: Authenticator, head: Head): Promise<Refusal> {
  const outcome = await authenticator.admit(head)
  assert.ok(isRefusal(outcome), 'was let in')
  return outcome
}

const challengeOf = (refusal: Refusal) => refusal.headers?.['www-authenticate'] ?? ''
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

test('a good token says who calls, with its claims as JSON that rules can compute with', async () => {
  using opened = open({ jwt: [inline] })
  const claims = { ...good, scope: 'a b', n: 1, x: 1.5, big: { __proto__: null, deep: [true, null] } }
  const head = bearing(await sign(ec, claims))
  const caller = await admitted(opened.authenticator, head)
  assert.equal(caller.kind, 'jwt')
  assert.equal(caller.id, 'https://id.example|ann')
  assert.equal(caller.subject, 'ann')
  assert.equal(caller.issuer, iss)
  assert.deepEqual(caller.actors, [])
  assert.equal(caller.expiresAtMs, (nowS + 330) * 1000)
  assert.equal(caller.claims.get('n'), 1n)
  assert.equal(caller.claims.get('x'), 1.5)
  assert.deepEqual(caller.claims.get('big'), new Map([['deep', [true, null]]]))
  assert.equal(opened.authenticator.admit(head), caller)
  assert.ok(opened.authenticator.isValid(caller))
})

test('every way to write a good token is taken', async () => {
  const rows: readonly (readonly [string, () => Promise<string>])[] = [
    ['RS256', () => sign(rsa, good)],
    ['EdDSA', () => sign(ed, good)],
    ['no kid', () => sign(rsa, good, { kid: undefined })],
    ['typ JWT', () => sign(ec, good, { typ: 'JWT' })],
    ['typ jwt', () => sign(ec, good, { typ: 'jwt' })],
    ['typ at+jwt', () => sign(ec, good, { typ: 'at+JWT' })],
    ['typ application/at+jwt', () => sign(ec, good, { typ: 'application/at+jwt' })],
    ['an x5t of no meaning', () => sign(ec, good, { x5t: 'abc' })],
    ['several audiences', () => sign(ec, { ...good, aud: ['account', aud] })],
    ['Keycloak says Bearer', () => sign(ec, { ...good, typ: 'Bearer' })],
    ['expired within the leeway', () => sign(ec, { ...good, exp: nowS - 29 })],
    ['starts within the leeway', () => sign(ec, { ...good, nbf: nowS + 30, iat: nowS + 30 })],
    ['no iat', () => sign(ec, { ...good, iat: undefined })],
    ['a fraction of a second', () => sign(ec, { ...good, exp: nowS + 0.5 })],
    ['a client instead of a subject', () => sign(ec, { ...good, sub: undefined, client_id: 'ci' })],
  ]
  using opened = open({ jwt: [inline] })
  for (const [name, token] of rows) {
    const outcome = await opened.authenticator.admit(bearing(await token()))
    assert.ok(!isRefusal(outcome), name)
  }
  const client = await admitted(opened.authenticator, bearing(await sign(ec, { ...good, sub: undefined, azp: 'ci' })))
  assert.equal(client.id, 'https://id.example#client|ci')
  assert.equal(client.subject, 'ci')
})

test('schemes are read in any case', async () => {
  using opened = open({ jwt: [inline] })
  const token = await sign(ec, good)
  for (const scheme of ['Bearer', 'bearer', 'BEARER'])
    await admitted(opened.authenticator, headWith({ authorization: `${scheme} ${token}` }))
})

test('every way in which a token is wrong is refused with 401, and with words for it', async () => {
  const spki = await exportSPKI((await importJWK(rsa.jwk, 'RS256')) as CryptoKey)
  const hmac = (secret: string | Buffer, header: object) => {
    const content = `${part(header)}.${part(good)}`
    return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`
  }
  const resigned = async (key: IssuerKey, jwk: object) => await sign(key, good, { kid: undefined, jwk })
  const stranger = await makeKey('ec')
  const strangerRsa = await makeKey('rsa', 'RS256')
  const header = (more = '') => `{"alg":"ES256","kid":"ec"${more}}`
  const payload = JSON.stringify(good)
  const token = await sign(ec, good)
  const [h = '', p = '', s = ''] = token.split('.')
  const rows: readonly (readonly [name: string, words: RegExp, token: string | Promise<string>])[] = [
    ['no JWT', /neither a JWT/, 'secret'],
    ['one part less', /neither a JWT/, `${h}.${p}`],
    ['one part more', /neither a JWT/, `${token}.${s}`],
    ['very many parts', /neither a JWT/, '.'.repeat(16_000)],
    ['no signature', /neither a JWT/, `${h}.${p}.`],
    ['padded', /neither a JWT/, `${token}==`],
    ['base64, not base64url', /neither a JWT|not JSON/, `${h}.${p}.+/${s}`],
    ['encrypted', /JWE/, `${part({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.a.b.c.d`],
    ['huge', /longer than 16 KiB/, sign(ec, { ...good, groups: 'x'.repeat(20_000) })],
    ['alg none', /algorithm/, `${part({ alg: 'none' })}.${p}.${s}`],
    ['alg none without signature', /neither a JWT/, `${part({ alg: 'none' })}.${p}.`],
    ['alg None', /algorithm/, `${part({ alg: 'None' })}.${p}.${s}`],
    ['HS256 with the public key as its secret', /algorithm/, hmac(spki, { alg: 'HS256', kid: 'rsa' })],
    ['HS256 with the modulus as its secret', /algorithm/, hmac(Buffer.from(rsa.jwk.n ?? '', 'base64url'), { alg: 'HS256', kid: 'rsa' })],
    ['HMAC that says RS256', /signature/, hmac(spki, { alg: 'RS256', kid: 'rsa' })],
    ['RS512, which is not taken', /algorithm/, sign(strong, good)],
    ['alg of another key', /no such key/, sign(ec, good, { kid: 'rsa' })],
    ['alg not text', /algorithm/, signText(ec, '{"alg":["ES256"],"kid":"ec"}', payload)],
    ['no alg', /algorithm/, signText(ec, '{"kid":"ec"}', payload)],
    ['kid of nobody', /no such key/, sign(ec, good, { kid: 'other' })],
    ['kid as a path', /no such key/, sign(ec, good, { kid: '../../../../dev/null' })],
    ['kid as SQL', /no such key/, sign(ec, good, { kid: "ec' OR 1=1" })],
    ['kid as a URL', /no such key/, sign(ec, good, { kid: 'http://127.0.0.1/jwks' })],
    ['kid __proto__', /no such key/, sign(ec, good, { kid: '__proto__' })],
    ['kid not text', /no such key/, signText(ec, '{"alg":"ES256","kid":1}', payload)],
    ['kid without end', /no such key/, sign(ec, good, { kid: 'k'.repeat(5000) })],
    ['its own key as jwk', /signature/, resigned(stranger, stranger.jwk)],
    ['its own key as x5c', /signature/, sign(stranger, good, { x5c: ['MIIB'] })],
    ['another key with that kid', /signature/, sign(stranger, good)],
    ['another RSA key with that kid', /signature/, sign(strangerRsa, good)],
    ['crit', /extension/, sign(ec, good, { crit: ['exp'], exp: 1 })],
    ['empty crit', /extension/, sign(ec, good, { crit: [] })],
    ['b64', /extension/, sign(ec, good, { b64: false, crit: ['b64'] })],
    ['b64 without crit', /extension/, sign(ec, good, { b64: true })],
    ['a logout token', /not an access token/, sign(ec, good, { typ: 'logout+jwt' })],
    ['an ID-JAG', /not an access token/, sign(ec, good, { typ: 'oauth-id-jag+jwt' })],
    ['a DPoP proof', /not an access token/, sign(ec, good, { typ: 'dpop+jwt' })],
    ['typ not text', /not an access token/, sign(ec, good, { typ: 1 })],
    ...['ID', 'Refresh', 'Offline', 'Logout', 'Serialized-ID', 'DPoP', ''].map(
      (typ) => [`Keycloak's ${typ}`, /not an access token/, sign(ec, { ...good, typ })] as const,
    ),
    ['another issuer', /issuer is not trusted/, sign(ec, { ...good, iss: 'https://evil.example' })],
    ['issuer with a slash', /issuer is not trusted/, sign(ec, { ...good, iss: `${iss}/` })],
    ['issuer in capitals', /issuer is not trusted/, sign(ec, { ...good, iss: iss.toUpperCase() })],
    ['a list of issuers', /issuer is not trusted/, sign(ec, { ...good, iss: [iss] })],
    ['no issuer', /issuer is not trusted/, sign(ec, { ...good, iss: undefined })],
    ['another audience', /another audience/, sign(ec, { ...good, aud: 'https://other.example' })],
    ['audience as a prefix', /another audience/, sign(ec, { ...good, aud: `${aud}/more` })],
    ['audience as a part', /another audience/, sign(ec, { ...good, aud: 'https://mcp.example' })],
    ['audience in capitals', /another audience/, sign(ec, { ...good, aud: aud.toUpperCase() })],
    ['audiences in one text', /another audience/, sign(ec, { ...good, aud: `${aud} other` })],
    ['no audience', /another audience/, sign(ec, { ...good, aud: undefined })],
    ['empty list of audiences', /another audience/, sign(ec, { ...good, aud: [] })],
    ['other audiences', /another audience/, sign(ec, { ...good, aud: ['a', 'b'] })],
    ['audiences not all text', /another audience/, sign(ec, { ...good, aud: [aud, 1] })],
    ['audience as an object', /another audience/, sign(ec, { ...good, aud: { [aud]: aud } })],
    ['no expiry', /time of expiry/, sign(ec, { ...good, exp: undefined })],
    ['expiry as text', /time of expiry/, sign(ec, { ...good, exp: String(nowS + 300) })],
    ['expiry null', /time of expiry/, sign(ec, { ...good, exp: null })],
    ['expiry without bound', /time of expiry/, signText(ec, header(), payload.replace(String(nowS + 300), '1e999'))],
    ['expired', /has expired/, sign(ec, { ...good, exp: nowS - 30 })],
    ['expired long ago', /has expired/, sign(ec, { ...good, exp: -1e300 })],
    ['not yet', /not valid yet/, sign(ec, { ...good, nbf: nowS + 31 })],
    ['nbf as text', /not valid yet/, sign(ec, { ...good, nbf: '0' })],
    ['issued in the future', /not valid yet/, sign(ec, { ...good, iat: nowS + 31 })],
    ['iat as text', /not valid yet/, sign(ec, { ...good, iat: 'now' })],
    ['no subject', /whom it is about/, sign(ec, { ...good, sub: undefined })],
    ['empty subject', /whom it is about/, sign(ec, { ...good, sub: '', client_id: 'ci' })],
    ['subject not text', /whom it is about/, sign(ec, { ...good, sub: 17 })],
    ['subject without end', /whom it is about/, sign(ec, { ...good, sub: 'x'.repeat(1025) })],
    ['half a character as subject', /whom it is about/, signText(ec, header(), payload.replace('"ann"', '"\\ud800"'))],
    ['bound to a key', /bound to a key/, sign(ec, { ...good, cnf: { jkt: 'abc' } })],
    ['a claim twice', /not JSON/, signText(ec, header(), payload.replace('{', '{"sub":"root",'))],
    ['a claim twice after its escapes', /not JSON/, signText(ec, header(), payload.replace('{', '{"\\u0073ub":"root",'))],
    ['alg twice', /not JSON/, signText(ec, header(',"alg":"none"'), payload)],
    ['claims no object', /not JSON/, signText(ec, header(), '["ann"]')],
    ['claims no JSON', /not JSON/, signText(ec, header(), payload.slice(0, -1))],
    ['claims with a byte order mark', /not JSON/, signText(ec, header(), `\ufeff${payload}`)],
    ['claims too deep', /not JSON/, signText(ec, header(), payload.replace('{', `{"d":${'['.repeat(40)}${']'.repeat(40)},`))],
    ['very many claims', /not JSON/, signText(ec, header(), payload.replace('{', `{"d":[${'1,'.repeat(3000)}1],`))],
  ]
  using opened = open({ jwt: [inline] })
  using optional = open({ mode: 'optional', jwt: [inline] })
  for (const [name, words, wrong] of rows) {
    const head = bearing(await wrong)
    for (const { authenticator } of [opened, optional]) {
      const outcome = await authenticator.admit(head)
      assert.ok(isRefusal(outcome), `${name} was let in`)
      assert.equal(outcome.reason, 'unauthenticated', name)
      assert.match(outcome.text, words, name)
      assert.match(challengeOf(outcome), /^Bearer resource_metadata="[^"]+", error="invalid_token", error_description="[^"]+"$/, name)
    }
  }
})

test('a claim of any name is a claim and nothing more', async () => {
  using opened = open({ jwt: [inline] })
  const text = JSON.stringify(good).replace('{', '{"__proto__":{"admin":true},"constructor":1,')
  const { claims } = await admitted(opened.authenticator, bearing(await signText(ec, '{"alg":"ES256","kid":"ec"}', text)))
  assert.equal(claims.get('admin'), undefined)
  assert.deepEqual(claims.get('__proto__'), new Map([['admin', true]]))
})

test('a token doesn’t say where its key is: nobody is asked', async () => {
  await using elsewhere = await serveIssuer()
  const stranger = await makeKey('new')
  elsewhere.publish(stranger)
  using opened = open({ jwt: [inline] })
  for (const name of ['jku', 'x5u']) {
    const token = await sign(stranger, good, { [name]: `${elsewhere.url}/jwks` })
    assert.equal((await refused(opened.authenticator, bearing(token))).reason, 'unauthenticated')
  }
  const token = await sign(stranger, { ...good, iss: elsewhere.url })
  assert.match((await refused(opened.authenticator, bearing(token))).text, /issuer is not trusted/)
  assert.deepEqual(elsewhere.asked, [])
})

test('who acts for whom is the chain of `act`, the nearest first', async () => {
  using opened = open({ jwt: [inline] })
  const chain = (length: number): unknown => (length === 0 ? undefined : { sub: `agent-${length}`, act: chain(length - 1) })
  const act = { sub: 'gateway', act: { client_id: 'agent' } }
  assert.deepEqual((await admitted(opened.authenticator, bearing(await sign(ec, { ...good, act })))).actors, ['gateway', 'agent'])
  assert.equal((await admitted(opened.authenticator, bearing(await sign(ec, { ...good, act: chain(10) })))).actors.length, 10)
  for (const wrong of [chain(11), 'agent', [], {}, { sub: '' }, { sub: 1 }, { sub: 'a', act: null }, { sub: 'a', act: {} }, null]) {
    const { text } = await refused(opened.authenticator, bearing(await sign(ec, { ...good, act: wrong })))
    assert.match(text, /who acts for whom/, JSON.stringify(wrong))
  }
})

test('a good token without a scope that all must carry is refused with 403', async () => {
  const scoped = { ...inline, scopes: ['mcp', 'tools'] }
  using opened = open({ jwt: [scoped] })
  const rows: readonly (readonly [object, boolean])[] = [
    [{ scope: 'tools other mcp' }, true],
    [{ scp: 'mcp tools' }, true],
    [{ scp: ['mcp', 'tools'] }, true],
    [{ scope: 'mcp', scp: ['tools'] }, true],
    [{ scope: 'mcp' }, false],
    [{ scope: 'mcp,tools' }, false],
    [{ scope: 'MCP TOOLS' }, false],
    [{ scope: 'mcptools mcp' }, false],
    [{ scp: { mcp: true, tools: true } }, false],
    [{ scope: 'toString mcp' }, false],
    [{}, false],
  ]
  for (const [claims, isEnough] of rows) {
    const outcome = await opened.authenticator.admit(bearing(await sign(ec, { ...good, ...claims })))
    assert.equal(isRefusal(outcome) ? outcome.reason : undefined, isEnough ? undefined : 'scope', JSON.stringify(claims))
    if (!isRefusal(outcome)) continue
    assert.match(outcome.text, /mcp tools/)
    assert.match(challengeOf(outcome), /^Bearer resource_metadata="[^"]+", scope="mcp tools", error="insufficient_scope"/)
  }
  // Who is nobody is not told what it would take.
  const stranger = await makeKey('ec')
  assert.equal((await refused(opened.authenticator, bearing(await sign(stranger, good)))).reason, 'unauthenticated')
})

test('an issuer may be trusted twice, for other audiences', async () => {
  using opened = open({ jwt: [{ ...inline, audiences: ['other'] }, inline] })
  assert.equal((await admitted(opened.authenticator, bearing(await sign(ec, good)))).subject, 'ann')
  assert.equal((await admitted(opened.authenticator, bearing(await sign(ec, { ...good, aud: 'other' })))).subject, 'ann')
})

test('one issuer’s key does not sign for another', async () => {
  const other = jwtSettings({ issuer: 'https://other.example', keys: { kind: 'inline', jwks: JSON.stringify({ keys: [rsa.jwk] }) } })
  using opened = open({ jwt: [{ ...inline, keys: { kind: 'inline', jwks: JSON.stringify({ keys: [ec.jwk] }) } }, other] })
  await admitted(opened.authenticator, bearing(await sign(rsa, { ...good, iss: other.issuer })))
  assert.match((await refused(opened.authenticator, bearing(await sign(rsa, good)))).text, /no such key/)
})

test('a known token ends at its expiry', async () => {
  using opened = open({ jwt: [inline] })
  const head = bearing(await sign(ec, good))
  const caller = await admitted(opened.authenticator, head)
  opened.clock.nowMs = (nowS + 330) * 1000 - 1
  assert.equal(opened.authenticator.admit(head), caller)
  assert.ok(opened.authenticator.isValid(caller))
  opened.clock.nowMs += 1
  assert.ok(!opened.authenticator.isValid(caller))
  assert.match((await refused(opened.authenticator, head)).text, /has expired/)
})

test('a token that expires while its keys are asked for is refused', async () => {
  await using issuer = await serveIssuer()
  const keys = { kind: 'url', url: `${issuer.url}/jwks`, refreshMs: 300_000, ca: undefined } as const
  using opened = open({ jwt: [jwtSettings({ keys })] })
  issuer.pages.set('/jwks', (response: ServerResponse) => {
    opened.clock.nowMs = (nowS + 330) * 1000
    response.end(JSON.stringify({ keys: [ec.jwk] }))
  })
  assert.match((await refused(opened.authenticator, bearing(await sign(ec, good)))).text, /has expired/)
})

test('a hundred first requests with one token are one caller, and one request for keys', async () => {
  await using issuer = await serveIssuer()
  issuer.publish(ec)
  const keys = { kind: 'url', url: `${issuer.url}/jwks`, refreshMs: 300_000, ca: undefined } as const
  using opened = open({ jwt: [jwtSettings({ keys })] })
  const head = bearing(await sign(ec, good))
  const callers = await Promise.all(Array.from({ length: 100 }, () => admitted(opened.authenticator, head)))
  assert.equal(new Set(callers).size, 1)
  assert.equal(opened.authenticator.admit(head), callers[0])
  assert.deepEqual(issuer.asked, ['/jwks'])
})

test('when keys change, tokens of the new one are taken and those of the old one end, known ones too', async () => {
  await using issuer = await serveIssuer()
  issuer.publish(ec)
  const keys = { kind: 'url', url: `${issuer.url}/jwks`, refreshMs: 300_000, ca: undefined } as const
  using opened = open({ jwt: [jwtSettings({ keys })] })
  const { authenticator } = opened
  const old = bearing(await sign(ec, good))
  const caller = await admitted(authenticator, old)
  issuer.publish(ec, ed)
  await admitted(authenticator, bearing(await sign(ed, good)))
  assert.equal(authenticator.admit(old), caller)
  issuer.publish(ed)
  opened.clock.nowMs += 30_000
  await refused(authenticator, bearing(await sign(rsa, good)))
  assert.ok(!authenticator.isValid(caller))
  assert.match((await refused(authenticator, old)).text, /no such key/)
})

test('an outage is never the caller’s fault: 503 without keys, as before with them', async () => {
  await using issuer = await serveIssuer()
  const keys = { kind: 'url', url: `${issuer.url}/jwks`, refreshMs: 300_000, ca: undefined } as const
  using opened = open({ jwt: [jwtSettings({ keys })] })
  const { authenticator, clock } = opened
  const head = bearing(await sign(ec, good))
  const cold = await refused(authenticator, head)
  assert.equal(cold.reason, 'overloaded')
  assert.deepEqual(cold.headers, { 'retry-after': '2' })
  assert.match(cold.text, /identity provider can't be reached/)
  // What no key could mend needs none.
  assert.equal((await refused(authenticator, bearing(await sign(ec, { ...good, exp: 1 })))).reason, 'unauthenticated')
  issuer.publish(ec)
  clock.nowMs += 2000
  await admitted(authenticator, head)
  issuer.pages.set('/jwks', 503)
  clock.nowMs += 60_000
  assert.equal((await refused(authenticator, bearing(await sign(ed, good)))).reason, 'overloaded')
  await admitted(authenticator, bearing(await sign(ec, { ...good, sub: 'bob' })))
})

test('made-up keys don’t press the issuer', async () => {
  await using issuer = await serveIssuer()
  issuer.publish(ec)
  const keys = { kind: 'url', url: `${issuer.url}/jwks`, refreshMs: 300_000, ca: undefined } as const
  using opened = open({ jwt: [jwtSettings({ keys })] })
  for (let n = 0; n < 1000; n++) await refused(opened.authenticator, bearing(await sign(ec, good, { kid: `k${n}` })))
  assert.ok(issuer.asked.length <= 2, String(issuer.asked.length))
})

const digestOf = (key: string) => createHash('sha256').update(key).digest('hex')
const apiKeys = [
  { id: 'ci', digest: digestOf('key-of-ci'), claims: { team: 'infra', level: 3, id: 'someone-else' } },
  { id: 'cron job', digest: digestOf('key-of-cron'), claims: {} },
]

test('an API key is taken as a bearer token and in its own header', async () => {
  using opened = open({ apiKeys, jwt: [inline] })
  const { authenticator } = opened
  const caller = authenticator.admit(headWith({ 'x-api-key': 'key-of-ci' }))
  assert.ok(!(caller instanceof Promise) && !isRefusal(caller))
  const { claims, ...rest } = caller
  assert.deepEqual(rest, {
    kind: 'apiKey',
    id: 'apiKey:ci',
    subject: 'ci',
    issuer: undefined,
    actors: [],
    expiresAtMs: Number.POSITIVE_INFINITY,
  })
  assert.deepEqual([...claims], Object.entries({ team: 'infra', level: 3n, id: 'ci' }))
  assert.equal(authenticator.admit(bearing('key-of-ci')), caller)
  assert.ok(authenticator.isValid(caller))
  assert.equal((await admitted(authenticator, bearing('key-of-cron'))).id, 'apiKey:cron%20job')
  assert.equal((await admitted(authenticator, bearing(await sign(ec, good)))).kind, 'jwt')
})

test('what is no known key is refused', async () => {
  using opened = open({ apiKeys, mode: 'optional' })
  const rows: readonly (readonly [Readonly<Record<string, string>>, Refusal['reason'], RegExp])[] = [
    [{ 'x-api-key': 'other' }, 'unauthenticated', /not known here/],
    [{ 'x-api-key': digestOf('key-of-ci') }, 'unauthenticated', /not known here/],
    [{ 'x-api-key': 'key-of-ci ' }, 'unauthenticated', /one key/],
    [{ 'x-api-key': '' }, 'unauthenticated', /one key/],
    [{ 'x-api-key': 'key-of-ci, key-of-ci' }, 'unauthenticated', /one key/],
    [{ authorization: 'Bearer other' }, 'unauthenticated', /key that is known here/],
    [{ authorization: 'Bearer key-of-ci key-of-ci' }, 'unauthenticated', /one token/],
    [{ authorization: 'Bearer' }, 'unauthenticated', /one token/],
    [{ authorization: 'Bearer ' }, 'unauthenticated', /one token/],
    [{ authorization: '' }, 'unauthenticated', /one token/],
    [{ authorization: 'Basic a2V5OmtleQ==' }, 'unauthenticated', /must be `Bearer`/],
    [{ authorization: 'key-of-ci' }, 'unauthenticated', /must be `Bearer`/],
    [{ authorization: 'Bearer kéy' }, 'unauthenticated', /one token/],
    [{ authorization: 'Bearer key-of-ci', 'x-api-key': 'key-of-ci' }, 'bad-request', /send one of them/],
  ]
  for (const [headers, reason, words] of rows) {
    const refusal = await refused(opened.authenticator, headWith(headers))
    assert.equal(refusal.reason, reason, JSON.stringify(headers))
    assert.match(refusal.text, words)
    assert.match(challengeOf(refusal), /^Bearer /)
  }
})

test('`X-API-Key` is none of ours where there are no keys', async () => {
  using opened = open({ jwt: [inline] })
  const authorization = `Bearer ${await sign(ec, good)}`
  assert.equal((await admitted(opened.authenticator, headWith({ authorization, 'x-api-key': 'of the server' }))).subject, 'ann')
})

test('a credential in the URL is refused, also beside a good one', async () => {
  using opened = open({ jwt: [inline], apiKeys, mode: 'optional' })
  const token = await sign(ec, good)
  const queries = [`access_token=${token}`, 'a=b&api_key=key-of-ci', 'ACCESS_TOKEN=', 'access%5ftoken=x', 'a&access_token']
  for (const query of queries) {
    for (const headers of [{}, { authorization: `Bearer ${token}` }]) {
      const refusal = await refused(opened.authenticator, headWith(headers, { query }))
      assert.equal(refusal.reason, 'unauthenticated', query)
      assert.match(challengeOf(refusal), /error="invalid_request"/)
      assert.match(refusal.text, /URL/)
    }
  }
  assert.equal(opened.authenticator.admit(headWith({}, { query: 'token=1&x=access_token' })), anonymous)
})

test('without a credential: 401 where one is needed, anonymous where not', async () => {
  using strict = open({ jwt: [inline], apiKeys, mtls: true })
  const refusal = await refused(strict.authenticator, headWith({}))
  assert.equal(refusal.reason, 'unauthenticated')
  assert.match(refusal.text, /log in .* or send an API key .* or show a client certificate/)
  assert.match(challengeOf(refusal), /^Bearer resource_metadata="[^"]+"$/)
  assert.deepEqual(strict.authenticator.challenge(headWith({})), refusal)
  assert.ok(!strict.authenticator.isValid(anonymous))
  using optional = open({ mode: 'optional', jwt: [inline] })
  assert.equal(optional.authenticator.admit(headWith({})), anonymous)
  assert.ok(optional.authenticator.isValid(anonymous))
  using nothing = open({})
  assert.match((await refused(nothing.authenticator, headWith({}))).text, /nobody is let in/)
})

const certificate: ClientCertificate = {
  identity: 'spiffe://example/sre',
  subject: 'CN=sre',
  issuer: 'CN=ca',
  alternativeNames: ['URI:spiffe://example/sre'],
  fingerprint: 'ab'.repeat(32),
  expiresAtMs: (nowS + 60) * 1000,
}
const showing = (shown: ClientCertificate | 'refused' | undefined, headers = {}) => headWith(headers, { tls: { certificate: shown } })

test('a client certificate says who calls where it is asked for', async () => {
  using opened = open({ mtls: true, jwt: [inline] })
  const { authenticator, clock } = opened
  const caller = await admitted(authenticator, showing(certificate))
  assert.equal(caller.kind, 'certificate')
  assert.equal(caller.id, 'certificate:spiffe://example/sre')
  assert.equal(caller.subject, 'spiffe://example/sre')
  assert.equal(caller.issuer, 'CN=ca')
  assert.equal(authenticator.admit(showing({ ...certificate })), caller)
  assert.notEqual(authenticator.admit(showing({ ...certificate, fingerprint: 'cd'.repeat(32) })), caller)
  assert.ok(authenticator.isValid(caller))
  const authorization = `Bearer ${await sign(ec, good)}`
  assert.equal((await admitted(authenticator, showing(certificate, { authorization }))).kind, 'jwt')
  await refused(authenticator, showing(certificate, { authorization: 'Bearer bad' }))
  // Who a token names is no other for a certificate that nobody knows.
  assert.equal((await admitted(authenticator, showing('refused', { authorization }))).kind, 'jwt')
  assert.match((await refused(authenticator, showing('refused'))).text, /client certificate is not one/)
  await refused(authenticator, showing(undefined))
  await refused(authenticator, headWith({}))
  clock.nowMs = certificate.expiresAtMs
  assert.match((await refused(authenticator, showing(certificate))).text, /has expired/)
  assert.ok(!authenticator.isValid(caller))
})

test('a certificate is nobody where it is not asked for', async () => {
  using opened = open({ jwt: [inline], mode: 'optional' })
  for (const shown of [certificate, 'refused'] as const) assert.equal(opened.authenticator.admit(showing(shown)), anonymous)
})

test('a caller of another authenticator is not valid here', async () => {
  using first = open({ jwt: [inline], apiKeys })
  using second = open({ jwt: [inline], apiKeys })
  for (const head of [bearing(await sign(ec, good)), bearing('key-of-ci')]) {
    const caller = await admitted(first.authenticator, head)
    assert.ok(first.authenticator.isValid(caller))
    assert.ok(!second.authenticator.isValid(caller))
  }
})

test('refusals are logged with issuer and kid, by reason once in 10 s, and never with a credential', async () => {
  using opened = open({ jwt: [inline], apiKeys })
  const { authenticator, log, clock } = opened
  const token = await sign(ec, good, { kid: 'other' })
  for (let n = 0; n < 50; n++) await refused(authenticator, bearing(token))
  await refused(authenticator, headWith({ 'x-api-key': 'canary-key' }))
  clock.nowMs += 10_000
  await refused(authenticator, bearing(token))
  const logged = log.lines.map(({ level, fields }) => ({ level, ...fields }))
  assert.deepEqual(logged, [
    { level: 'info', why: 'key-unknown', issuer: iss, kid: 'other' },
    { level: 'info', why: 'no-such-key' },
    { level: 'info', why: 'key-unknown', issuer: iss, kid: 'other', unlogged: 49 },
  ])
})

test('no token that differs from a good one in any byte is taken', async () => {
  using opened = open({ jwt: [inline] })
  const { authenticator } = opened
  const tokens = await Promise.all([ec, rsa, ed].map((key) => sign(key, good)))
  for (const token of tokens) await admitted(authenticator, bearing(token))
  const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ~']
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...tokens), fc.nat(), fc.constantFrom(...alphabet), async (token, place, character) => {
      const at = place % token.length
      fc.pre(token[at] !== character)
      await refused(authenticator, bearing(token.slice(0, at) + character + token.slice(at + 1)))
    }),
    { numRuns: 1000 },
  )
  // The last character of a signature may have bits that mean nothing: all its spellings but one.
  for (const token of tokens) {
    for (const character of alphabet) {
      if (!token.endsWith(character) && character !== ' ') await refused(authenticator, bearing(token.slice(0, -1) + character))
    }
  }
})
