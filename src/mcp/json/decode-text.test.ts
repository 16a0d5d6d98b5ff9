import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decodeText } from './decode-text.ts'

describe('decodeText', () => {
  const refused: readonly (readonly [string, readonly number[]])[] = [
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x7b, 0x7d]],
    ['a byte order mark of UTF-16', [0xff, 0xfe, 0x7b, 0x00]],
    ['a stray continuation byte', [0x7b, 0x80]],
    ['a sequence cut off', [0x7b, 0xe2, 0x82]],
    ['an overlong form', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a code point over U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ]
  for (const [title, bytes] of refused) {
    test(`refuses ${title}`, () => {
      const read = decodeText(Uint8Array.from(bytes))
      assert(typeof read !== 'string')
      assert.equal(read.fault, 'encoding')
    })
  }

  test('reads the bytes of a view into a larger buffer, and no others', () => {
    assert.equal(decodeText(Uint8Array.from([0xff, 0x7b, 0x7d, 0xff]).subarray(1, 3)), '{}')
    assert.equal(decodeText(new Uint8Array(0)), '')
  })

  test('reads what a strict TextDecoder reads, and refuses what it refuses', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const bytes = fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => new TextEncoder().encode(text)),
      fc.uint8Array({ maxLength: 8 }),
    )
    fc.assert(
      fc.property(bytes, (sent) => {
        const read = decodeText(sent)
        let expected: string | undefined
        try {
          expected = strict.decode(sent)
        } catch {}
        assert.equal(typeof read === 'string' ? read : undefined, expected?.startsWith('\ufeff') ? undefined : expected)
      }),
      { numRuns: 500 },
    )
  })
})
