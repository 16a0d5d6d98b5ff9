import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { ApiClient } from '../kube/kube.ts'
import { createLog } from '../observe/observe.ts'
import { startController } from './controller.ts'
import { createControllerMetrics } from './controller-metrics.ts'
import { defaultSettings } from './default-settings.ts'
import { conditionsIn, createFakeCluster, type FakeCluster, refusal } from './fake-cluster-for-test.ts'
import type { Raw } from './model.ts'
import { listAt, rawAt, textAt } from './raw.ts'

const gatewayApi = 'gateway.networking.k8s.io/v1'
const ns = '/api/v1/namespaces/shop'
const gatewayPath = `/apis/${gatewayApi}/namespaces/shop/gateways/front`
const routePath = `/apis/${gatewayApi}/namespaces/shop/httproutes/tools`
const backendPath = '/apis/gateway.kgateway.dev/v1alpha1/namespaces/shop/backends/tools'
const secretPath = `${ns}/secrets/front-mcplex`
const servicePath = `${ns}/services/front`

const gatewayClass = {
  apiVersion: gatewayApi,
  kind: 'GatewayClass',
  metadata: { name: 'mcplex' },
  spec: { controllerName: 'mcplex.dev/controller' },
}
const gateway = {
  apiVersion: gatewayApi,
  kind: 'Gateway',
  metadata: { name: 'front', namespace: 'shop' },
  spec: { gatewayClassName: 'mcplex', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
}
const backendRef = { group: 'gateway.kgateway.dev', kind: 'Backend', name: 'tools' }
const route = (value = '/', refs: readonly Raw[] = [backendRef]) => ({
  apiVersion: gatewayApi,
  kind: 'HTTPRoute',
  metadata: { name: 'tools', namespace: 'shop' },
  spec: { parentRefs: [{ name: 'front' }], rules: [{ matches: [{ path: { type: 'PathPrefix', value } }], backendRefs: refs }] },
})
const backend = {
  apiVersion: 'gateway.kgateway.dev/v1alpha1',
  kind: 'Backend',
  metadata: { name: 'tools', namespace: 'shop' },
  spec: { type: 'MCP', mcp: { targets: [{ name: 'math', static: { host: 'math.example', port: 80 } }] } },
}

function createShop(): FakeCluster {
  const cluster = createFakeCluster()
  for (const object of [gatewayClass, gateway, route(), backend]) cluster.put(object)
  return cluster
}

const silent = createLog({ level: 'error', format: 'json', stream: { write: () => true, on: () => undefined }, color: false })
let holders = 0

function start(t: TestContext, cluster: FakeCluster) {
  const client: ApiClient = cluster.client()
  const metrics = createControllerMetrics()
  const settings = { ...defaultSettings('1.0.0'), namespace: 'mcplex-system', holder: `test-${++holders}` }
  const deps = { log: silent, metrics, now: () => performance.now(), wallClock: Date.now, random: () => 0.01, randomBytes }
  const controller = startController(client, settings, deps)
  t.after(async () => {
    await client.close()
    await controller.stop()
  })
  return { controller, client, metrics }
}

function documentIn(cluster: FakeCluster): string {
  return Buffer.from(textAt(cluster.get(secretPath), 'data', 'config.json') ?? '', 'base64').toString()
}

const isWritten = (cluster: FakeCluster) => () =>
  documentIn(cluster) !== '' &&
  cluster.get(servicePath) !== undefined &&
  conditionsIn(cluster.get(gatewayPath)?.['status']).length > 0 &&
  listAt(cluster.get(routePath), 'status', 'parents').length > 0 &&
  conditionsIn(cluster.get(backendPath)?.['status']).length > 0

/** A change that has gone all the way round: whatever was wrong before has been seen by then. */
async function roundTrip(cluster: FakeCluster, path: string): Promise<void> {
  cluster.put(route(path))
  const hasSeen = () => textAt(listAt(cluster.get(routePath), 'status', 'parents')[0], 'controllerName') !== undefined
  await cluster.until(() => documentIn(cluster).includes(`"${path}"`) && hasSeen())
}

const writesTo = (cluster: FakeCluster, path: string) => cluster.writes.filter((write) => write.split(' ')[1] === path)

test('what a Gateway needs and all statuses come of its objects; the missing class is made', async (t) => {
  const cluster = createShop()
  start(t, cluster)
  await cluster.until(isWritten(cluster))
  const document = JSON.parse(documentIn(cluster))
  assert.deepEqual(Object.keys(document.backends), ['shop/tools'])
  await cluster.until(() => cluster.get(`/apis/${gatewayApi}/gatewayclasses/agentgateway`) !== undefined)
  const data = rawAt(cluster.get(secretPath), 'data')
  const [key] = JSON.parse(Buffer.from(String(data['sessions.keys']), 'base64').toString())
  assert.deepEqual([key.id, Buffer.from(key.secret, 'base64').length], ['a', 32])
  assert.ok(Buffer.from(String(data['admin.token']), 'base64').length > 32)
  const [entry] = listAt(cluster.get(routePath), 'status', 'parents')
  assert.deepEqual(conditionsIn(entry), ['Accepted=True Accepted', 'ResolvedRefs=True ResolvedRefs'])
})

test('nothing is written before every kind is known; a kind that is not served has no objects', async (t) => {
  const cluster = createShop()
  let isForbidden = true
  cluster.intercept = ({ path }) => {
    if (path.endsWith('/agents')) return refusal(404, 'no such kind')
    return isForbidden && path.endsWith('/services') ? refusal(403, 'may not') : undefined
  }
  const { controller } = start(t, cluster)
  await cluster.until(() => controller.isLeader() && controller.readiness().reasons.some((reason) => reason.includes('may not list')))
  assert.deepEqual(controller.readiness().reasons.length, 1)
  assert.match(controller.readiness().reasons[0] ?? '', /^services: .*403: may not\).*deploy\/rbac\.yaml/)
  assert.deepEqual(cluster.writes, [])
  isForbidden = false
  await cluster.until(isWritten(cluster))
  assert.deepEqual(controller.readiness(), { isReady: true, reasons: [] })
})

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

