import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digests, failed, gateway, many, start, status } from './poller-for-test.ts'

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
