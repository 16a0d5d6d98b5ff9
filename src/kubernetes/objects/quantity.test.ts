import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quantityOf } from './quantity.ts'

test('a quantity is the number that it says, with decimal and binary suffixes and exponents', () => {
  const rows: readonly [unknown, number | undefined][] = [
    [2, 2],
    ['0', 0],
    ['.5', 0.5],
    ['1.', 1],
    ['300m', 0.3],
    ['4194304000m', 4 * 2 ** 20],
    ['4Mi', 4 * 2 ** 20],
    ['+4.5Ki', 4608],
    ['5e6', 5_000_000],
    ['5E-1', 0.5],
    ['5E', 5e18],
    ['12u', 12e-6],
    ['-1', undefined],
    ['5mi', undefined],
    ['5e6Mi', undefined],
    ['5 ', undefined],
    ['', undefined],
    [['4Mi'], undefined],
    [undefined, undefined],
  ]
  for (const [written, meant] of rows) assert.equal(quantityOf(written), meant, String(written))
})
