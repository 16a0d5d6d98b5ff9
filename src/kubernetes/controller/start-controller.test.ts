import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { digestOfDocument } from '../../config/config.ts'
import type { ApiClient, ApiRequest } from '../../kube/kube.ts'
import { createLog } from '../../observe/observe.ts'
import { defaultSettings, listAt, type Raw, rawAt, textAt } from '../objects/objects.ts'
import { proxyAsker } from '../proxies/proxies.ts'
import { conditionsIn, createFakeCluster, type FakeCluster, refusal } from '../writes/fake-cluster-for-test.ts'
import { createControllerMetrics } from './controller-metrics.ts'
import { startController } from './start-controller.ts'

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

let holders = 0

interface Around {
  /** Milliseconds that its clock has gone on beside the real one. */
  skewMs?: number
  /** Milliseconds since 1970. */
  wallClock?: () => number
  /** Sees each request before it is sent; what it waits for, the request waits for. */
  onRequest?: (request: ApiRequest) => Promise<void> | undefined
  /** Where its proxies are asked, at any address. */
  proxyPort?: number
  /** Who it is. */
  account?: string
}

function start(t: TestContext, cluster: FakeCluster, around: Around = {}) {
  const inner: ApiClient = cluster.client()
  const client: ApiClient = {
    ...inner,
    async request(request) {
      await around.onRequest?.(request)
      return await inner.request(request)
    },
  }
  const metrics = createControllerMetrics()
  const now = () => performance.now() + (around.skewMs ?? 0)
  const settings = { ...defaultSettings('1.0.0'), namespace: 'mcplex-system', holder: `test-${++holders}`, account: around.account }
  const written: string[] = []
  const stream = { write: (line: string) => written.push(line) > 0, on: () => undefined }
  const log = createLog({ level: 'warn', format: 'json', stream, color: false })
  const asking = around.proxyPort === undefined ? {} : { askProxy: proxyAsker(around.proxyPort), isAskable: () => true }
  const deps = { log, metrics, now, wallClock: around.wallClock ?? Date.now, random: () => 0.01, randomBytes, ...asking }
  const controller = startController(client, settings, deps)
  t.after(async () => {
    await client.close()
    await controller.stop()
  })
  const lines = () => {
    log.flush()
    return written
  }
  return { controller, client, metrics, lines }
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

test('what the controller may not read is told with its own account', async (t) => {
  const cluster = createShop()
  cluster.intercept = (request) =>
    !('method' in request) && request.query['fieldSelector'] === 'metadata.name=kept' ? refusal(403, 'may not') : undefined
  cluster.put({
    apiVersion: 'agentgateway.dev/v1alpha1',
    kind: 'AgentgatewayBackend',
    metadata: { name: 'kept', namespace: 'shop' },
    spec: {
      policies: { auth: { secretRef: { name: 'kept' } } },
      mcp: { targets: [{ name: 'one', static: { host: 'one.example.com', port: 80 } }] },
    },
  })
  cluster.put(route('/', [{ group: 'agentgateway.dev', kind: 'AgentgatewayBackend', name: 'kept' }]))
  start(t, cluster, { account: 'system:serviceaccount:platform:gateways' })
  const told = () => JSON.stringify(cluster.get('/apis/agentgateway.dev/v1alpha1/namespaces/shop/agentgatewaybackends/kept')?.['status'])
  await cluster.until(() => told()?.includes('which mcplex may not read') === true)
  assert.match(told() ?? '', /-n shop --clusterrole mcplex-provisioner --serviceaccount platform:gateways/)
})

test('a Backend whose status another controller writes is left alone', async (t) => {
  const cluster = createShop()
  cluster.put({ ...gatewayClass, metadata: { name: 'theirs' }, spec: { controllerName: 'kgateway.dev/kgateway' } })
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

test('what depends on a Secret of which nothing is known waits, all else does not', async (t) => {
  const cluster = createShop()
  const side = '/api/v1/namespaces/side/secrets/front-mcplex'
  const inSide = <T extends { metadata: { name: string } }>(object: T) => ({
    ...object,
    metadata: { ...object.metadata, namespace: 'side' },
  })
  for (const object of [gateway, route(), backend]) cluster.put(inSide(object))
  const auth = { secretRef: { name: 'key' } }
  const targets = [{ name: 'math', static: { host: 'math.example', port: 443, policies: { tls: {}, auth } } }]
  const keyed = { apiVersion: 'agentgateway.dev/v1alpha1', kind: 'AgentgatewayBackend', metadata: { name: 'keyed', namespace: 'shop' } }
  cluster.put({ ...keyed, spec: { mcp: { targets } } })
  cluster.put(route('/', [{ group: 'agentgateway.dev', kind: 'AgentgatewayBackend', name: 'keyed' }]))
  let isAway = true
  cluster.intercept = (request) =>
    isAway && request.path === `${ns}/secrets` && !('method' in request) && request.query['fieldSelector'] === 'metadata.name=key'
      ? refusal(503, 'away')
      : undefined
  start(t, cluster)
  const isInSide = () => textAt(cluster.get(side), 'data', 'config.json') !== undefined
  await cluster.until(() => isInSide() && conditionsIn(cluster.get(backendPath)?.['status']).length > 0)
  await cluster.until(() => conditionsIn(cluster.get(gatewayPath)?.['status']).length > 0)
  const keyedPath = '/apis/agentgateway.dev/v1alpha1/namespaces/shop/agentgatewaybackends/keyed'
  assert.deepEqual([cluster.get(secretPath), cluster.get(servicePath)], [undefined, undefined])
  assert.deepEqual([writesTo(cluster, `${keyedPath}/status`), writesTo(cluster, `${routePath}/status`)], [[], []])

  isAway = false
  await cluster.until(() => documentIn(cluster) !== '' && conditionsIn(cluster.get(keyedPath)?.['status']).length > 0)
  // Now it is known to be missing, which closes what names it.
  assert.match(documentIn(cluster), /"refuse":\{"status":500/)
})

test('a class that another controller had is not made when it is gone; one that is deleted is not made again', async (t) => {
  const cluster = createShop()
  const classPath = `/apis/${gatewayApi}/gatewayclasses`
  const theirs = { ...gatewayClass, metadata: { name: 'agentgateway' }, spec: { controllerName: 'agentgateway.dev/agentgateway' } }
  cluster.put(theirs)
  cluster.remove(gatewayClass)
  start(t, cluster)
  await cluster.until(isWritten(cluster))
  await cluster.until(() => cluster.get(`${classPath}/mcplex`) !== undefined)
  cluster.remove(theirs)
  cluster.put({ ...gateway, metadata: { name: 'prod', namespace: 'shop' }, spec: { ...gateway.spec, gatewayClassName: 'agentgateway' } })
  cluster.remove(gatewayClass)
  await roundTrip(cluster, '/after')
  assert.deepEqual([cluster.get(`${classPath}/agentgateway`), cluster.get(`${classPath}/mcplex`)], [undefined, undefined])
  assert.deepEqual(
    cluster.writes.filter((write) => write.startsWith(`POST ${classPath}`)),
    [`POST ${classPath} 201`],
  )
  // Nor is its Gateway taken for ours.
  assert.equal(cluster.get(`/apis/${gatewayApi}/namespaces/shop/gateways/prod`)?.['status'], undefined)
})

test('a class of ours that was there at the start and is deleted stays deleted, and its Gateways are served', async (t) => {
  const cluster = createShop()
  const classPath = `/apis/${gatewayApi}/gatewayclasses`
  start(t, cluster)
  await cluster.until(isWritten(cluster))
  await cluster.until(() => cluster.get(`${classPath}/agentgateway`) !== undefined)
  cluster.remove(gatewayClass)
  await roundTrip(cluster, '/after')
  await roundTrip(cluster, '/later')
  assert.equal(cluster.get(`${classPath}/mcplex`), undefined)
})

test('nothing is sent to a kind that the cluster does not have; it is ready all the same', async (t) => {
  const cluster = createFakeCluster()
  cluster.intercept = ({ path }) => (path.includes('gateway.networking.k8s.io') ? refusal(404, 'no such kind') : undefined)
  const { controller, lines } = start(t, cluster)
  await cluster.until(() => controller.isLeader() && controller.readiness().isReady)
  for (let turn = 0; turn < 20; turn++) await setImmediate()
  assert.deepEqual(cluster.writes, [])
  assert.equal(lines().filter((line) => line.includes('has no Gateway API')).length, 1)
})

test('Events tell of a condition that turns bad and good again, once each', async (t) => {
  const cluster = createShop()
  let time = Date.parse('2026-01-01T00:00:00Z')
  start(t, cluster, { wallClock: () => time })
  await cluster.until(isWritten(cluster))
  const told = () => cluster.writes.filter((write) => write.startsWith(`POST ${ns}/events 201`)).length
  assert.equal(told(), 0)
  cluster.put(route('/', [{ ...backendRef, name: 'nope' }]))
  await cluster.until(() => told() === 1)
  cluster.put(route())
  await cluster.until(() => told() === 2)
  await roundTrip(cluster, '/else')
  assert.equal(told(), 2)
  // Of one generation the same is told as often as it happens, and once each time.
  for (const count of [4, 6]) {
    time += 1000
    cluster.remove(backend)
    await cluster.until(() => told() === count - 1)
    cluster.put(backend)
    await cluster.until(() => told() === count)
  }
  cluster.remove(backend)
  await cluster.until(() => cluster.writes.some((write) => write === `POST ${ns}/events 409`))
  assert.equal(told(), 6)
})

test('what goes with a Gateway is not told as better', async (t) => {
  const cluster = createShop()
  const messages: string[] = []
  const onRequest = ({ method, path, body }: ApiRequest) => {
    if (method === 'POST' && path === `${ns}/events`) messages.push(textAt(body, 'message') ?? '')
    return undefined
  }
  cluster.put(route('/', [{ ...backendRef, name: 'nope' }]))
  start(t, cluster, { onRequest })
  await cluster.until(() => messages.some((message) => message.includes('ResolvedRefs')))
  const count = messages.length
  cluster.remove(gateway)
  await cluster.until(() => listAt(cluster.get(routePath), 'status', 'parents').length === 0)
  cluster.put(gateway)
  await cluster.until(() => messages.length > count)
  assert.deepEqual(
    messages.filter((message) => message.startsWith('no longer')),
    [],
  )
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

test('what another controller made for a Gateway serves on until it is deleted; then mcplex makes its own', async (t) => {
  const cluster = createShop()
  const uid = cluster.get(gatewayPath)?.metadata.uid
  const ownerReferences = [{ apiVersion: gatewayApi, kind: 'Gateway', name: 'front', uid, controller: true }]
  const labels = { 'app.kubernetes.io/managed-by': 'agentgateway' }
  const metadata = { name: 'front', namespace: 'shop', labels, ownerReferences }
  const theirs = [
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 2 } },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { type: 'LoadBalancer', selector: { app: 'theirs' } } },
  ]
  for (const object of theirs) cluster.put(object)
  start(t, cluster)
  const messages = () => JSON.stringify(listAt(cluster.get(gatewayPath), 'status', 'conditions'))
  const remedy = 'kubectl delete deployment/front service/front -n shop; then mcplex makes its own'
  await cluster.until(() => messages().includes(remedy))
  assert.match(
    messages(),
    /Deployment shop\/front and Service shop\/front were made for this Gateway by agentgateway and are left as they are/,
  )
  const written = new Set(cluster.writes.flatMap((write) => (write.includes('/namespaces/shop/') ? [write.split(' ')[1]] : [])))
  for (const path of written) assert.match(path ?? '', /\/secrets(\/front-mcplex)?$|\/status$|\/events$/)
  const [deployment, service] = theirs
  // Nobody tells of the one that goes last.
  cluster.remove(service ?? {})
  cluster.remove(deployment ?? {})
  await cluster.until(() => isWritten(cluster)() && !messages().includes(remedy))
  assert.equal(textAt(cluster.get(servicePath), 'spec', 'selector', 'app'), undefined)
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

const slicesPath = '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices'
const slice = (service: string, addresses: readonly string[], serving = true) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: `${service}-x1`, namespace: 'shop', labels: { 'kubernetes.io/service-name': service } },
  addressType: 'IPv4',
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true, serving } })),
})

