import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pace } from './pace.ts'

function open(t: { readonly mock: { readonly timers: { enable(options: { apis: ['setTimeout'] }): void; tick(ms: number): void } } }) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  let isPaused = false
  const held: number[] = []
  const controller = {
    pause: () => {
      isPaused = true
    },
    resume: () => {
      isPaused = false
    },
  }
  const pace = new Pace(
    () => now,
    (ms) => held.push(ms),
  )
  const pass = (ms: number) => {
    now += ms
    t.mock.timers.tick(ms)
  }
  return { pace, controller, held, pass, isPaused: () => isPaused }
}

test('a stream is not held while its client takes what comes, and nothing is too much', (t) => {
  const { pace, controller, isPaused } = open(t)
  for (let i = 0; i < 100; i++) pace.took(controller, { messages: 10, lines: 20, bytes: 1000 }, undefined)
  assert.deepEqual([isPaused(), pace.isHeld, pace.heldMs], [false, false, 0])
})

test('it is held until its client has taken what came, and that time is told', async (t) => {
  const { pace, controller, held, pass, isPaused } = open(t)
  let takes = () => {}
  const drained = new Promise<void>((resolve) => {
    takes = resolve
  })
  pace.took(controller, { messages: 1, lines: 2, bytes: 100 }, drained)
  pass(700)
  assert.deepEqual([isPaused(), pace.isHeld, pace.heldMs, held], [true, true, 700, []])
  takes()
  await drained
  assert.deepEqual([isPaused(), pace.isHeld, pace.heldMs, held], [false, false, 700, [700]])
})

test('messages, lines and bytes beyond the rate are read later, which is no time of the client', (t) => {
  const { pace, controller, held, pass, isPaused } = open(t)
  pace.took(controller, { messages: 2000, lines: 0, bytes: 0 }, undefined)
  assert.equal(isPaused(), false)
  pace.took(controller, { messages: 500, lines: 0, bytes: 0 }, undefined)
  pass(499)
  assert.equal(isPaused(), true)
  pass(1)
  assert.deepEqual([isPaused(), pace.heldMs, held], [false, 0, []])
  pace.took(controller, { messages: 0, lines: 16 * 50, bytes: 16 * 1024 * 50 }, undefined)
  pass(99)
  assert.equal(isPaused(), true)
  pass(1)
  assert.equal(isPaused(), false)
})
