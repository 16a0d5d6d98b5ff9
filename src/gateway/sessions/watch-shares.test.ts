import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWatchShares } from './watch-shares.ts'

const room = 256 * 1024
const uriOf = (chars: number) => 'x'.repeat(chars)

test('a caller has room for so many characters, of all that it takes together', () => {
  const shares = createWatchShares()
  assert.ok(shares.take('a', [uriOf(room - 10), uriOf(4)]))
  assert.ok(shares.take('a', [uriOf(6)]))
  assert.equal(shares.take('a', ['x']), undefined)
})

test('what does not fit is not taken in part', () => {
  const shares = createWatchShares()
  assert.equal(shares.take('a', [uriOf(room), 'x']), undefined)
  assert.ok(shares.take('a', [uriOf(room)]))
})

test('one caller takes nothing from another', () => {
  const shares = createWatchShares()
  assert.ok(shares.take('a', [uriOf(room)]))
  assert.ok(shares.take('b', [uriOf(room)]))
})

test('what is given back can be taken again, once', () => {
  const shares = createWatchShares()
  const first = shares.take('a', [uriOf(room / 2)])
  const second = shares.take('a', [uriOf(room / 2)])
  assert.ok(first && second)
  first()
  first()
  assert.equal(shares.take('a', [uriOf(room / 2 + 1)]), undefined)
  const third = shares.take('a', [uriOf(room / 2)])
  assert.ok(third)
  // Not even where the caller holds nothing any more.
  second()
  third()
  first()
  assert.ok(shares.take('a', [uriOf(room)]))
  first()
  assert.equal(shares.take('a', ['x']), undefined)
})

test('nothing takes no room', () => {
  const shares = createWatchShares()
  assert.ok(shares.take('a', [uriOf(room)]))
  const none = shares.take('a', [])
  assert.ok(none)
  none()
  assert.equal(shares.take('a', ['x']), undefined)
})
