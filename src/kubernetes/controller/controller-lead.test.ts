import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { rawAt, textAt } from '../objects/objects.ts'
import { type Around, createShop, isWritten, roundTrip, secretPath, servicePath, start, writesTo } from './shop-for-test.ts'

test('a controller that ends between two writes: the next goes on, and keeps what was made at random', async (t) => {
  for (const at of [1, 2, 3, 5, 8]) {
    const cluster = createShop()
    let count = 0
    const first = start(t, cluster)
    cluster.intercept = (request) => {
      if ('method' in request && request.method !== 'GET' && !request.path.includes('/leases') && ++count === at) void first.client.close()
      return undefined
    }
    await cluster.until(() => count >= at)
    const before = rawAt(cluster.get(secretPath), 'data')
    cluster.intercept = () => undefined
    // The lease of the dead one is taken away rather than waited for.
    const lease = cluster.get('/apis/coordination.k8s.io/v1/namespaces/mcplex-system/leases/mcplex-controller')
    assert.ok(lease)
    Object.assign(rawAt(lease, 'spec'), { holderIdentity: '' })
    start(t, cluster)
    await cluster.until(isWritten(cluster))
    const after = rawAt(cluster.get(secretPath), 'data')
    for (const part of ['sessions.keys', 'admin.token']) if (before[part] !== undefined) assert.equal(after[part], before[part], part)
  }
})

test('of two controllers one writes; when it stops the other goes on', async (t) => {
  const cluster = createShop()
  const one = start(t, cluster)
  await cluster.until(isWritten(cluster))
  const two = start(t, cluster)
  await cluster.until(() => two.controller.readiness().isReady)
  const keys = rawAt(cluster.get(secretPath), 'data')['sessions.keys']
  assert.deepEqual([one.controller.isLeader(), two.controller.isLeader()], [true, false])
  await one.controller.stop()
  await cluster.until(() => two.controller.isLeader())
  await roundTrip(cluster, '/after')
  assert.equal(rawAt(cluster.get(secretPath), 'data')['sessions.keys'], keys)
})

test('a process that stood still in the midst of its writes begins no other before it leads again', async (t) => {
  const cluster = createShop()
  const around: Around = { skewMs: 0 }
  const late: string[] = []
  around.onRequest = ({ method, path }) => {
    if (path.includes('/leases')) return undefined
    if ((around.skewMs ?? 0) > 0) late.push(`${method} ${path}`)
    // The answer to this one comes after the term has run out; no timer has told so yet.
    else if (method === 'PATCH' && path === secretPath) around.skewMs = 11_000
    return undefined
  }
  const { controller } = start(t, cluster, around)
  await cluster.until(() => writesTo(cluster, secretPath).length > 0)
  for (let turn = 0; turn < 20; turn++) await setImmediate()
  assert.deepEqual([controller.isLeader(), late], [false, []])
  assert.equal(cluster.get(servicePath), undefined)
})

test('a controller that stops gives the lease back when what it has begun is done, or does not end', async (t) => {
  const leasePath = '/apis/coordination.k8s.io/v1/namespaces/mcplex-system/leases/mcplex-controller'
  for (const isAnswered of [true, false]) {
    const cluster = createShop()
    let answer = () => {}
    let begun = false
    const around: Around = {
      onRequest({ method, path }) {
        if (method !== 'PATCH' || path !== secretPath) return undefined
        begun = true
        return new Promise((resolve) => {
          answer = resolve
        })
      },
    }
    const { controller } = start(t, cluster, around)
    await cluster.until(() => begun)
    const holder = () => textAt(cluster.get(leasePath), 'spec', 'holderIdentity')
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const stopped = controller.stop()
    if (isAnswered) t.mock.timers.reset()
    for (let turn = 0; turn < 20; turn++) await setImmediate()
    assert.ok(holder())
    if (isAnswered) answer()
    else {
      t.mock.timers.tick(2000)
      t.mock.timers.reset()
    }
    await cluster.until(() => holder() === undefined)
    answer()
    await stopped
    // Nothing was begun meanwhile.
    assert.deepEqual([writesTo(cluster, secretPath).length, cluster.get(servicePath)], [isAnswered ? 1 : 0, undefined])
  }
})
