import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProxyAnswer } from './ask-proxy.ts'
import { digests, failed, gateway, many, start, status } from './poller-for-test.ts'

test('at most fifty are asked in a second, and all of a thousand in their turn', async (t) => {
  const { follow, pass, asked, poller } = start(t)
  follow(Object.fromEntries(many(10).map((_, index) => [`ns/gw${index}`, gateway(many(100, `10.${index}`))])))
  await pass(60_000)
  for (let second = 0; second < 60; second++) {
    const count = asked.filter(({ atMs }) => atMs >= second * 1000 && atMs < (second + 1) * 1000).length
    assert.ok(count <= 50, `${count} in second ${second}`)
  }
  assert.equal(new Set(asked.map(({ address }) => address)).size, 1000)
  assert.equal([...poller.reports().values()].flat().length, 1000)
})

test('at most sixteen are asked at a time, eight of a namespace, four of a Gateway', async (t) => {
  const { follow, pass, open } = start(t, () => undefined)
  const gateways = (namespace: number, count: number) =>
    Array.from({ length: count }, (_, index) => [`ns${namespace}/gw${index}`, gateway(many(20, `10.${namespace}${index}`))] as const)
  for (const [all, most] of [
    [gateways(1, 1), 4],
    [gateways(1, 5), 8],
    [[...gateways(1, 5), ...gateways(2, 1)], 12],
    [[...gateways(1, 5), ...gateways(2, 5), ...gateways(3, 5)], 16],
  ] as const) {
    follow(Object.fromEntries(all))
    await pass(1000)
    assert.equal(open.size, most)
  }
})

for (const [namespaces, most] of [
  [1, 2],
  [6, 8],
] as const) {
  test(`of those that did not answer last time ${most} are asked at a time, of ${namespaces} namespaces`, async (t) => {
    let isOpen = false
    const { follow, pass, open } = start(t, () => (isOpen ? undefined : failed))
    const silent = Array.from({ length: namespaces }, (_, index) => [
      [`ns${index}/gw`, gateway(many(20, `10.${index}`))] as const,
      [`ns${index}/other`, gateway(many(20, `10.${index + 100}`))] as const,
    ])
    follow(Object.fromEntries(silent.flat()))
    await pass(10_000)
    isOpen = true
    await pass(20_000)
    assert.equal(open.size, most)
  })
}

test('what answers may come to is bounded for a namespace and in all', async (t) => {
  const { follow, pass, open } = start(t, () => undefined)
  const document = { x: 'x'.repeat(2_000_000) }
  const large = Object.fromEntries(many(6).map((_, index) => [`ns${index}/gw`, gateway(many(3, `10.${index}`), { document })]))
  const all = ['a', 'b', 'c'].map((name, index) => [`ns0/${name}`, gateway(many(3, `10.9${index}`), { document })] as const)
  follow(Object.fromEntries(all.slice(0, 1)))
  await pass(1000)
  assert.equal(open.size, 1)
  follow(Object.fromEntries(all))
  await pass(1000)
  assert.equal(open.size, 2)
  follow({ ...large, ...Object.fromEntries(all) })
  await pass(1000)
  assert.equal(open.size, 4)
})

test('twenty namespaces of silent addresses keep none of another waiting', async (t) => {
  const { follow, pass, timesOf, asked } = start(t, (address) => (address.startsWith('10.99.') ? status(digests.a) : 'silent'))
  const silent = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`evil${index}/gw`, gateway(many(100, `10.${index}`))] as const),
  )
  const all = (digest: string) => ({ ...silent, 'good/gw': gateway(['10.99.0.1'], { digest }) })
  follow(all(digests.a))
  await pass(300_000)
  const times = timesOf('10.99.0.1')
  const gaps = [...times, 300_000].map((atMs, index) => atMs - (times[index - 1] ?? 0))
  assert.ok(Math.max(...gaps) <= 8000, gaps.join())
  for (const phaseMs of [0, 1000, 1900]) {
    await pass(5000 + phaseMs)
    const before = timesOf('10.99.0.1').length
    follow(all(digests.b.replace('b', String(phaseMs % 7))))
    await pass(3000)
    assert.ok(timesOf('10.99.0.1').length > before)
  }
  // The silent ones have their turns too.
  assert.ok(new Set(asked.map(({ address }) => address)).size > 20 * 32)
})

test('with many proxies what is new is still asked soon', async (t) => {
  const { follow, pass, timesOf } = start(t)
  const crowd = Object.fromEntries(many(6).map((_, index) => [`ns/gw${index}`, gateway(many(100, `10.${index}`))]))
  follow({ ...crowd, 'ns/small': gateway(['10.9.0.1']) })
  await pass(60_000)
  const before = timesOf('10.9.0.1').length
  follow({ ...crowd, 'ns/small': gateway(['10.9.0.1'], { digest: digests.b }) })
  await pass(500)
  assert.equal(timesOf('10.9.0.1').length, before + 2)
})

test('one whose answers are large is asked less often', async (t) => {
  const { follow, pass, timesOf } = start(t, (address) => status(digests.a, {}, address === '10.0.0.1' ? 4 * 1024 * 1024 : 1000))
  follow({ 'ns/gw': gateway(['10.0.0.1', '10.0.0.2']) })
  await pass(62_000)
  const later = (address: string) => timesOf(address).filter((atMs) => atMs > 5000).length
  assert.equal(later('10.0.0.1'), 1)
  assert.ok(later('10.0.0.2') >= 13, `${later('10.0.0.2')}`)
})

test('time and bytes that an answer takes are waited for: by its proxy also when it is asked soon, by its namespace, and by all', async (t) => {
  const servers = [{ backend: 'b', name: 's', state: 'ready', tools: 1 }]
  const dear = start(t, (address) => status(digests.a, address.startsWith('10.0.') ? { servers } : {}))
  let isDear = false
  const document = {
    get backends() {
      if (isDear) dear.spend(20)
      return { b: { servers: { s: {} } } }
    },
  }
  const other = { 'other/gw': gateway(many(100, '10.1')) }
  const hostile = many(20)
  dear.follow({ 'ns/gw': gateway(hostile, { document }), ...other })
  isDear = true
  await dear.pass(60_000)
  const times = hostile.flatMap((address) => dear.timesOf(address))
  for (const address of hostile) {
    const own = dear.timesOf(address)
    for (const [index, atMs] of own.slice(1).entries()) assert.ok(atMs - (own[index] ?? 0) >= 1000, own.join())
  }
  // A tenth of the time at most, and others are asked all the same.
  assert.ok(times.length * 20 <= 60_000 / 10, `${times.length}`)
  assert.ok(times.length > 100)
  for (const address of many(100, '10.1')) assert.ok(dear.timesOf(address).length >= 8)
})

test('an answer in vain is paid for as well', async (t) => {
  const vain: ProxyAnswer = { kind: 'failed', text: 'too much', bytes: 4 * 1024 * 1024 }
  const { follow, pass, timesOf } = start(t, (address) => (address === '10.0.0.1' ? vain : failed))
  follow({ 'ns/gw': gateway(['10.0.0.1', '10.0.0.2']) })
  await pass(3000)
  assert.deepEqual([timesOf('10.0.0.1').length, timesOf('10.0.0.2').length > 2], [1, true])
})
