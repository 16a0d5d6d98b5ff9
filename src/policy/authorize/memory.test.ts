import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anonymous, type Caller } from '../../mcp/mcp.ts'
import { blockBytes, createMemory } from './memory.ts'

const callers = (count: number) => Array.from({ length: count }, (): Caller => ({ ...anonymous }))
const items = (count: number) => Array.from({ length: count }, (_, at) => ({ at }))

function memory(blocks: number, values = 100) {
  return createMemory<{ at: number }, string>((value) => value, { bytes: blocks * blockBytes, values })
}

test('what is known of a pair is what was said of it last, or nothing', () => {
  const ask = fc.record({ who: fc.nat(5), what: fc.nat(1500), value: fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e')) })
  fc.assert(
    fc.property(
      fc.array(ask, { maxLength: 60 }),
      fc.integer({ min: 2, max: 8 }),
      fc.integer({ min: 1, max: 5 }),
      (asks, blocks, values) => {
        const [who, what] = [callers(6), items(1501)]
        const own = memory(blocks, values)
        const said = new Map<string, string>()
        for (const one of asks) {
          const [caller, item] = [who[one.who], what[one.what]]
          assert.ok(caller !== undefined && item !== undefined)
          const key = `${one.who} ${one.what}`
          const known = own.get(caller, item)
          if (known !== undefined) assert.equal(known, said.get(key))
          if (one.value === null) continue
          own.set(caller, item, one.value)
          said.set(key, one.value)
          assert.equal(own.get(caller, item), one.value)
        }
      },
    ),
  )
})

test('beyond the bound those are forgotten that were not asked for longest', () => {
  const [item = assert.fail()] = items(1)
  const own = memory(8)
  const [kept = assert.fail(), ...others] = callers(20)
  own.set(kept, item, 'kept')
  for (const caller of others) {
    own.set(caller, item, 'x')
    assert.equal(own.get(kept, item), 'kept')
  }
  const known = others.filter((caller) => own.get(caller, item) !== undefined)
  assert.ok(known.length < 8 && known.length >= 3, `${known.length}`)
  assert.equal(own.get(others.at(-1) ?? assert.fail(), item), 'x')
})

test('more different values than there is room for: all is forgotten, nothing is mistaken', () => {
  const own = memory(8, 2)
  const [caller = assert.fail()] = callers(1)
  const [a = assert.fail(), b = assert.fail(), c = assert.fail()] = items(3)
  own.set(caller, a, '1')
  own.set(caller, b, '2')
  own.set(caller, c, '3')
  assert.deepEqual(
    [a, b, c].map((item) => own.get(caller, item)),
    [undefined, undefined, '3'],
  )
})
