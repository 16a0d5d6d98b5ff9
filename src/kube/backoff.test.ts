import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs } from './backoff.ts'

test('the window of the wait doubles from 0.2 s to 30 s', () => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1000].map((failures) => backoffMs(failures, () => 1))
  assert.deepEqual(longest, [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000])
  assert.equal(
    backoffMs(5, () => 0),
    0,
  )
})

test('what the server asks for comes before it, up to a minute', () => {
  assert.equal(
    backoffMs(1, () => 0.5, 7000),
    7100,
  )
  assert.equal(
    backoffMs(1, () => 0.5, 86_400_000),
    60_100,
  )
})
