import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listAt, textAt } from '../objects/objects.ts'
import { conditionsIn, type FakeCluster, refusal } from '../writes/fake-cluster-for-test.ts'
import {
  backend,
  backendPath,
  backendRef,
  createShop,
  gateway,
  gatewayApi,
  gatewayClass,
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
  cluster.put({ ...gatewayClass, metadata: { name: 'theirs' }, spec: { controllerName: 'kgateway.dev/kgateway' } })
  cluster.put({ ...backend, metadata: { ...backend.metadata, statusManagers: ['kgateway'] }, status: { conditions: [] } })
  start(t, cluster)
  await cluster.until(() => listAt(cluster.get(routePath), 'status', 'parents').length > 0)
  await roundTrip(cluster, '/one')
  assert.deepEqual(writesTo(cluster, `${backendPath}/status`), [])
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
