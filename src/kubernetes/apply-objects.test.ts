import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createLog } from '../observe/observe.ts'
import { objectPath } from './api-paths.ts'
import { createApplier } from './apply-objects.ts'
import { createControllerMetrics } from './controller-metrics.ts'
import { createFakeCluster, refusal } from './fake-cluster-for-test.ts'
import type { KubeObject } from './model.ts'
import { refOf } from './world.ts'
import { createWriteQueue } from './write-queue.ts'

const silent = createLog({ level: 'error', format: 'json', stream: { write: () => true, on: () => undefined }, color: false })
const metadata = {
  name: 'front',
  namespace: 'shop',
  labels: { 'app.kubernetes.io/managed-by': 'us' },
  ownerReferences: [{ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', name: 'front', uid: 'g', controller: true }],
}
const account: KubeObject = { apiVersion: 'v1', kind: 'ServiceAccount', metadata }
const service: KubeObject = { apiVersion: 'v1', kind: 'Service', metadata, spec: { type: 'LoadBalancer' } }
const path = '/api/v1/namespaces/shop/services/front'

/** An applier whose clock stands still: nothing is tried again for the passing of time. */
function open(...objects: readonly KubeObject[]) {
  const cluster = createFakeCluster()
  const found = (object: KubeObject | undefined) => object && cluster.get(objectPath(refOf(object)) ?? '')
  const applier = createApplier({
    client: cluster.client(),
    controllerName: 'us',
    seen: (ref) => cluster.get(objectPath(ref) ?? '')?.metadata.resourceVersion,
    isSeen: ({ kind }) => kind === 'Service',
    onFault: () => {},
    random: randomBytes,
    log: silent,
    metrics: createControllerMetrics(),
    now: () => 0,
  })
  const { signal } = new AbortController()
  const queue = createWriteQueue({ concurrency: 1, term: () => signal, now: () => 0, random: () => 0 })
  return {
    cluster,
    found,
    /** All that can be done at once. */
    async write() {
      queue.replace(applier.tasks([{ namespace: 'shop', name: 'front', document: {}, objects }]))
      await queue.settled()
      await setImmediate()
    },
    /** How the write goes. */
    async outcome() {
      const [task] = applier.tasks([{ namespace: 'shop', name: 'front', document: {}, objects }])
      return await task?.run(signal)
    },
    fault: () => applier.faults().get('shop/front'),
  }
}

test('what was refused over one version is tried at once over the next, or where it is gone', async () => {
  const { cluster, write, fault } = open(service)
  cluster.put({ ...service, spec: { type: 'ClusterIP' } })
  cluster.intercept = (request) => ('method' in request && request.method === 'PATCH' ? refusal(422, 'may not change') : undefined)
  await write()
  assert.match(fault() ?? '', /may not change.*Delete that Service/)
  cluster.intercept = () => undefined
  await write()
  assert.deepEqual(cluster.get(path)?.['spec'], { type: 'ClusterIP' })
  cluster.remove(service)
  await write()
  assert.deepEqual([cluster.get(path)?.['spec'], fault()], [service['spec'], undefined])
})

const gatewayOf = (uid: string) => metadata.ownerReferences.map((one) => ({ ...one, uid }))
const madeBy = (maker: string) => ({ 'app.kubernetes.io/managed-by': maker })
const rows: readonly [what: string, existing: Partial<KubeObject['metadata']>, fault: RegExp | undefined][] = [
  ['ours', {}, undefined],
  ["another's, of nobody", { labels: {}, ownerReferences: [] }, /^Service shop\/front exists and belongs to something else: rename/],
  ['ours by its label alone', { ownerReferences: [] }, /^Service shop\/front exists and belongs to something else: rename/],
  ['of a Gateway that was called the same', { ownerReferences: gatewayOf('old') }, /belongs to something else: rename/],
  [
    'made by another controller',
    { labels: madeBy('them') },
    /^Service shop\/front was made for this Gateway by them .*delete service\/front -n shop/,
  ],
  ['made by one that does not say', { labels: {} }, /^Service shop\/front was made for this Gateway by another controller /],
]
for (const [what, existing, expected] of rows) {
  test(`a Service that is ${what}: ${expected === undefined ? 'is applied' : 'stays, and nothing is made beside it'}`, async () => {
    const { cluster, write, found, fault } = open(account, service)
    cluster.put({ ...service, metadata: { ...metadata, ...existing }, spec: { type: 'ClusterIP' } })
    const before = cluster.get(path)
    await write()
    if (expected === undefined) assert.deepEqual([fault(), found(service)?.['spec']], [undefined, service['spec']])
    else {
      assert.match(fault() ?? '', expected)
      assert.deepEqual([cluster.get(path), found(account), cluster.writes], [before, undefined, []])
    }
  })
}

test('what nobody follows is looked at again soon while it is in the way', async () => {
  const theirs = { ...metadata, labels: madeBy('them') }
  const { cluster, outcome, found } = open(account, service)
  for (const object of [account, service]) cluster.put({ ...object, metadata: theirs })
  // Of a Service followers tell, and then it is another wish.
  assert.equal(await outcome(), 'later')
  cluster.remove(service)
  assert.equal(await outcome(), 'soon')
  cluster.remove(account)
  assert.equal(await outcome(), 'done')
  assert.ok(found(account) && found(service))
})
