import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createLog } from '../../observe/observe.ts'
import type { Raw } from '../objects/objects.ts'
import type { AskProxy, ProxyAnswer } from './ask-proxy.ts'
import type { AskedGateway } from './followed-gateway.ts'
import { createProxyPoller } from './proxy-poller.ts'

const digests = { a: 'a'.repeat(64), b: 'b'.repeat(64) }
const status = (digest: string, more: Raw = {}, bytes = 100): ProxyAnswer => ({
  kind: 'answered',
  body: Buffer.from(JSON.stringify({ version: '1.0.0', source: { digest }, ...more })),
  bytes,
})
const failed: ProxyAnswer = { kind: 'failed', text: 'ECONNREFUSED', bytes: 0 }

const gateway = (addresses: readonly string[], more: Partial<AskedGateway> = {}): AskedGateway => ({
  digest: digests.a,
  document: {},
  version: '1',
  token: 'token',
  addresses: addresses.map((address) => ({ address, isReady: true })),
  ...more,
})
const many = (count: number, net = '10.0') =>
  Array.from({ length: count }, (_, index) => `${net}.${Math.floor(index / 250)}.${index % 250}`)

/** A poller whose time goes on as the test says. */
function start(t: TestContext, answer: (address: string) => ProxyAnswer | 'silent' | undefined = () => status(digests.a)) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let timeMs = 0
  let changes = 0
  const asked: { readonly atMs: number; readonly address: string; readonly token: string }[] = []
  const open = new Map<string, (answer: ProxyAnswer) => void>()
  let known = 0
  const outcomes: string[] = []
  const ask: AskProxy = (address, token) => {
    asked.push({ atMs: timeMs, address, token })
    const said = answer(address)
    if (said === 'silent') return new Promise((resolve) => setTimeout(resolve, 2000, failed))
    if (said !== undefined) return Promise.resolve(said)
    return new Promise((resolve) => open.set(address, resolve))
  }
  const poller = createProxyPoller({
    ask,
    onChange: () => changes++,
    log: createLog({ level: 'error', format: 'json', stream: { write: () => true, on: () => undefined }, color: false }),
    metrics: {
      setProxies(count) {
        known = count
      },
      countPoll: (outcome) => outcomes.push(outcome),
    },
    now: () => timeMs,
    random: () => 0.5,
  })
  t.after(() => poller.close())
  return {
    poller,
    asked,
    outcomes,
    known: () => known,
    changes: () => changes,
    timesOf: (address: string) => asked.flatMap((one) => (one.address === address ? [one.atMs] : [])),
    open,
    /** Time goes by while something is done. */
    spend(ms: number) {
      timeMs += ms
    },
    async pass(ms: number) {
      for (const untilMs = timeMs + ms; timeMs < untilMs; ) {
        timeMs += 10
        t.mock.timers.tick(10)
        await setImmediate()
      }
    },
    follow: (gateways: Readonly<Record<string, AskedGateway>>) => poller.follow(new Map(Object.entries(gateways))),
    answerOpen(said: ProxyAnswer) {
      for (const resolve of open.values()) resolve(said)
      open.clear()
    },
  }
}

test('each is asked at once, soon again, and then every four seconds', async (t) => {
  const { follow, pass, timesOf, known } = start(t)
  follow({ 'ns/gw': gateway(['10.0.0.1']) })
  await pass(11_000)
  assert.deepEqual(
    timesOf('10.0.0.1').map((atMs) => Math.round(atMs / 10) * 10),
    [0, 100, 300, 1000, 2000, 6000, 10_000],
  )
  assert.equal(known(), 1)
})

test('a document that is written is asked for soon; the same one changes nothing', async (t) => {
  const { follow, pass, timesOf } = start(t)
  follow({ 'ns/gw': gateway(['10.0.0.1']) })
  await pass(7000)
  const before = timesOf('10.0.0.1').length
  follow({ 'ns/gw': gateway(['10.0.0.1']) })
  await pass(1000)
  assert.equal(timesOf('10.0.0.1').length, before)
  follow({ 'ns/gw': gateway(['10.0.0.1'], { digest: digests.b }) })
  follow({ 'ns/gw': gateway(['10.0.0.1'], { digest: digests.b, version: '2' }) })
  await pass(350)
  assert.equal(timesOf('10.0.0.1').length, before + 2)
})