test('others’ status entries stay as they are, and a version that is behind is not written over', async (t) => {
  const cluster = createShop()
  const foreign = { controllerName: 'other.example/c', parentRef: { name: 'else' }, conditions: [] }
  cluster.put({ ...route(), status: { parents: [foreign] } })
  start(t, cluster)
  const entries = () => listAt(cluster.get(routePath), 'status', 'parents')
  await cluster.until(() => entries().length === 2)
  // The other one writes while ours, with a change of its own to tell, knows only the version before.
  cluster.isStale = true
  const changed = { ...foreign, conditions: [{ type: 'Accepted' }] }
  cluster.put({ ...route(), status: { parents: [changed, ...entries().slice(1)] } })
  cluster.wake()
  cluster.put(route('/', [{ ...backendRef, name: 'nope' }]))
  await cluster.until(() => conditionsIn(entries()[1])[1] === 'ResolvedRefs=False BackendNotFound')
  assert.deepEqual(entries()[0], changed)
})

test('a conflict is resolved by the newer version', async (t) => {
  const cluster = createShop()
  let conflicts = 0
  cluster.intercept = (request) => {
    const isOurs = 'method' in request && request.method === 'PUT' && request.path === `${routePath}/status`
    return isOurs && conflicts++ < 2 ? refusal(409, 'modified') : undefined
  }
  start(t, cluster)
  await cluster.until(isWritten(cluster))
  assert.equal(conflicts, 3)
})

test('a status that the server keeps in another form than it was sent is written once', async (t) => {
  const cluster = createShop()
  cluster.intercept = (request) => {
    if (!('method' in request) || request.path !== `${backendPath}/status`) return undefined
    const { conditions } = rawAt(request.body, 'status')
    Object.assign(rawAt(request.body), { status: { conditions } })
    return undefined
  }
  start(t, cluster)
  await cluster.until(isWritten(cluster))
  await roundTrip(cluster, '/one')
  await roundTrip(cluster, '/two')
  assert.equal(writesTo(cluster, `${backendPath}/status`).length, 1)
})

test('what others change or delete is put right', async (t) => {
  const cluster = createShop()
  start(t, cluster)
  await cluster.until(isWritten(cluster))
  cluster.put({ ...route(), status: { parents: [] } })
  await cluster.until(isWritten(cluster))
  const secret = cluster.get(secretPath)
  assert.ok(secret)
  cluster.put({ ...secret, data: { ...rawAt(secret, 'data'), 'config.json': 'e30=' } })
  cluster.remove(cluster.get(servicePath) ?? {})
  await cluster.until(isWritten(cluster))
  await cluster.until(() => documentIn(cluster).includes('listeners'))
  assert.equal(rawAt(cluster.get(secretPath), 'data')['sessions.keys'], rawAt(secret, 'data')['sessions.keys'])
})

test('a name that is taken, and a right that is missing, are said in the status; the other’s object stays', async (t) => {
  const message = (cluster: FakeCluster) =>
    listAt(cluster.get(gatewayPath), 'status', 'conditions')
      .map((one) => textAt(one, 'message'))
      .join(' ')
  const taken = createShop()
  const foreign = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'front', namespace: 'shop' }, spec: { type: 'ClusterIP' } }
  taken.put(foreign)
  start(t, taken)
  await taken.until(() => message(taken).includes('Service shop/front exists and belongs to something else'))
  assert.deepEqual(taken.get(servicePath)?.['spec'], foreign.spec)
  assert.deepEqual(writesTo(taken, servicePath), [])

  const forbidden = createShop()
  forbidden.put({ ...gatewayClass, metadata: { name: 'agentgateway' } })
  let isForbidden = true
  const text = 'secrets "front-mcplex" is forbidden: User "system:serviceaccount:mcplex-system:mcplex" cannot get resource "secrets"'
  forbidden.intercept = ({ path }) => (isForbidden && path.startsWith(secretPath) ? refusal(403, text) : undefined)
  start(t, forbidden)
  const remedy =
    'kubectl create rolebinding mcplex-provisioner -n shop --clusterrole mcplex-provisioner --serviceaccount mcplex-system:mcplex'
  await forbidden.until(() => message(forbidden).includes(`mcplex may not write Secret shop/front-mcplex: ${remedy}`))
  isForbidden = false
  await forbidden.until(() => isWritten(forbidden)() && !message(forbidden).includes('may not'))
})

