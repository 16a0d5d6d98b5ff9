import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anonymous } from '../../mcp/mcp.ts'
import { VerifiedTokens } from './verified-tokens.ts'

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