/** Proxies of the Gateway at all addresses of this machine: each serves what is in the Secret as soon as it is asked. */
async function startProxies(t: TestContext, cluster: FakeCluster) {
  const polled = new EventEmitter()
  const proxies = {
    port: 0,
    polls: 0,
    unauthorized: 0,
    server: { state: 'ready', era: 'modern', tools: 3 } as Raw,
    addresses: [] as readonly string[],
    /** Gives the Gateway pods at these addresses and, as a load balancer would, an address of its own. */
    async rollOut(...addresses: readonly string[]) {
      proxies.addresses = addresses
      await cluster.until(() => cluster.get(servicePath) !== undefined)
      cluster.put({ ...cluster.get(servicePath), status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } })
      cluster.put(slice('front-peers', addresses))
    },
    /** As if its pods had just become ready, so that they are asked at once. */
    wake() {
      cluster.put(slice('front-peers', proxies.addresses, false))
      cluster.put(slice('front-peers', proxies.addresses))
    },
    /** Resolves when each has been asked four times, within two seconds: what the first answer brought has come round by then. */
    async asked() {
      proxies.wake()
      for (let poll = 0; poll < 4 * proxies.addresses.length; poll++) await once(polled, 'poll')
    },
  }
  const server = createServer((request, response) => {
    proxies.polls++
    polled.emit('poll')
    const token = Buffer.from(textAt(cluster.get(secretPath), 'data', 'admin.token') ?? '', 'base64').toString()
    if (request.headers.authorization !== `Bearer ${token}`) {
      proxies.unauthorized++
      return response.writeHead(401).end()
    }
    const source = { digest: digestOfDocument(documentIn(cluster)), version: '1.0.0', isLastGood: false }
    const servers = [{ backend: 'shop/tools', name: 'math', ...proxies.server }]
    return response.end(JSON.stringify({ version: '1.0.0', source, servers, agents: [] }))
  })
  server.listen(0)
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  proxies.port = (server.address() as AddressInfo).port
  return proxies
}

