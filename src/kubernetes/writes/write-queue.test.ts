import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createWriteQueue, type WriteOutcome } from './write-queue.ts'

function open(t: TestContext, concurrency = 2) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let nowMs = 0
  let term: AbortController | undefined = new AbortController()
  const started: string[] = []
  const open = new Map<string, (outcome: WriteOutcome) => void>()
  const queue = createWriteQueue({ concurrency, term: () => term?.signal, now: () => nowMs, random: () => 1 })
  return {
    queue,
    started,
    task(key: string, rank = 0, wish = '', notBeforeMs = 0) {
      const run = () =>
        new Promise<WriteOutcome>((resolve) => {
          started.push(`${key}${wish}`)
          open.set(key, resolve)
        })
      return { key, rank, wish, notBeforeMs, run }
    },
    async end(key: string, outcome: WriteOutcome = 'done') {
      open.get(key)?.(outcome)
      await setImmediate()
    },
    async pass(ms: number) {
      nowMs += ms
      t.mock.timers.tick(ms)
      await setImmediate()
    },
    endTerm() {
      term?.abort()
      term = undefined
    },
  }
}

test('the most urgent first, a bounded number at a time', async (t) => {
  const { queue, started, task, end } = open(t)
  queue.replace([task('c', 3), task('a', 1), task('d', 3), task('b', 2)])
  assert.deepEqual(started, ['a', 'b'])
  await end('b')
  await end('a')
  assert.deepEqual(started, ['a', 'b', 'c', 'd'])
})

test('what waits and is not wished any more is dropped; what is urgent passes it', async (t) => {
  const { queue, started, task, end } = open(t)
  queue.replace(['a', 'b', 'c', 'd'].map((key) => task(key, 3)))
  queue.replace([task('d', 3), task('urgent', 1)])
  await end('a')
  await end('b')
  assert.deepEqual(started, ['a', 'b', 'urgent', 'd'])
})

test('never two writes of one thing at a time', async (t) => {
  const { queue, started, task, end } = open(t)
  queue.replace([task('a', 0, '1')])
  queue.replace([task('a', 0, '2')])
  assert.deepEqual(started, ['a1'])
  await end('a')
  assert.deepEqual(started, ['a1', 'a2'])
})

test('what failed is tried again later and later, another wish at once', async (t) => {
  for (const [outcome, delays] of [
    ['soon', [200, 400, 800, 1600, 2000, 2000]],
    ['later', [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]],
  ] as const) {
    const { queue, started, task, end, pass } = open(t)
    queue.replace([task('a', 0, '1')])
    for (const [index, delayMs] of delays.entries()) {
      await end('a', outcome)
      await pass(delayMs - 1)
      assert.equal(started.length, index + 1)
      await pass(1)
      assert.equal(started.length, index + 2, `${outcome} ${index}`)
    }
    await end('a', outcome)
    queue.replace([task('a', 0, '2')])
    assert.equal(started.at(-1), 'a2')
    t.mock.timers.reset()
  }
})

test('a task may have a time before which it is not due', async (t) => {
  const { queue, started, task, pass } = open(t)
  queue.replace([task('a', 0, '', 1000), task('b', 1)])
  assert.deepEqual(started, ['b'])
  await pass(1000)
  assert.deepEqual(started, ['b', 'a'])
})

test('when the term ends nothing more is begun', async (t) => {
  const { queue, started, task, end, endTerm } = open(t, 1)
  queue.replace([task('a'), task('b')])
  endTerm()
  let isSettled = false
  const settled = queue.settled().then(() => {
    isSettled = true
  })
  await setImmediate()
  assert.equal(isSettled, false)
  await end('a')
  await settled
  assert.deepEqual(started, ['a'])
})
