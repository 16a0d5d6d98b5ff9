import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { anonymous } from '../../mcp/mcp.ts'
import { jwtSettings, keptLog, makeKey, signText } from './issuer-for-test.ts'
import { createKeySet } from './key-set.ts'
import { VerifiedTokens } from './verified-tokens.ts'
import { verifyToken } from './verify-token.ts'

const key = { kid: 'a', algorithms: [], cryptoKey: async () => undefined }
let holdsKey = true
const keys = {
  find: async () => ({ kind: 'keys' as const, keys: [] }),
  holds: () => holdsKey,
  tick: () => {},
  fault: undefined,
  idle: async () => {},
  close: () => {},
}
const tokenOf = (claims: ReadonlyMap<string, unknown>, expiresAtMs = 1000) => ({
  caller: { ...anonymous, kind: 'jwt' as const, claims, expiresAtMs },
  key,
  keys,
})
const limits = { entries: 3, bytes: 1e6 }

test('what was used longest ago is forgotten first', () => {
  const tokens = new VerifiedTokens(limits)
  for (const digest of ['a', 'b', 'c']) tokens.add(digest, tokenOf(new Map()))
  assert.ok(tokens.get('a', 0))
  tokens.add('d', tokenOf(new Map()))
  assert.equal(tokens.size, 3)
  assert.equal(tokens.get('b', 0), undefined)
  for (const digest of ['a', 'c', 'd']) assert.ok(tokens.get(digest, 0), digest)
})

test('large claims make room for themselves, and what is added again counts once', () => {
  const large = new Map([['groups', Array.from({ length: 100 }, () => 'x'.repeat(1000))]])
  const tokens = new VerifiedTokens({ entries: 1000, bytes: 500_000 })
  for (let i = 0; i < 50; i++) tokens.add('again', tokenOf(large))
  assert.equal(tokens.size, 1)
  for (const digest of ['a', 'b', 'c', 'd']) tokens.add(digest, tokenOf(large))
  assert.equal(tokens.size, 2)
  assert.ok(tokens.get('d', 0))
  tokens.add('small', tokenOf(new Map()))
  assert.equal(tokens.size, 3)
})

test('a token ends at its time, and with its key', () => {
  const tokens = new VerifiedTokens(limits)
  tokens.add('a', tokenOf(new Map()))
  assert.ok(tokens.get('a', 999))
  assert.equal(tokens.get('a', 1000), undefined)
  assert.equal(tokens.size, 0)
  tokens.add('a', tokenOf(new Map()))
  holdsKey = false
  assert.equal(tokens.get('a', 0), undefined)
  holdsKey = true
  assert.equal(tokens.get('a', 0), undefined)
})

test('what an entry holds besides claims counts too, and what it was before is taken off', () => {
  const tokens = new VerifiedTokens({ entries: 1000, bytes: 100_000 })
  for (let i = 0; i < 1000; i++) tokens.add(String(i), tokenOf(new Map()))
  assert.ok(tokens.size > 50 && tokens.size < 150, String(tokens.size))
  const full = tokens.bytes
  assert.ok(full <= 100_000 && full > 98_000, String(full))
  for (let i = 0; i < 1000; i++) tokens.get(String(i), 1000)
  assert.deepEqual([tokens.size, tokens.bytes], [0, 0])
})

/** The bytes of the heap that are in use. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let i = 0; i < 4; i++) collect()
  return process.memoryUsage().heapUsed
}

const plain = { iss: 'https://id.example', aud: 'https://mcp.example/mcp', exp: 4_000_000_000 }
const shapes: readonly (readonly [what: string, text: (sub: string) => string])[] = [
  ['a small token', (sub) => JSON.stringify({ ...plain, sub })],
  ['a token of which most is no value', (sub) => `${JSON.stringify({ ...plain, sub })}${' '.repeat(8000)}`],
  ['groups', (sub) => JSON.stringify({ ...plain, sub, groups: Array.from({ length: 100 }, (_, i) => `a group of ${sub}, ${i}`) })],
  ['objects', (sub) => JSON.stringify({ ...plain, sub, roles: Array.from({ length: 100 }, (_, i) => ({ id: i, name: `role ${i}` })) })],
  ['other letters', (sub) => JSON.stringify({ ...plain, sub, name: '\u0436'.repeat(500), city: '\u5317\u4eac'.repeat(100) })],
]

for (const [what, text] of shapes) {
  test(`entries hold no more of the heap than is counted: ${what}`, async () => {
    const signer = await makeKey('k')
    const settings = jwtSettings({ keys: { kind: 'inline', jwks: JSON.stringify({ keys: [signer.jwk] }) } })
    const issuers = [{ settings, keys: createKeySet(settings, { now: () => 0, log: keptLog() }) }]
    const tokens = new VerifiedTokens({ entries: 1000, bytes: 1e9 })
    const verify = async (i: number) => {
      const done = await verifyToken(await signText(signer, '{"alg":"ES256","kid":"k"}', text(`user-${i} of the house`)), issuers, () => 0)
      assert.ok(done.kind === 'verified', JSON.stringify(done))
      tokens.add(String(i), done)
    }
    await verify(0)
    const before = heapBytes()
    for (let i = 1; i < 600; i++) await verify(i)
    const held = heapBytes() - before
    assert.ok(held <= tokens.bytes, `${held} bytes for ${tokens.size} entries that count as ${tokens.bytes}`)
  })
}
