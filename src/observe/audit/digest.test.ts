import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { createDigest } from './digest.ts'

test('digests are those of RFC 2104 and FIPS 180, of texts and of bytes, one after another', () => {
  const bytes = fc.uint8Array({ maxLength: 9000, size: 'max' })
  const text = fc.string({ unit: 'binary', maxLength: 3000, size: 'max' })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.array(fc.oneof(bytes, text), { minLength: 1, maxLength: 5 }), (key, all) => {
      const keyed = createDigest(key)
      const plain = createDigest(undefined)
      for (const data of all) {
        assert.equal(keyed(data), createHmac('sha256', key).update(data).digest('hex'))
        assert.equal(plain(data), createHash('sha256').update(data).digest('hex'))
      }
    }),
    { numRuns: 40 },
  )
})

test('a long text has the same digest as a short one would, and a long key is none', () => {
  const key = Buffer.alloc(32, 7)
  const digest = createDigest(key)
  for (const length of [87_381, 87_382, 300_000, 1]) {
    assert.equal(digest('é'.repeat(length)), createHmac('sha256', key).update('é'.repeat(length)).digest('hex'))
  }
  assert.throws(() => createDigest(Buffer.alloc(65)), RangeError)
})
