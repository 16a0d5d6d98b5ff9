import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gepDuration } from './go-duration.ts'

describe('durations of Go', () => {
  const table: readonly (readonly [written: string, duration: string | undefined])[] = [
    ['500ms', '500ms'],
    ['1h30m', '1h30m'],
    ['1m0s', '1m0s'],
    ['90s', '90s'],
    ['1.5s', '1s500ms'],
    ['.5h', '30m'],
    ['1h0.25m', '1h15s'],
    ['2500us', '2ms'],
    ['1500µs', '1ms'],
    ['3600000000000ns', '1h'],
    ['+5s', '5s'],
    ['0.1s', '100ms'],
    ['1h1m1s1ms1us', '1h1m1s1ms'],
    ['123456s', '34h17m36s'],
    ['0s', undefined],
    ['1us', undefined],
    ['-5s', undefined],
    ['5', undefined],
    ['', undefined],
    ['5 s', undefined],
    ['1d', undefined],
    ['99999h99999h', undefined],
    ['1'.repeat(100_000), undefined],
  ]
  for (const [written, duration] of table) {
    it(`${written.slice(0, 40)} is ${duration}`, () => assert.equal(gepDuration(written), duration))
  }
})
