import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Log } from '../log/log.ts'
import { chainStart, createChainWriter, recordDigest, unchainedWriter } from './chain.ts'
import { createChainCheck } from './check-chain.ts'
import { createOutlet, maxPendingBytes, type OutletSettings, pendingBytes } from './outlet.ts'
import { countLines, type Port } from './port.ts'

const chained: OutletSettings = { writer: createChainWriter(recordDigest(undefined)), whenFull: 'refuse' }

/** A place that keeps what it is sent, or fails as told. */
function place() {
  const state = {
    text: '',
    fault: undefined as 'fails' | 'hangs' | undefined,
    sends: 0,
    closed: 0,
    /** Lines taken of one batch at most. */
    takes: Number.POSITIVE_INFINITY,
    release() {},
  }
  const take = (lines: Buffer) => {
    const some = lines
      .toString()
      .split(/(?<=\n)/)
      .slice(0, state.takes)
    state.text += some.join('')
    return { lines: some.length, failure: some.length < countLines(lines, lines.length) ? fault : undefined }
  }
  const fault = { kind: 'failed', text: 'out of order' } as const
  const port: Port = {
    name: 'place',
    retryMs: (failures) => Math.min(30, failures) * 1000,
    prepare: async () => ({ kind: 'ready' }),
    takeHead: () => undefined,
    async send(lines) {
      state.sends++
      if (state.fault === 'fails') return { lines: 0, failure: fault }
      if (state.fault === 'hangs') {
        await new Promise<void>((resolve) => {
          state.release = resolve
        })
      }
      return take(lines)
    },
    settle: () => false,
    sendNow: (lines) => (state.fault === undefined ? take(lines) : { lines: 0, failure: fault }),
    async close() {
      state.closed++
    },
  }
  return { state, port }
}

function outletTo(t: TestContext, settings: OutletSettings = chained) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { state, port } = place()
  const said: string[] = []
  const say = (fields: Readonly<Record<string, unknown>>, msg: string) => said.push(`${msg} ${JSON.stringify(fields)}`)
  const log: Log = { debug: say, info: say, warn: say, error: say, request() {}, flush() {}, dropped: 0 }
  let changes = 0
  const outlet = createOutlet(port, settings, { log, onChange: () => changes++ })
  const lines = () => state.text.split('\n').slice(0, -1)
  return { outlet, state, said, lines, changes: () => changes }
}

let bodies = 0
const body = (bytes = 100) => Buffer.from(`{"n":${++bodies},"x":"${'x'.repeat(Math.max(0, bytes - 20))}"`)

