import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createLog } from '../../observe/observe.ts'
import { createControllerMetrics } from '../controller/controller-metrics.ts'
import { type KubeObject, objectPath, refOf } from '../objects/objects.ts'
import { createApplier } from './apply-objects.ts'
import { createFakeCluster, refusal } from './fake-cluster-for-test.ts'
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
    async write(parameters: readonly string[] = []) {
      queue.replace(applier.tasks([{ namespace: 'shop', name: 'front', document: {}, digest: '', objects, parameters }]))
      await queue.settled()
      await setImmediate()
    },
    /** How the write goes. */
    async outcome() {
      const [task] = applier.tasks([{ namespace: 'shop', name: 'front', document: {}, digest: '', objects }])
      return await task?.run(signal)
    },
    fault: () => applier.faults().get('shop/front'),
  }
}

test('what was refused over one version is tried at once over the next, or where it is gone', async () => {
  const { cluster, write, fault } = open(service)
  cluster.put({ ...service, spec: { type: 'ClusterIP' } })
  cluster.intercept = (request) =>
    'method' in request && request.method === 'PATCH' ? refusal(422, 'spec.loadBalancerClass: may not change once set') : undefined
  await write()
  assert.match(fault() ?? '', /may not change once set. Delete that Service/)
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

const appliedBy = (manager: string, operation = 'Apply', fields: object = { 'f:labels': { 'f:app.kubernetes.io/managed-by': {} } }) => ({
  manager,
  operation,
  fieldsV1: { 'f:metadata': fields },
})
const rest = { 'f:labels': {} }
for (const [what, labels, managedFields, isOurs] of [
  ['relabelled by hand', madeBy('Helm'), [appliedBy('us', 'Apply', rest), appliedBy('kubectl-label', 'Update')], true],
  ['relabelled by hand, applied', madeBy('me'), [appliedBy('us', 'Apply', rest), appliedBy('kubectl')], true],
  ['relabelled by a tool', madeBy('Helm'), [appliedBy('us', 'Apply', rest), appliedBy('helm', 'Update')], true],
  ['without its label', {}, [appliedBy('us', 'Apply', rest)], true],
  ['without its label, of a Deployment whose pods are counted', {}, [appliedBy('us'), appliedBy('mcplex-replicas', 'Apply', {})], true],
  ["another controller's, labelled as by a tool", madeBy('Helm'), [appliedBy('them')], false],
  ['taken over by another controller', madeBy('them'), [appliedBy('us', 'Apply', rest), appliedBy('them')], false],
  ['written by us, never applied', madeBy('them'), [appliedBy('us', 'Update')], false],
] as const) {
  test(`a Service that is ${what}: ${isOurs ? 'is applied' : 'stays'}`, async () => {
    const { cluster, write, found, fault } = open(service)
    cluster.put({ ...service, metadata: { ...metadata, labels }, spec: { type: 'ClusterIP' } })
    const existing = found(service)
    cluster.intercept = (request) =>
      'method' in request && request.method === 'GET'
        ? { kind: 'reply', status: 200, body: { ...existing, metadata: { ...existing?.metadata, managedFields } }, retryAfterMs: undefined }
        : undefined
    await write()
    assert.equal(fault() === undefined, isOurs, String(fault()))
    assert.deepEqual(found(service)?.['spec'], isOurs ? service['spec'] : { type: 'ClusterIP' })
    assert.deepEqual(found(service)?.metadata.labels, isOurs ? metadata.labels : labels)
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

const deployment: KubeObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: {} }
const autoscaler: KubeObject = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata, spec: { maxReplicas: 3 } }

test('an autoscaler that is not wished for any more is deleted before its Deployment is written, and only if it is ours', async () => {
  const { cluster, write, found, fault } = open(deployment)
  cluster.put(autoscaler)
  await write()
  assert.deepEqual([found(autoscaler), fault()], [undefined, undefined])
  assert.deepEqual(
    cluster.writes.map((line) => line.split(' ')[0]),
    ['DELETE', 'PATCH'],
  )
  // It is not looked for again while the clock stands still.
  const looks: string[] = []
  cluster.intercept = (request) => void looks.push(request.path)
  await write()
  assert.deepEqual(looks, [])
})

for (const [what, theirs] of [
  ["another's", { ...autoscaler, metadata: { ...metadata, labels: madeBy('them') } }],
  ["nobody's", { ...autoscaler, metadata: { ...metadata, ownerReferences: [] } }],
] as const) {
  test(`an autoscaler that is ${what} stays`, async () => {
    const { cluster, write, found, fault } = open(deployment)
    cluster.put(theirs)
    await write()
    assert.ok(found(autoscaler))
    assert.deepEqual([found(deployment)?.['spec'], fault()], [{}, undefined])
  })
}

test('who has a say in what is refused is named', async () => {
  const parameters = ['GatewayParameters shop/large']
  const { cluster, write, fault } = open(deployment)
  cluster.intercept = (request) =>
    'method' in request && request.method === 'PATCH' ? refusal(422, 'spec.x: must be a resource') : undefined
  await write(parameters)
  assert.match(fault() ?? '', /must be a resource\. Correct what GatewayParameters shop\/large says of it$/)
})

test('an autoscaler stays where what is made for its Gateway is left as it is, and where it may not be seen', async () => {
  const kept = open(account)
  kept.cluster.put(autoscaler)
  await kept.write()
  assert.ok(kept.found(autoscaler))

  const { cluster, write, found, fault } = open(deployment)
  cluster.intercept = (request) => (request.path.includes('horizontalpodautoscalers') ? refusal(403, 'may not') : undefined)
  await write()
  assert.ok(found(deployment))
  assert.equal(fault(), undefined)
})

for (const [what, manager, isHandedOver] of [
  ['us', 'us', true],
  ['somebody else', 'kubectl', false],
] as const) {
  test(`the number of pods that ${what} said: ${isHandedOver ? 'stays until the autoscaler says one' : 'is not touched'}`, async () => {
    const { cluster, write, found, fault } = open(deployment, autoscaler)
    cluster.put({ ...deployment, spec: { replicas: 5 } })
    const managedFields = [{ manager, operation: 'Apply', fieldsV1: { 'f:spec': { 'f:replicas': {} } } }]
    const existing = found(deployment)
    const sent: unknown[] = []
    cluster.intercept = (request) => {
      if (!('method' in request) || !request.path.endsWith('/deployments/front')) return undefined
      if (request.method === 'PATCH') sent.push([request.query, request.body])
      const body = { ...existing, metadata: { ...existing?.metadata, managedFields } }
      return request.method === 'GET' ? { kind: 'reply', status: 200, body, retryAfterMs: undefined } : undefined
    }
    await write()
    assert.equal(fault(), undefined)
    const uid = existing?.metadata.uid
    const kept = [
      { fieldManager: 'mcplex-replicas' },
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'front', namespace: 'shop', uid }, spec: { replicas: 5 } },
    ]
    const applied = [
      { fieldManager: 'us', force: 'true' },
      { ...deployment, metadata: { ...metadata, uid } },
    ]
    assert.deepEqual(sent, isHandedOver ? [kept, applied] : [applied])
  })
}
