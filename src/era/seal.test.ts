import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { createExpiringSealer, createSealer, type SealKey } from './seal.ts'

const key = (id: string): SealKey => ({ id, secret: randomBytes(32) })
const [a, b] = [key('a'), key('b')]
const sealer = createSealer('session', [a], randomBytes)

test('a text comes back for the same bound values only', () => {
  const texts = fc.string({ unit: 'grapheme', maxLength: 200 })
  const bounds = fc.array(fc.string({ maxLength: 4 }), { maxLength: 3 })
  fc.assert(
    fc.property(texts, bounds, bounds, (text, bound, other) => {
      const token = sealer.seal(text, bound)
      assert.match(token, /^a\.[A-Za-z0-9_-]+$/)
      assert.equal(sealer.open(token, bound), text)
      if (JSON.stringify(other) !== JSON.stringify(bound)) assert.equal(sealer.open(token, other), undefined)
    }),
  )
})

test('bound values do not run into each other', () => {
  const token = sealer.seal('x', ['ab', 'c'])
  for (const bound of [['a', 'bc'], ['ab,c'], ['c', 'ab'], ['ab', 'c', ''], ['"ab","c"']])
    assert.equal(sealer.open(token, bound), undefined)
})

test('one changed bit anywhere opens nothing', () => {
  const token = sealer.seal('{"some":"text"}', ['r', 'c'])
  const at = token.indexOf('.') + 1
  const bytes = Buffer.from(token.slice(at), 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.equal(sealer.open(`a.${changed.toString('base64url')}`, ['r', 'c']), undefined)
  }
})

test('a token has one spelling: what a lenient decoder skips is not skipped', () => {
  const token = sealer.seal('xx', [])
  for (const other of [`${token}=`, `${token} `, `${token}\n`, `${token}A`, token.slice(0, -1), token.replace('.', '..'), ` ${token}`])
    assert.equal(sealer.open(other, []), undefined, other)
})

test('keys rotate: the first seals, every one opens, a dropped one opens nothing', () => {
  const old = sealer.seal('x', [])
  const both = createSealer('session', [b, a], randomBytes)
  assert.equal(both.open(old, []), 'x')
  const fresh = both.seal('y', [])
  assert.ok(fresh.startsWith('b.'))
  const later = createSealer('session', [b], randomBytes)
  assert.deepEqual([later.open(old, []), later.open(fresh, [])], [undefined, 'y'])
  const renamed = createSealer('session', [{ id: 'a', secret: b.secret }], randomBytes)
  assert.equal(renamed.open(fresh.replace(/^b/, 'a'), []), undefined)
})

test('a key has another use for each purpose', () => {
  assert.equal(createSealer('continuation', [a], randomBytes).open(sealer.seal('x', []), []), undefined)
})

test('garbage opens nothing and throws nothing', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.base64String().map((text) => `a.${text}`),
      ),
      (token) => {
        assert.equal(sealer.open(token, []), undefined)
      },
    ),
  )
  assert.equal(sealer.open(`a.${'A'.repeat(1_000_000)}`, []), undefined)
})

test('a sealer without a key can not be made', () => {
  assert.throws(() => createSealer('session', [], randomBytes))
})

test('a token longer than the bound is not looked at', () => {
  const text = 'x'.repeat(6200)
  const [usual, wide] = [sealer, createSealer('session', [a], randomBytes, 256 * 1024)]
  assert.equal(usual.open(wide.seal(text, []), []), undefined)
  assert.ok(wide.open(usual.seal(text, []), []) === text)
  assert.ok(usual.open(usual.seal('x'.repeat(6000), []), []))
  assert.ok(wide.open(wide.seal('x'.repeat(190_000), []), []))
  assert.equal(wide.open(wide.seal('x'.repeat(200_000), []), []), undefined)
})

test('an expiring token opens until its time is past, and for the same bound values', () => {
  const clock = { at: 1000 }
  const expiring = createExpiringSealer(sealer, 500, () => clock.at)
  fc.assert(
    fc.property(fc.string(), fc.oneof(fc.constantFrom(0, 500, 501), fc.nat(1000)), (text, later) => {
      clock.at = 1000
      const token = expiring.seal(text, ['r'])
      clock.at = 1000 + later
      assert.equal(expiring.open(token, ['r']), later <= 500 ? text : undefined)
      assert.equal(expiring.open(token, ['other']), undefined)
    }),
  )
  clock.at = 0
  for (const text of ['', 'x', 'x y']) assert.equal(expiring.open(sealer.seal(text, []), []), undefined, text)
})