test('only what is new is told, and at most once a second', async (t) => {
  let tools = 0
  let isMoving = false
  const document = { backends: { b: { servers: { s: {} } } } }
  const server = () => ({ backend: 'b', name: 's', state: 'ready', tools: isMoving ? tools++ : 0 })
  const { follow, pass, changes, poller } = start(t, () => status(digests.a, { servers: [server()] }))
  follow({ 'ns/gw': gateway(many(40), { document }) })
  await pass(5500)
  const before = changes()
  await pass(10_000)
  assert.equal(changes(), before)
  assert.equal(poller.reports().get('ns/gw')?.length, 40)
  isMoving = true
  await pass(10_000)
  assert.ok(changes() > before && changes() <= before + 10, `${changes() - before}`)
})

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

test('of addresses that do not answer 32 of a Gateway are asked; those that answer all are, also after many others', async (t) => {
  let answering = (_: string): boolean => false
  const { follow, pass, asked, poller } = start(t, (address) => (answering(address) ? status(digests.a) : failed))
  follow({ 'ns/gw': gateway(many(1000)) })
  await pass(9000)
  assert.equal(new Set(asked.map(({ address }) => address)).size, 32)
  answering = (address) => address.startsWith('10.0.3.')
  await pass(600_000)
  assert.equal(poller.reports().get('ns/gw')?.length, 250)
  answering = () => true
  await pass(60_000)
  assert.equal(poller.reports().get('ns/gw')?.length, 1000)
  // When all fail they are 32 again, and what they said is forgotten.
  answering = () => false
  await pass(120_000)
  const before = asked.length
  await pass(60_000)
  assert.equal(poller.reports().get('ns/gw')?.length, 0)
  const turns = new Set(asked.slice(before).map(({ address }) => address)).size
  assert.ok(turns > 32 && turns <= 32 * 7, `${turns}`)
})

test('one that fails is asked again after a while, less and less often; what it said is forgotten after ten seconds', async (t) => {
  let isAway = false
  const { follow, pass, timesOf, poller, outcomes, changes } = start(t, () => (isAway ? failed : status(digests.a)))
  follow({ 'ns/gw': gateway(['10.0.0.1']) })
  await pass(5500)
  isAway = true
  await pass(4000)
  const since = timesOf('10.0.0.1').at(-1) ?? 0
  assert.deepEqual(outcomes.slice(-2), ['failed', 'failed'])
  const [first = 0] = timesOf('10.0.0.1').filter((atMs) => atMs > 5500)
  const before = changes()
  assert.equal(poller.reports().get('ns/gw')?.length, 1)
  await pass(first + 10_000 - 9500 - 20)
  assert.equal(poller.reports().get('ns/gw')?.length, 1)
  await pass(40)
  assert.deepEqual([...poller.reports()], [['ns/gw', []]])
  assert.ok(changes() > before)
  await pass(60_000)
  const times = timesOf('10.0.0.1').filter((atMs) => atMs >= since)
  const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0))
  assert.ok(
    gaps.every((gap, index) => gap <= 15_000 && (index === 0 || gap >= (gaps[index - 1] ?? 0) - 20)),
    gaps.join(),
  )
  isAway = false
  await pass(15_000)
  assert.equal(poller.reports().get('ns/gw')?.length, 1)
})

test('one that becomes ready, or whose address is new, is asked soon', async (t) => {
  let isAway = true
  const { follow, pass, timesOf } = start(t, () => (isAway ? failed : status(digests.a)))
  const unready = { addresses: [{ address: '10.0.0.1', isReady: false }] }
  follow({ 'ns/gw': gateway([], unready) })
  await pass(20_000)
  const before = timesOf('10.0.0.1').length
  isAway = false
  follow({ 'ns/gw': gateway(['10.0.0.1', '10.0.0.2']) })
  await pass(350)
  assert.deepEqual([timesOf('10.0.0.1').length - before, timesOf('10.0.0.2').length], [2, 3])
})

