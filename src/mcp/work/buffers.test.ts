import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Buffers, type Holder, ServerBuffers } from './buffers.ts'

const kib = 1024

/** A holder that says when it gave up. */
class TestHolder implements Holder {
  heldBytes = 0
  hasGivenUp = false
  readonly #group: Buffers | ServerBuffers

  constructor(group: Buffers | ServerBuffers) {
    this.#group = group
  }

  hold(bytes: number): this {
    const more = bytes - this.heldBytes
    this.heldBytes = bytes
    if (more > 0) this.#group.take(this, more)
    else this.#group.give(this, -more)
    return this
  }

  giveUp(): boolean {
    if (this.heldBytes === 0) return false
    this.hasGivenUp = true
    this.hold(0)
    return true
  }
}

test('what is held is counted, over all servers and clients', () => {
  const buffers = new Buffers(1000 * kib)
  const [one, two] = [new ServerBuffers(buffers), new ServerBuffers(buffers)]
  const first = new TestHolder(one).hold(100 * kib)
  new TestHolder(two).hold(200 * kib)
  new TestHolder(buffers).hold(5 * kib)
  assert.deepEqual([buffers.heldBytes, one.heldBytes, two.heldBytes], [305 * kib, 100 * kib, 200 * kib])
  first.hold(0)
  assert.deepEqual([buffers.heldBytes, one.heldBytes, buffers.givenUp], [205 * kib, 0, 0])
})

test('above the bound the server with most in all gives up its largest part, whoever asks for more', () => {
  const buffers = new Buffers(1000 * kib)
  const [greedy, modest] = [new ServerBuffers(buffers), new ServerBuffers(buffers)]
  const many = Array.from({ length: 9 }, (_, i) => new TestHolder(greedy).hold((90 + i) * kib))
  const answer = new TestHolder(modest).hold(300 * kib)
  assert.deepEqual(
    many.map(({ hasGivenUp }) => hasGivenUp),
    [false, false, false, false, false, false, false, true, true],
  )
  assert.equal(answer.hasGivenUp, false)
  assert.ok(buffers.heldBytes <= buffers.limitBytes)
  assert.equal(buffers.givenUp, 2)
})

test('who asks for more and has most gives up itself', () => {
  const buffers = new Buffers(1000 * kib)
  const other = new TestHolder(new ServerBuffers(buffers)).hold(400 * kib)
  const own = new TestHolder(new ServerBuffers(buffers)).hold(700 * kib)
  assert.deepEqual([own.hasGivenUp, other.hasGivenUp, buffers.heldBytes], [true, false, 400 * kib])
})

test('a client that has not taken most of all gives up too', () => {
  const buffers = new Buffers(1000 * kib)
  const client = new TestHolder(buffers).hold(600 * kib)
  const answer = new TestHolder(new ServerBuffers(buffers)).hold(500 * kib)
  assert.deepEqual([client.hasGivenUp, answer.hasGivenUp], [true, false])
})

test('what is small is held beside the bound, and never given up', () => {
  const buffers = new Buffers(100 * kib)
  const server = new ServerBuffers(buffers)
  const small = Array.from({ length: 20 }, () => new TestHolder(server).hold(16 * kib))
  assert.equal(buffers.heldBytes, 320 * kib)
  assert.ok(small.every(({ hasGivenUp }) => !hasGivenUp))
  const large = new TestHolder(server).hold(17 * kib)
  assert.ok(large.hasGivenUp)
})

test('a lower bound is kept from the next bytes on', () => {
  const buffers = new Buffers(1000 * kib)
  const first = new TestHolder(buffers).hold(900 * kib)
  buffers.limitBytes = 100 * kib
  assert.equal(first.hasGivenUp, false)
  new TestHolder(buffers).hold(1)
  assert.ok(first.hasGivenUp)
})