const isProgrammed = (cluster: FakeCluster) => conditionsIn(cluster.get(gatewayPath)?.['status']).includes('Programmed=True Programmed')
const isReady = (cluster: FakeCluster) => conditionsIn(cluster.get(backendPath)?.['status']).includes('Ready=True ServersReady')

test('a Gateway is programmed when a proxy serves its document, and its Backend says what proxies know of its servers', async (t) => {
  const cluster = createShop()
  const proxies = await startProxies(t, cluster)
  const { metrics } = start(t, cluster, { proxyPort: proxies.port })
  await proxies.rollOut('127.0.0.1', '127.0.0.2')
  await cluster.until(() => isProgrammed(cluster) && isReady(cluster))
  assert.deepEqual(rawAt(cluster.get(backendPath), 'status', 'mcp'), {
    targets: 1,
    ready: 1,
    tools: 3,
    servers: [{ name: 'math', state: 'ready', era: 'modern', tools: 3 }],
  })
  const text = await metrics.text()
  assert.match(text, /^mcplex_controller_proxies 2$/m)
  assert.match(text, /^mcplex_controller_proxy_polls_total\{outcome="ok"\} [1-9]/m)
  assert.equal(proxies.unauthorized, 0)

  // Events tell when a server is down, and when it is up again.
  const events = () => cluster.writes.filter((write) => write.startsWith(`POST ${ns}/events 201`)).length
  assert.equal(events(), 0)
  proxies.server = { state: 'down', tools: 0, lastError: 'gone' }
  proxies.wake()
  await cluster.until(() => events() === 1)
  assert.ok(conditionsIn(cluster.get(backendPath)?.['status']).includes('Ready=False ServersDown'))
  proxies.server = { state: 'ready', era: 'modern', tools: 4 }
  proxies.wake()
  await cluster.until(() => events() === 2 && isReady(cluster))
  // What proxies say again and again is written once.
  const writes = cluster.writes.length
  await proxies.asked()
  assert.deepEqual(cluster.writes.slice(writes), [])
})

