import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeHeaderValue, encodeHeaderValue } from './header-value.ts'

test('the examples of the specification', () => {
  for (const [value, header] of [
    ['us-west1', 'us-west1'],
    ['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
    [' padded ', '=?base64?IHBhZGRlZCA=?='],
    ['line1\nline2', '=?base64?bGluZTEKbGluZTI=?='],
    ['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
  ] as const) {
    assert.equal(encodeHeaderValue(value), header)
    assert.equal(decodeHeaderValue(header), value)
  }
})

test('every text comes back, and travels as visible ASCII and inner spaces', () => {
  const near = fc.tuple(
    fc.constantFrom('', '=?base64?', '=?BASE64?', ' '),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('', '?=', '\t', '\n'),
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'grapheme' }),
        near.map((parts) => parts.join('')),
      ),
      (value) => {
        const header = encodeHeaderValue(value)
        assert.match(header, /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/)
        assert.equal(decodeHeaderValue(header), value)
      },
    ),
  )
})

test('broken Base64 and broken UTF-8 have no value; a marker in another case is a plain value', () => {
  for (const inner of ['YWRk=', 'YWR', 'YW Rk', '!', 'YWR-', 'YWRl_', 'YR==', '/w==', '7aCA']) {
    assert.equal(decodeHeaderValue(`=?base64?${inner}?=`), undefined, inner)
  }
  assert.equal(decodeHeaderValue('=?BASE64?YWRk?='), '=?BASE64?YWRk?=')
  assert.equal(decodeHeaderValue('=?base64??='), '')
})
