import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GrowingBytes, release } from './growing-bytes.ts'

test('pieces of any size, and parts of pieces, come out as they went in', () => {
  const bytes = new GrowingBytes()
  const pieces = [0, 1, 1023, 1, 47, 48, 49, 5000, 70_000, 3, 300_000, 1, 600_000].map((length, i) => Buffer.alloc(length, i))
  const cut = pieces.flatMap((piece) => [piece.subarray(0, 10), piece.subarray(10, piece.length - 10), piece.subarray(10).subarray(-10)])
  for (const piece of cut) bytes.append(Buffer.concat([Buffer.from('<'), piece, Buffer.from('>')]), 1, piece.length + 1)
  const expected = Buffer.concat(cut)
  assert.equal(bytes.length, expected.length)
  assert.ok(bytes.take().equals(expected))
  assert.deepEqual([bytes.length, bytes.take().length], [0, 0])
})

test('what is cleared is empty and takes more', () => {
  const bytes = new GrowingBytes()
  bytes.append(Buffer.alloc(1_000_000, 1))
  bytes.clear()
  assert.equal(bytes.length, 0)
  bytes.append(Buffer.from('a'))
  assert.equal(bytes.take().toString(), 'a')
})

test('the memory of a large buffer is given back, that of a small one and of a part of another is not touched', () => {
  const [large, small] = [Buffer.allocUnsafeSlow(1_000_000), Buffer.from('small')]
  const part = Buffer.allocUnsafeSlow(1_000_000)
  release(large)
  release(small)
  release(part.subarray(1))
  assert.deepEqual([large.length, small.toString(), part.length], [0, 'small', 1_000_000])
})