test('what is programmed and ready stays so with a change of the document and with another controller in the lead', async (t) => {
  const cluster = createShop()
  const proxies = await startProxies(t, cluster)
  const later = await startProxies(t, cluster)
  let said: unknown[] = []
  const onRequest = ({ path, body }: ApiRequest) => {
    if (path === `${gatewayPath}/status`) said.push(conditionsIn(rawAt(body, 'status')))
    if (path === `${backendPath}/status`) said.push(conditionsIn(rawAt(body, 'status')), rawAt(body, 'status', 'mcp'))
    return undefined
  }
  const around: Around = { proxyPort: proxies.port, onRequest, skewMs: 0 }
  const one = start(t, cluster, around)
  await proxies.rollOut('127.0.0.1')
  await cluster.until(() => isProgrammed(cluster) && isReady(cluster))
  // The document is no longer new.
  around.skewMs = 5100
  await proxies.asked()
  said = []
  proxies.server = { state: 'connecting', tools: 0 }
  for (const path of ['/one', '/two']) await roundTrip(cluster, path)
  await proxies.asked()
  assert.deepEqual(said, [])

  const two = start(t, cluster, { proxyPort: later.port, onRequest })
  await cluster.until(() => two.controller.readiness().isReady)
  // What the one in the lead writes now, the other one did not know when it looked at the statuses.
  proxies.server = { state: 'ready', era: 'legacy', tools: 5 }
  Object.assign(later, { server: proxies.server, addresses: proxies.addresses })
  proxies.wake()
  await cluster.until(() => textAt(listAt(cluster.get(backendPath), 'status', 'mcp', 'servers')[0], 'era') === 'legacy')
  said = []
  assert.equal(later.polls, 0)
  await one.controller.stop()
  await cluster.until(() => two.controller.isLeader())
  await later.asked()
  await roundTrip(cluster, '/three')
  await later.asked()
  assert.deepEqual(said, [])
})