/** Lets all that needs no timer happen. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn()
}

function faultsIn(lines: readonly string[]): readonly string[] {
  const check = createChainCheck({ keys: [], after: undefined })
  return lines.flatMap((line) => check.line(Buffer.from(line), true)?.kind ?? [])
}

test('records are gathered until 16 KiB or 200 ms, and come in order as one chain', async (t) => {
  const { outlet, state, lines } = outletTo(t)
  await settled()
  for (let i = 0; i < 10; i++) outlet.push(body())
  t.mock.timers.tick(199)
  await settled()
  assert.equal(state.sends, 0)
  t.mock.timers.tick(1)
  await settled()
  assert.deepEqual([state.sends, lines().length], [1, 10])
  for (let i = 0; i < 170; i++) outlet.push(body(120))
  await settled()
  assert.equal(state.sends, 2)
  assert.ok(lines().length > 170)
  t.mock.timers.tick(200)
  await settled()
  assert.equal(lines().length, 180)
  assert.deepEqual(faultsIn(lines()), [])
})

test('a batch has at most 256 KiB, and a place that takes some of it gets the rest later, once each', async (t) => {
  const { outlet, state, lines, said } = outletTo(t)
  state.takes = 3
  for (let i = 0; i < 500; i++) outlet.push(body(2000))
  for (let i = 0; i < 200; i++) {
    await settled()
    t.mock.timers.tick(30_000)
  }
  assert.equal(lines().length, 500)
  assert.deepEqual(faultsIn(lines()), [])
  state.takes = Number.POSITIVE_INFINITY
  assert.equal(said.length, 2, said.join('\n'))
})

test('refuse: a place that fails is not well, nothing is lost, and it is tried until it is well again', async (t) => {
  const { outlet, state, lines, said, changes } = outletTo(t)
  state.fault = 'fails'
  outlet.push(body())
  assert.equal(outlet.isWell, true)
  t.mock.timers.tick(200)
  await settled()
  assert.deepEqual([outlet.isWell, state.sends, changes()], [false, 1, 1])
  outlet.push(body(3 * pendingBytes))
  t.mock.timers.tick(999)
  await settled()
  assert.equal(state.sends, 1)
  t.mock.timers.tick(1)
  await settled()
  assert.equal(state.sends, 2)
  t.mock.timers.tick(1999)
  await settled()
  assert.equal(state.sends, 2)
  state.fault = undefined
  t.mock.timers.tick(1)
  await settled()
  assert.deepEqual([outlet.isWell, outlet.dropped, lines().length, changes()], [true, 0, 2, 2])
  assert.deepEqual(faultsIn(lines()), [])
  assert.deepEqual(said, [
    'audit records are not taken: requests are refused until they are {"sink":"place","reason":"out of order"}',
    'audit records are taken again {"sink":"place","lost":0}',
  ])
})

test('refuse: beyond 1 MiB it is not well until half of that is gone; beyond 16 MiB the newest are lost and the chain says where', async (t) => {
  const { outlet, state, lines, said } = outletTo(t)
  state.fault = 'hangs'
  while (outlet.isWell) {
    outlet.push(body(1000))
    await settled()
  }
  for (let i = 0; i < 30_000; i++) outlet.push(body(1000))
  const lost = outlet.dropped
  assert.ok(lost > 30_000 + pendingBytes / 1000 - maxPendingBytes / 900 && lost < 30_000, String(lost))
  state.fault = undefined
  state.release()
  await settled()
  assert.equal(outlet.isWell, true)
  outlet.push(body(1000))
  t.mock.timers.tick(200)
  await settled()
  assert.equal(JSON.parse(lines().at(-1) ?? '')['lost'], lost)
  assert.deepEqual(faultsIn(lines()), [])
  assert.equal(said.length, 2)
  assert.ok(said[1]?.includes(`"lost":${lost}`))
})

test('drop: beyond 1 MiB the oldest go, but for those on their way, and the chain says how many', async (t) => {
  const { outlet, state, lines, said } = outletTo(t, { ...chained, whenFull: 'drop' })
  state.fault = 'hangs'
  outlet.push(body(20_000))
  await settled()
  const first = bodies
  for (let i = 0; i < 3000; i++) outlet.push(body(1000))
  assert.ok(outlet.dropped > 1900 && outlet.dropped < 2100, String(outlet.dropped))
  assert.equal(outlet.isWell, false)
  state.fault = undefined
  state.release()
  await settled()
  t.mock.timers.tick(200)
  await settled()
  const read = lines().map((line) => JSON.parse(line) as { n: number; lost?: number })
  assert.equal(read[0]?.n, first)
  assert.equal(read[1]?.lost, outlet.dropped)
  assert.equal(read[1]?.n, first + 1 + outlet.dropped)
  assert.equal(read.at(-1)?.n, first + 3000)
  assert.equal(read.length, 3001 - outlet.dropped)
  assert.deepEqual(faultsIn(lines()), [])
  assert.deepEqual([outlet.isWell, said.length], [true, 2])
  assert.match(said[0] ?? '', /the oldest are lost beyond 1048576 bytes/)
})

test('flush hands over what is gathered at once, and does not repeat it', async (t) => {
  const { outlet, state, lines } = outletTo(t)
  for (let i = 0; i < 5; i++) outlet.push(body())
  outlet.flush()
  assert.deepEqual([lines().length, state.sends], [5, 0])
  await settled()
  t.mock.timers.tick(1000)
  await settled()
  outlet.push(body())
  outlet.flush()
  assert.equal(lines().length, 6)
  assert.deepEqual(faultsIn(lines()), [])
  state.fault = 'fails'
  outlet.push(body())
  outlet.flush()
  state.fault = undefined
  t.mock.timers.tick(200)
  await settled()
  assert.equal(lines().length, 7)
})

test('drained waits for all that was pushed, also of a place that comes back, and no longer than it may', async (t) => {
  const { outlet, state, lines } = outletTo(t)
  await settled()
  await outlet.drained(1000)
  for (let i = 0; i < 50; i++) outlet.push(body(9000))
  let done = 0
  void outlet.drained(5000).then(() => done++)
  void outlet.drained(5000).then(() => done++)
  await settled()
  assert.deepEqual([done, lines().length], [2, 50])
  state.fault = 'fails'
  outlet.push(body())
  void outlet.drained(5000).then(() => done++)
  await settled()
  state.fault = undefined
  t.mock.timers.tick(1000)
  await settled()
  assert.deepEqual([done, lines().length], [3, 51])
  state.fault = 'fails'
  outlet.push(body())
  void outlet.drained(500).then(() => done++)
  await settled()
  t.mock.timers.tick(499)
  await settled()
  assert.equal(done, 3)
  t.mock.timers.tick(1)
  await settled()
  assert.equal(done, 4)
})

test('what has not arrived when it closes is counted and told', async (t) => {
  const { outlet, state, said } = outletTo(t)
  state.fault = 'fails'
  outlet.push(body())
  outlet.push(body())
  await outlet.close()
  await outlet.close()
  assert.deepEqual([outlet.dropped, state.closed], [2, 1])
  assert.match(said.at(-1) ?? '', /^audit records are lost.*"lost":2/)
  outlet.push(body())
  assert.equal(outlet.dropped, 3)
})

test('without a chain lines only end, and say what was lost before them', async (t) => {
  const { outlet, state, lines } = outletTo(t, { writer: unchainedWriter, whenFull: 'drop' })
  state.fault = 'fails'
  for (let i = 0; i < 3; i++) {
    outlet.push(body(pendingBytes / 2 - 10))
    await settled()
  }
  state.fault = undefined
  t.mock.timers.tick(1000)
  await settled()
  const found = lines().map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(
    found.map((record) => [Object.keys(record).slice(2), record['lost']]),
    [
      [[], undefined],
      [['lost'], 1],
    ],
  )
  assert.equal(outlet.dropped, 1)
})

test('the head that a place finds is gone on from', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { state, port } = place()
  let found: { seq: number; digest: string } | undefined = { seq: 41, digest: 'sha256:x' }
  const log = { error() {}, warn() {} } as unknown as Log
  const outlet = createOutlet({ ...port, takeHead: () => found }, chained, { log, onChange() {} })
  await settled()
  outlet.push(body())
  t.mock.timers.tick(200)
  await settled()
  found = undefined
  outlet.push(body())
  t.mock.timers.tick(200)
  await settled()
  const [first, second] = state.text.split('\n').map((line) => (line === '' ? {} : JSON.parse(line)))
  assert.deepEqual([first.seq, first.prev, second.seq, second.prev], [42, 'sha256:x', 43, first.digest])
  assert.notEqual(first.prev, chainStart.digest)
})
