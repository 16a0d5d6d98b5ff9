import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { callerId } from './caller-id.ts'

test('ids are read as they are, but for what a log or another id could take amiss', () => {
  const rows: readonly (readonly [Parameters<typeof callerId>, string])[] = [
    [['https://id.example/realms/a', '|', 'ann'], 'https://id.example/realms/a|ann'],
    [['https://id.example', '|', 'auth0|17'], 'https://id.example|auth0|17'],
    [['https://id.example', '#client|', 'ci'], 'https://id.example#client|ci'],
    [['https://id.example|x', '|', 'y'], 'https://id.example%7Cx|y'],
    [['apiKey', ':', 'ci bot'], 'apiKey:ci%20bot'],
    [['certificate', ':', 'spiffe://a/b'], 'certificate:spiffe://a/b'],
    [['i', '|', 'a\r\n\u001b[31m%\u202e~é'], 'i|a%0D%0A%1B[31m%25%E2%80%AE%7E%C3%A9'],
  ]
  for (const [input, id] of rows) assert.equal(callerId(...input), id)
})

test('a long name is cut, and never becomes the id of another', () => {
  const long = callerId('https://id.example', '|', 'x'.repeat(1000))
  assert.equal(long.length, 256)
  assert.notEqual(long, callerId('https://id.example', '|', 'x'.repeat(1001)))
  assert.notEqual(long, callerId('https://id.example', '|', long.slice('https://id.example|'.length)))
})

test('two names have two ids, which are short and printable', () => {
  const name = fc.string({ unit: 'binary', maxLength: 300 })
  const separator = fc.constantFrom('|' as const, '#client|' as const)
  const parts = fc.tuple(name, separator, name)
  fc.assert(
    fc.property(parts, parts, (one, other) => {
      const id = callerId(...one)
      assert.match(id, /^[\x21-\x7e]{1,256}$/)
      if (JSON.stringify(one) !== JSON.stringify(other)) assert.notEqual(id, callerId(...other))
    }),
  )
})