test('only EndpointSlices of Services that count bring a translation; those of proxies bring questions', async (t) => {
  const cluster = createShop()
  const proxies = await startProxies(t, cluster)
  const around: Around = { proxyPort: proxies.port, skewMs: 0 }
  const { metrics } = start(t, cluster, around)
  const target = { name: 'math', static: { host: 'math.shop.svc.cluster.local', port: 80 } }
  cluster.put({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'math', namespace: 'shop' }, spec: { ports: [{ port: 80 }] } })
  cluster.put({ ...backend, spec: { type: 'MCP', mcp: { targets: [target] } } })
  await proxies.rollOut('127.0.0.1')
  await cluster.until(() => isProgrammed(cluster) && isReady(cluster))
  const count = async () => Number(/reconcile_duration_seconds_count (\d+)/.exec(await metrics.text())?.[1])
  const before = await count()
  for (let turn = 0; turn < 20; turn++) {
    cluster.put(slice('other', [`10.0.0.${turn}`]))
    // Longer than a translation waits for more to come: each change would bring one of its own.
    await setTimeout(50)
  }
  assert.ok((await count()) - before < 10)
  cluster.put({ ...slice('math', ['10.0.0.1']), ports: [{ port: 8000 }] })
  await cluster.until(() => documentIn(cluster).includes('10.0.0.1:8000'))
  cluster.put(slice('front-peers', ['127.0.0.1', '127.0.0.3']))
  const message = () => JSON.stringify(listAt(cluster.get(gatewayPath), 'status', 'conditions'))
  await cluster.until(() => message().includes('2 of 2 proxies serve it'))
  // The document is no longer new.
  around.skewMs = 5100
  cluster.remove(cluster.get(`${slicesPath}/front-peers-x1`) ?? {})
  await cluster.until(() => !isProgrammed(cluster))
})