test('a Backend whose status another controller writes is left alone', async (t) => {
  const cluster = createShop()
  cluster.put({ ...backend, metadata: { ...backend.metadata, statusManagers: ['kgateway'] }, status: { conditions: [] } })
  start(t, cluster)
  await cluster.until(() => listAt(cluster.get(routePath), 'status', 'parents').length > 0)
  await roundTrip(cluster, '/one')
  assert.deepEqual(writesTo(cluster, `${backendPath}/status`), [])
})

test('Secrets that objects name are read before anything is written, one by one', async (t) => {
  const cluster = createShop()
  const auth = { secretRef: { name: 'key' } }
  const targets = [{ name: 'math', static: { host: 'math.example', port: 443, policies: { tls: {}, auth } } }]
  cluster.put({
    apiVersion: 'agentgateway.dev/v1alpha1',
    kind: 'AgentgatewayBackend',
    metadata: { name: 'keyed', namespace: 'shop' },
    spec: { mcp: { targets } },
  })
  cluster.put({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key', namespace: 'shop' }, data: { Authorization: 'aHVudGVyMg==' } })
  cluster.put(route('/', [{ group: 'agentgateway.dev', kind: 'AgentgatewayBackend', name: 'keyed' }]))
  const documents: string[] = []
  cluster.intercept = (request) => {
    if ('method' in request && request.path === secretPath && request.contentType === 'application/apply-patch+yaml') {
      documents.push(Buffer.from(textAt(request.body, 'data', 'config.json') ?? '', 'base64').toString())
    }
    return request.path.endsWith('/secrets') && !('method' in request) && request.query['fieldSelector'] === undefined
      ? refusal(403, 'never all of them')
      : undefined
  }
  start(t, cluster)
  await cluster.until(() => documents.length > 0)
  assert.match(documents[0] ?? '', /Bearer hunter2/)

  // A right that is gone for a moment, as when the API server has just started: what is known stays.
  const before = cluster.intercept
  let refusals = 0
  cluster.intercept = (request) => {
    const isKey = !('method' in request) && request.query['fieldSelector'] === 'metadata.name=key'
    return isKey && refusals++ < 3 ? refusal(403, 'not yet') : before(request)
  }
  cluster.breakWatches()
  await cluster.until(() => refusals > 3)
  assert.ok(documents.every((document) => document.includes('hunter2')))
  cluster.remove({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key', namespace: 'shop' } })
  await cluster.until(() => documents.at(-1)?.includes('hunter2') === false)
})

test('Events tell of a condition that turns bad and good again, once each', async (t) => {
  const cluster = createShop()
  start(t, cluster)
  await cluster.until(isWritten(cluster))
  const told = () => cluster.writes.filter((write) => write.startsWith(`POST ${ns}/events 201`)).length
  assert.equal(told(), 0)
  cluster.put(route('/', [{ ...backendRef, name: 'nope' }]))
  await cluster.until(() => told() === 1)
  cluster.put(route())
  await cluster.until(() => told() === 2)
  await roundTrip(cluster, '/else')
  assert.equal(told(), 2)
  // Of one generation the same is told once.
  cluster.remove(backend)
  await cluster.until(() => told() === 3)
  cluster.put(backend)
  await cluster.until(() => told() === 4)
  cluster.remove(backend)
  await cluster.until(() => cluster.writes.some((write) => write === `POST ${ns}/events 409`))
})

test('what was made for a Gateway that another controller serves now is deleted, nothing else', async (t) => {
  const cluster = createShop()
  start(t, cluster)
  await cluster.until(isWritten(cluster))
  const other = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'other', namespace: 'shop' }, data: {} }
  cluster.put(other)
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'front-mcplex', namespace: 'shop' } }
  cluster.remove(account)
  cluster.put(account)
  cluster.put({ ...gatewayClass, spec: { controllerName: 'other.example/c' } })
  await cluster.until(() => cluster.get(servicePath) === undefined)
  for (const path of [secretPath, `${ns}/services/front-peers`, '/apis/apps/v1/namespaces/shop/deployments/front']) {
    assert.equal(cluster.get(path), undefined, path)
  }
  for (const path of [`${ns}/secrets/other`, `${ns}/serviceaccounts/front-mcplex`, gatewayPath]) assert.ok(cluster.get(path), path)
})
