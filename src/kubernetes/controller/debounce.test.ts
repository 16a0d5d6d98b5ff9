import assert from 'node:assert/strict'
import { test } from 'node:test'
import { debounce } from './debounce.ts'

test('a burst runs once when it is over, a long one from time to time', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let runs = 0
  const debounced = debounce(() => runs++, { quietMs: 30, maxMs: 500 })
  for (let ms = 0; ms < 300; ms += 20) {
    debounced.trigger()
    t.mock.timers.tick(20)
  }
  assert.equal(runs, 0)
  t.mock.timers.tick(10)
  assert.equal(runs, 1)
  for (let ms = 0; ms < 1100; ms += 20) {
    debounced.trigger()
    t.mock.timers.tick(20)
  }
  assert.equal(runs, 3)
  debounced.close()
  debounced.trigger()
  t.mock.timers.tick(1000)
  assert.equal(runs, 3)
})
