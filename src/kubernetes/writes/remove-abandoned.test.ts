import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../observe/observe.ts'
import { createControllerMetrics } from '../controller/controller-metrics.ts'
import { type ObjectRef, refOf } from '../objects/objects.ts'
import { createFakeCluster, refusal } from './fake-cluster-for-test.ts'
import { createRemover } from './remove-abandoned.ts'

const apiVersion = 'gateway.networking.k8s.io/v1'
const ref: ObjectRef = { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'ns', name: 'gw' }
const labels = { 'app.kubernetes.io/managed-by': 'us' }
const service = (uid: string, more: object = labels) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'gw',
    namespace: 'ns',
    labels: more,
    ownerReferences: [{ apiVersion, kind: 'Gateway', name: 'gw', uid, controller: true }],
  },
})

function open() {
  const cluster = createFakeCluster()
  cluster.put({ apiVersion, kind: 'Gateway', metadata: { name: 'gw', namespace: 'ns', uid: 'u' } })
  const requests: string[] = []
  cluster.intercept = (request) => {
    if ('method' in request) requests.push(request.method)
    return undefined
  }
  const log = createLog({ level: 'error', format: 'json', stream: { write: () => true, on: () => undefined }, color: false })
  const paths = { Gateway: `/apis/${apiVersion}/namespaces/ns/gateways/gw`, Service: '/api/v1/namespaces/ns/services/gw' } as const
  const find = ({ kind }: ObjectRef) => cluster.get(kind === 'Gateway' ? paths.Gateway : paths.Service)
  const remover = createRemover({ client: cluster.client(), managedBy: 'us', find, log, metrics: createControllerMetrics() })
  return {
    cluster,
    async run() {
      requests.length = 0
      const tasks = remover.tasks([ref])
      for (const task of tasks) {
        assert.equal(task.rank, 4)
        await task.run(new AbortController().signal)
      }
      return requests.join(' ')
    },
    isThere: () => find(refOf({ ...service('u'), metadata: { name: 'gw' } })) !== undefined,
  }
}

const nineLooks = Array.from({ length: 9 }, () => 'GET').join(' ')

test('what is ours goes', async () => {
  const { cluster, run, isThere } = open()
  cluster.put(service('u'))
  assert.equal(await run(), `${nineLooks} DELETE`)
  assert.equal(isThere(), false)
})

test('where nothing of ours is found it is looked for again only when the Service has changed', async () => {
  const { cluster, run, isThere } = open()
  cluster.put(service('u', {}))
  assert.equal(await run(), nineLooks)
  assert.equal(await run(), '')
  cluster.put(service('u', { a: 'b' }))
  assert.equal(await run(), nineLooks)
  assert.equal(await run(), '')
  cluster.put(service('u'))
  assert.equal(await run(), `${nineLooks} DELETE`)
  assert.equal(isThere(), false)
})

test('what failed is tried again', async () => {
  const { cluster, run } = open()
  cluster.put(service('u'))
  const { intercept } = cluster
  cluster.intercept = (request) => intercept(request) ?? refusal(403, 'may not')
  assert.equal(await run(), 'GET')
  assert.equal(await run(), 'GET')
})
