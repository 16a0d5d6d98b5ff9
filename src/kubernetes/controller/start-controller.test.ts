import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { ApiRequest } from '../../kube/kube.ts'
import { listAt, rawAt, textAt } from '../objects/objects.ts'
import { conditionsIn, createFakeCluster, refusal } from '../writes/fake-cluster-for-test.ts'
import {
  backend,
  backendPath,
  backendRef,
  createShop,
  documentIn,
  gateway,
  gatewayApi,
  gatewayPath,
  isWritten,
  ns,
  roundTrip,
  route,
  routePath,
  secretPath,
  servicePath,
  start,
  writesTo,
} from './shop-for-test.ts'

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
