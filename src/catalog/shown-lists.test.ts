import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTable } from './list-table.ts'
import type { Sight } from './model.ts'
import { entry, upstream } from './open-for-test.ts'
import { createShownLists, type PartBounds } from './shown-lists.ts'

const names = ['a', 'b', 'c', 'd', 'e']
const server = { name: 's', upstream: upstream('s', { tools: names }), isPrefixed: true, isRequired: false }
const merged = [{ server, expose: <T>(answer: T) => answer }]
const table = buildTable('tools', merged, [names.map((name) => entry('tools', name))], undefined, () => false)

const only = (...seen: readonly string[]): Sight => ({ sees: ({ name }) => seen.includes(name), reaches: () => true })
const lists = (bounds: PartBounds) => createShownLists(table, bounds)

test('whoever sees the same reads the same list', () => {
  const shown = lists({ parts: 2, chars: 10_000 })
  assert.equal(shown.of(undefined), shown.of(only(...names)))
  assert.equal(shown.of(only('a', 'c')), shown.of(only('c', 'a')))
  const part = shown.of(only('a', 'c'))
  assert.deepEqual([part.count, part.withheld, shown.of(undefined).withheld], [2, 3, 0])
  const read: { tools: { name: string }[] } = JSON.parse(part.pages('modern').pages[0]?.text ?? '')
  assert.deepEqual(
    read.tools.map(({ name }) => name),
    ['s_a', 's_c'],
  )
  assert.equal(part.digest(), part.pages('modern').digest)
  assert.notEqual(part.digest(), shown.of(undefined).digest())
})

test('of more parts than there is room for, those go that were not asked for longest', () => {
  const shown = lists({ parts: 2, chars: 10_000 })
  const [a, b] = [shown.of(only('a')), shown.of(only('b'))]
  assert.equal(shown.of(only('a')), a)
  shown.of(only('c'))
  assert.equal(shown.of(only('a')), a)
  assert.notEqual(shown.of(only('b')), b)
})

test('pages go beyond the bound, the oldest first; digests stay', () => {
  const size = lists({ parts: 9, chars: 0 }).of(only('a')).pages('modern').pages[0]?.text.length ?? assert.fail()
  const shown = lists({ parts: 9, chars: 2 * size })
  const [a, b, c] = names.map((name) => shown.of(only(name)))
  assert.ok(a !== undefined && b !== undefined && c !== undefined)
  const read = [a, b].map((part) => part.pages('modern'))
  const digest = a.digest()
  assert.deepEqual([a.pages('modern') === read[0], b.pages('modern') === read[1]], [true, true])
  c.pages('modern')
  assert.equal(b.pages('modern'), read[1], 'still there')
  const again = a.pages('modern')
  assert.notEqual(again, read[0], 'made again')
  assert.deepEqual(again, read[0])
  assert.equal(a.digest(), digest)
  // One that has no room at all is made each time.
  const narrow = lists({ parts: 9, chars: 0 }).of(only('a'))
  assert.notEqual(narrow.pages('modern'), narrow.pages('modern'))
})
