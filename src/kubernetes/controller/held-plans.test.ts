import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GatewayPlan } from '../provision/provision.ts'
import { createHeldPlans } from './held-plans.ts'

function open() {
  const awaited = new Set<string>()
  let nowMs = 0
  const plans = createHeldPlans({ isAwaited: ({ name }) => awaited.has(name), now: () => nowMs })
  return {
    awaited,
    pass(ms: number) {
      nowMs += ms
    },
    /** Gateways by name, with the Secrets that each depends on. */
    held(gateways: Readonly<Record<string, readonly string[]>>) {
      const list = Object.entries(gateways).map(([name, names]): GatewayPlan => {
        const waitsFor = names.map((secret) => ({ group: '', kind: 'Secret', namespace: 'ns', name: secret }))
        return { namespace: 'ns', name, document: {}, digest: '', objects: [], waitsFor }
      })
      return [...plans.held(list)]
    },
  }
}

test('a first document waits long for what it depended on at first, and no longer; others are not held up', () => {
  const { awaited, held, pass } = open()
  awaited.add('a').add('b')
  const gateways = { one: ['a', 'b', 'known'], two: ['known'], three: [] }
  assert.deepEqual(held(gateways), ['ns/one'])
  pass(30_000)
  awaited.delete('a')
  assert.deepEqual(held(gateways), ['ns/one'])
  pass(29_999)
  assert.deepEqual(held(gateways), ['ns/one'])
  pass(1)
  assert.deepEqual(held(gateways), [])
  pass(3_600_000)
  assert.deepEqual(held(gateways), [])
})

test('a first document is written as soon as all is known', () => {
  const { awaited, held } = open()
  awaited.add('a')
  assert.deepEqual(held({ one: ['a'] }), ['ns/one'])
  awaited.delete('a')
  assert.deepEqual(held({ one: ['a'] }), [])
})

test('what is named ever anew holds a document back for a while and no longer, also the first', () => {
  for (const isFirst of [true, false]) {
    const { awaited, held, pass } = open()
    if (!isFirst) assert.deepEqual(held({ one: ['known'] }), [])
    const times: number[] = []
    for (let round = 0; round < 30; round++) {
      const name = `new-${round}`
      awaited.clear()
      awaited.add(name)
      if (held({ one: ['known', name] }).length > 0) times.push(round)
      pass(1000)
    }
    assert.deepEqual(
      times,
      Array.from({ length: 15 }, (_, index) => index),
    )
  }
})

test('once all is known the next wait begins anew', () => {
  const { awaited, held, pass } = open()
  for (let round = 0; round < 3; round++) {
    assert.deepEqual(held({ one: [] }), [])
    awaited.add('new')
    assert.deepEqual(held({ one: ['new'] }), ['ns/one'])
    pass(14_999)
    assert.deepEqual(held({ one: ['new'] }), ['ns/one'])
    pass(1)
    assert.deepEqual(held({ one: ['new'] }), round === 0 ? [] : [])
    awaited.clear()
  }
})