test('what one said whose address went is forgotten at once, also when its answer comes later', async (t) => {
  let isOpen = false
  const { follow, pass, poller, changes, answerOpen, asked } = start(t, () => (isOpen ? undefined : status(digests.a)))
  const both = gateway(['10.0.0.1', '10.0.0.2'])
  follow({ 'ns/gw': both, 'ns/other': gateway(['10.0.1.1']) })
  await pass(5500)
  assert.equal(poller.reports().get('ns/gw')?.length, 2)
  isOpen = true
  await pass(4000)
  const before = changes()
  follow({ 'ns/gw': gateway(['10.0.0.2']) })
  assert.equal(poller.reports().get('ns/gw')?.length, 1)
  await pass(1100)
  assert.equal(changes(), before + 1)
  follow({})
  answerOpen(status(digests.b))
  isOpen = false
  const count = asked.length
  await pass(20_000)
  assert.deepEqual([[...poller.reports()], asked.length, changes()], [[], count, before + 1])
})

test('that there is a proxy is told before it answers', async (t) => {
  const { follow, pass, changes, poller } = start(t, () => undefined)
  follow({ 'ns/gw': gateway([]) })
  await pass(1000)
  assert.deepEqual([changes(), [...poller.reports()]], [0, []])
  follow({ 'ns/gw': gateway(['10.0.0.1']) })
  await pass(1000)
  assert.deepEqual([changes(), [...poller.reports()]], [1, [['ns/gw', []]]])
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

test('one that becomes ready is asked before those that are merely late', async (t) => {
  const { follow, pass, timesOf } = start(t)
  const unready = { address: '10.9.0.1', isReady: false }
  const crowd = gateway(many(900)).addresses
  follow({ 'ns/gw': gateway([], { addresses: [...crowd, unready] }) })
  await pass(60_000)
  const before = timesOf('10.9.0.1').length
  follow({ 'ns/gw': gateway([], { addresses: [...crowd, { ...unready, isReady: true }] }) })
  await pass(150)
  assert.equal(timesOf('10.9.0.1').length, before + 1)
})

test('without a token nothing is asked; a new one is used', async (t) => {
  const { follow, pass, asked } = start(t)
  follow({ 'ns/gw': gateway(['10.0.0.1'], { token: undefined, version: undefined }) })
  await pass(5000)
  assert.equal(asked.length, 0)
  follow({ 'ns/gw': gateway(['10.0.0.1'], { token: 'first' }) })
  await pass(50)
  follow({ 'ns/gw': gateway(['10.0.0.1'], { token: 'second', version: '2' }) })
  await pass(150)
  assert.deepEqual([asked[0]?.token, asked.at(-1)?.token], ['first', 'second'])
})

test('a Gateway settles for five seconds after its document became another, and once more when it is written', async (t) => {
  const { follow, pass, poller, changes } = start(t)
  const settles = () => poller.settling().has('ns/gw')
  follow({ 'ns/gw': gateway(['10.0.0.1']) })
  assert.ok(settles())
  await pass(3000)
  const before = changes()
  await pass(2100)
  // All serve it, which was told: nothing else becomes of it.
  assert.deepEqual([settles(), changes()], [false, before])
  const next = { digest: digests.b }
  follow({ 'ns/gw': gateway(['10.0.0.1'], next) })
  assert.deepEqual([settles(), poller.digests().get('ns/gw')], [true, digests.b])
  await pass(3000)
  follow({ 'ns/gw': gateway(['10.0.0.1'], { ...next, version: '2' }) })
  await pass(3000)
  assert.ok(settles())
  // What others write there is no news.
  follow({ 'ns/gw': gateway(['10.0.0.1'], { ...next, version: '3' }) })
  await pass(2100)
  assert.equal(settles(), false)
  assert.equal(changes(), before + 1)
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

test('an answer that is no status is a failure, and nothing is asked after the end', async (t) => {
  const { follow, pass, poller, outcomes, asked } = start(t, () => ({ kind: 'answered', body: Buffer.from('{"hello":1}'), bytes: 11 }))
  follow({ 'ns/gw': gateway(['10.0.0.1']) })
  await pass(50)
  assert.deepEqual([outcomes, [...poller.reports()]], [['failed'], [['ns/gw', []]]])
  poller.close()
  follow({ 'ns/gw': gateway(['10.0.0.1', '10.0.0.2']) })
  await pass(10_000)
  assert.equal(asked.length, 1)
})
