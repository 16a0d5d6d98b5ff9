import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joined } from './conditions.ts'

test('joined texts are each there once, as many as fit', () => {
  const rows: readonly (readonly [texts: readonly string[], max: number, joined: string])[] = [
    [[], 20, ''],
    [['one'], 20, 'one'],
    [['one', 'two', 'one'], 20, 'one; two'],
    [['one', 'two', 'three'], 8, 'one; two; and 1 more'],
    [['one', 'too long for this', 'two'], 10, 'one; and 2 more'],
    [['too long for this'], 8, 'too lon…'],
    [['too long for this', 'two'], 8, 'too lon…; and 1 more'],
  ]
  for (const [texts, max, text] of rows) assert.equal(joined(texts, max), text)
})
