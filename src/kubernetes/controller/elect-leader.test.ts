import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createLog } from '../../observe/observe.ts'
import { rawAt, textAt } from '../objects/objects.ts'
import { createFakeCluster, refusal } from '../writes/fake-cluster-for-test.ts'
import { electLeader } from './elect-leader.ts'

const path = '/apis/coordination.k8s.io/v1/namespaces/ns/leases/lead'

function open(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const cluster = createFakeCluster()
  let nowMs = 0
  const lines: string[] = []
  const stream = { write: (line: string) => lines.push(line) > 0, on: () => undefined }
  const log = createLog({ level: 'info', format: 'json', stream, color: false })
  return {
    /** Those of all controllers that speak of it. */
    said(text: string) {
      log.flush()
      return lines.filter((line) => line.includes(text))
    },
    cluster,
    lease: () => rawAt(cluster.get(path), 'spec'),
    /** A controller of its own; `skewMs` is what its clock on the wall is off by. */
    join(holder: string, skewMs = 0) {
      const client = cluster.client()
      const changes: boolean[] = []
      const deps = {
        log,
        now: () => nowMs,
        wallClock: () => nowMs + skewMs,
        random: () => 0,
        onChange: (is: boolean) => void changes.push(is),
      }
      const leadership = electLeader(client, { namespace: 'ns', name: 'lead', holder }, deps)
      return { client, changes, leadership, leads: () => leadership.term() !== undefined }
    },
    /** Time, in steps in which everybody does what is due. */
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= 500) {
        nowMs += Math.min(500, left)
        t.mock.timers.tick(Math.min(500, left))
        for (let turn = 0; turn < 4; turn++) await setImmediate()
      }
    },
    suspend(ms: number) {
      nowMs += ms
    },
  }
}

test('the first leads, and renews; times have six digits after the dot', async (t) => {
  const { join, pass, lease } = open(t)
  const one = join('one')
  const two = join('two')
  await pass(60_000)
  assert.deepEqual([one.leads(), two.leads()], [true, false])
  assert.equal(textAt(lease(), 'holderIdentity'), 'one')
  assert.match(textAt(lease(), 'renewTime') ?? '', /^1970-01-01T00:00:5\d\.\d{6}Z$/)
  assert.deepEqual(one.changes, [true])
})

test('who leads in its stead is said once; so is what helps where the namespace is missing', async (t) => {
  const { join, pass, said, cluster } = open(t)
  cluster.intercept = (request) =>
    'method' in request && request.method === 'POST' ? refusal(404, 'namespaces "ns" not found') : undefined
  join('one')
  await pass(10_000)
  assert.equal(said('namespaces \\"ns\\" not found: kubectl create namespace ns, or name another by --namespace').length, 1)
  cluster.intercept = () => undefined
  await pass(4000)
  join('two')
  await pass(10_000)
  assert.equal(said('another controller leads').length, 1)
  assert.match(said('another controller leads')[0] ?? '', /"leader":"one"/)
})

test('a leader that is gone is followed after 15 s of its silence, whatever the clocks say', async (t) => {
  for (const skewMs of [0, 3_600_000, -3_600_000]) {
    const { join, pass, lease } = open(t)
    const one = join('one')
    await pass(5000)
    const two = join('two', skewMs)
    await pass(4000)
    await one.client.close()
    await pass(13_000)
    assert.equal(two.leads(), false)
    await pass(5000)
    assert.equal(two.leads(), true)
    assert.equal(lease()['leaseTransitions'], 1)
    // The one that was cut off stopped by itself.
    assert.deepEqual([one.leads(), one.changes], [false, [true, false]])
    await two.client.close()
    t.mock.timers.reset()
  }
})

test('a leader that stops gives the lease back, and the next need not wait for its end', async (t) => {
  const { join, pass, lease } = open(t)
  const one = join('one')
  const two = join('two')
  await pass(4000)
  const signal = one.leadership.term()
  const stopped = one.leadership.stop()
  assert.equal(signal?.aborted, true)
  await stopped
  assert.deepEqual([textAt(lease(), 'holderIdentity'), lease()['leaseDurationSeconds']], [undefined, 1])
  await pass(2500)
  assert.equal(two.leads(), true)
  assert.equal(lease()['leaseDurationSeconds'], 15)
})

test('a leader that cannot renew ends its term 10 s after the last time, before another may begin', async (t) => {
  const { join, pass, cluster } = open(t)
  const one = join('one')
  await pass(4000)
  const signal = one.leadership.term()
  cluster.intercept = () => refusal(503, 'away')
  await pass(7000)
  assert.equal(one.leads(), true)
  await pass(4000)
  assert.deepEqual([one.leads(), signal?.aborted], [false, true])
  cluster.intercept = () => undefined
  await pass(3000)
  assert.deepEqual([one.leads(), one.leadership.term() !== signal], [true, true])
})

test('a process that stood still does not lead before it has renewed, though no timer has run yet', async (t) => {
  const { join, pass, suspend } = open(t)
  const one = join('one')
  await pass(2000)
  suspend(11_000)
  assert.equal(one.leadership.term(), undefined)
  await pass(3000)
  assert.equal(one.leads(), true)
})

test('of two that want the lease at once one gets it', async (t) => {
  const { join, pass, lease } = open(t)
  const all = ['one', 'two', 'three'].map((holder) => join(holder))
  await pass(2000)
  assert.equal(all.filter((one) => one.leads()).length, 1)
  const holder = textAt(lease(), 'holderIdentity')
  await pass(30_000)
  assert.equal(textAt(lease(), 'holderIdentity'), holder)
})
