import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createTimers } from '../server/timers.ts'
import { createWatches, maxUris } from './resource-watches.ts'

function open(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const timers = createTimers()
  t.after(() => timers.close())
  const wanted: string[] = []
  const watches = createWatches(timers, 5000, (uri) => wanted.push(uri))
  const heard: string[] = []
  const watch = (uri: string, name = '') => watches.watch(uri, (updated) => heard.push(`${name}${updated}`))
  return { watches, wanted, heard, watch, pass: (ms: number) => t.mock.timers.tick(ms) }
}

test('a URI is asked for once, whoever watches it, and given up when nobody does', async (t) => {
  const { watches, wanted, watch } = open(t)
  const [one, two] = [watch('a:1'), watch('a:1')]
  assert.deepEqual(wanted, ['a:1'])
  watches.settle('a:1', true)
  const three = watch('a:1')
  assert.deepEqual(await Promise.all([one.isGranted, two.isGranted, three.isGranted]), [true, true, true])
  one.stop()
  one.stop()
  two.stop()
  assert.deepEqual([wanted, watches.uris()], [['a:1'], ['a:1']])
  three.stop()
  assert.deepEqual([wanted, watches.uris()], [['a:1', 'a:1'], []])
})

test('without a word of the server it is not granted, in bounded time', async (t) => {
  const { watch, pass } = open(t)
  const { isGranted } = watch('a:1')
  pass(5000)
  assert.equal(await isGranted, false)
})

test('a refused URI is asked for again by the next who wants it', async (t) => {
  const { watches, wanted, watch } = open(t)
  const one = watch('a:1')
  watches.settle('a:1', false)
  const two = watch('a:1')
  watches.settle('a:1', true)
  assert.deepEqual(await Promise.all([one.isGranted, two.isGranted]), [false, true])
  assert.deepEqual(wanted, ['a:1', 'a:1'])
})

test('updates within 100 ms are one, and reach all who watch', (t) => {
  const { watches, heard, watch, pass } = open(t)
  watch('a:1', '1 ')
  const two = watch('a:1', '2 ')
  watch('a:2', '3 ')
  for (let i = 0; i < 1000; i++) watches.updated('a:1')
  pass(99)
  assert.deepEqual(heard, [])
  pass(1)
  assert.deepEqual(heard.splice(0), ['1 a:1', '2 a:1'])
  watches.updated('a:1')
  two.stop()
  pass(100)
  assert.deepEqual(heard, ['1 a:1'])
})

test('what is below a watched URI is told by its own, nothing else is', (t) => {
  const { watches, heard, watch, pass } = open(t)
  for (const uri of ['f://d', 'f://e/', 'f://d/a']) watch(uri, `${uri} < `)
  for (const uri of ['f://d/a', 'f://dd', 'f://e/x/y', 'f://e', 'f:', '', 'f://d/']) watches.updated(uri)
  pass(100)
  assert.deepEqual(heard.sort(), ['f://d < f://d/', 'f://d < f://d/a', 'f://d/a < f://d/a', 'f://e/ < f://e/x/y'])
})

test('of a long URI with many levels only those are looked up that are as long as what is watched', (t) => {
  const { watches, heard, watch, pass } = open(t)
  const deep = `f://${'x'.repeat(8000)}${'/a'.repeat(64)}`
  const above = deep.slice(0, -4)
  for (const uri of ['f://d', above]) watch(uri)
  let looked = 0
  const updated = {
    length: deep.length,
    lastIndexOf: (found: string, from?: number) => deep.lastIndexOf(found, from),
    slice(start: number, end: number) {
      looked++
      return deep.slice(start, end)
    },
  }
  watches.updated(updated as unknown as string)
  pass(100)
  assert.deepEqual([heard.length, looked], [1, 1])
  watch(above).stop()
  watch(deep).stop()
  watches.updated(updated as unknown as string)
  assert.equal(looked, 2)
})

test('updates of very many resources below a watched one are one of itself', (t) => {
  const { watches, heard, watch, pass } = open(t)
  watch('f://d')
  for (let i = 0; i < 10_000; i++) watches.updated(`f://d/${i}`)
  pass(100)
  assert.deepEqual(heard, ['f://d'])
})

test('whoever could have missed an update hears of one, once', (t) => {
  const { watches, heard, watch, pass } = open(t)
  watch('a:1')
  watches.settle('a:1', true)
  watches.settle('a:1', true)
  pass(100)
  assert.deepEqual(heard, [])
  watches.lost()
  watches.giveUp()
  pass(5000)
  watches.settle('a:1', true)
  pass(100)
  assert.deepEqual(heard.splice(0), ['a:1'])
  // Told that it is not granted, and granted later.
  watch('a:2')
  watches.giveUp()
  watches.settle('a:2', false)
  pass(100)
  assert.deepEqual(heard, [])
  watches.settle('a:2', true)
  pass(100)
  assert.deepEqual(heard, ['a:2'])
})

test('beyond the bound, and beyond reason, nothing is granted', async (t) => {
  const { watches, wanted, watch } = open(t)
  assert.equal(await watch(`a:${'x'.repeat(10_000)}`).isGranted, false)
  const all = Array.from({ length: maxUris }, (_, i) => watch(`a:${i}`))
  const more = watch('b:1')
  assert.equal(await more.isGranted, false)
  more.stop()
  assert.deepEqual([watches.count(), wanted.length], [maxUris, maxUris])
  all[0]?.stop()
  watch('b:1')
  assert.equal(wanted.at(-1), 'b:1')
})

test('all URIs together have a bound of characters, which those that are given up make room in', async (t) => {
  const { watches, watch } = open(t)
  const long = (n: number) => `a:${n}`.padEnd(8000, 'x')
  for (let i = 0; i < 1000; i++) watch(long(i)).stop()
  for (let i = 0; i < 1000; i++) watch(long(i))
  assert.equal(watches.count(), Math.floor((2 * 1024 * 1024) / 8000))
})
