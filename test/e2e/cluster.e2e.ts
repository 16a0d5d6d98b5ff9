import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkout } from './setup/cache.ts'
import { type Cluster, startCluster } from './setup/cluster.ts'
import { kubebox } from './setup/kubebox.ts'
import { need } from './setup/part.ts'
import { until } from './setup/wait.ts'

const post = {
  'math-server.yaml': ['configmap/mcp-math-script', 'deployment.apps/mcp-math-server', 'service/mcp-math-server'],
  'date-server.yaml': ['configmap/mcp-date-script', 'deployment.apps/mcp-date-server', 'service/mcp-date-server'],
  'gateway.yaml': ['gateway.gateway.networking.k8s.io/agentgateway'],
  'backend.yaml': ['backend.gateway.kgateway.dev/mcp-backend'],
  'httproute.yaml': ['httproute.gateway.networking.k8s.io/mcp-route'],
}

const routes = '/apis/gateway.networking.k8s.io/v1/httproutes'

test("an API server takes the post's objects, and keeps them over its death", async (t) => {
  const box = await need(t, kubebox())
  if (box === undefined) return
  const cluster = await startCluster(t, box)
  await cluster.installGatewayApi()
  await cluster.installOurs()
  await cluster.must('create', 'namespace', 'kgateway-system')

  for (const [file, objects] of Object.entries(post)) {
    await t.test(`${file} is accepted as it is`, async () => {
      const { stdout, stderr } = await cluster.run('apply', '-f', join(checkout, 'test/seed', file))
      assert.deepEqual({ lines: stdout.trim().split('\n'), stderr }, { lines: objects.map((object) => `${object} created`), stderr: '' })
    })
  }

  await t.test('one request lists and says when the list is complete', async () => {
    const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1'
    const events = await watched(cluster, `${routes}?${query}`)
    assert.deepEqual(
      events
        .map(({ type, object }) => [type, object.metadata.name, object.metadata.annotations?.['k8s.io/initial-events-end']])
        .slice(0, 2),
      [
        ['ADDED', 'mcp-route', undefined],
        ['BOOKMARK', undefined, 'true'],
      ],
    )
  })

  await t.test('a ServiceAccount may do what a role gives it, and nothing else', async () => {
    await cluster.must('create', 'serviceaccount', 'reader')
    await cluster.must('create', 'clusterrole', 'reader', '--verb=list', '--resource=httproutes.gateway.networking.k8s.io')
    await cluster.must('create', 'clusterrolebinding', 'reader', '--clusterrole=reader', '--serviceaccount=default:reader')
    const reader = await cluster.kubectlAs(await cluster.serviceAccountToken('default', 'reader'))
    await until('the role at work', async () => ((await reader.list('httproutes')).length === 1 ? true : undefined))
    const refused = await reader.run('get', 'secrets', '-A')
    assert.match(refused.stderr, /Forbidden.*system:serviceaccount:default:reader/)
  })

  await t.test('killed and started again, it has all objects; what was compacted is expired', async () => {
    await cluster.must('create', 'configmap', 'one')
    await cluster.must('create', 'configmap', 'two')
    const before = await cluster.get('httproute', 'mcp-route', 'kgateway-system')
    const page = JSON.parse(await cluster.must('get', '--raw', '/api/v1/configmaps?limit=1'))
    await cluster.must('delete', 'configmap', 'one')
    await cluster.killApiServer()
    assert.match((await cluster.run('get', 'namespaces')).stderr, /refused/)
    await cluster.compact()
    await cluster.startApiServer()
    assert.deepEqual(await cluster.get('httproute', 'mcp-route', 'kgateway-system'), before)

    const next = await cluster.run('get', '--raw', `/api/v1/configmaps?limit=1&continue=${page.metadata.continue}`)
    assert.match(next.stderr, /too old|expired/i)
    const [event] = await watched(cluster, `${routes}?watch=1&timeoutSeconds=1&resourceVersion=${before?.metadata.resourceVersion}`)
    assert.deepEqual([event?.type, event?.object.code], ['ERROR', 410])
  })
})

test('the controllers of Kubernetes collect what lost its owner and slice Services', async (t) => {
  const box = await need(t, kubebox())
  if (box === undefined) return
  const cluster = await startCluster(t, box, { controllerManager: true })
  await cluster.must('create', 'configmap', 'owner')
  const owner = await cluster.get('configmap', 'owner', 'default')
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner?.metadata.uid }]
  await cluster.apply(
    JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owned', namespace: 'default', ownerReferences } }),
  )
  await cluster.must('delete', 'configmap', 'owner')
  await until('the owned object gone', async () => ((await cluster.get('configmap', 'owned', 'default')) === undefined ? true : undefined))

  await cluster.must('create', 'service', 'clusterip', 'math', '--tcp=80')
  const [slice] = await until('a slice', async () => {
    const slices = await cluster.list('endpointslices', 'default')
    return slices.length > 0 ? slices : undefined
  })
  assert.equal(slice?.metadata.labels?.['kubernetes.io/service-name'], 'math')
})

interface Event {
  readonly type: string
  readonly object: {
    readonly code?: number
    readonly metadata: { readonly name?: string; readonly annotations?: Readonly<Record<string, string>> }
  }
}

/** The events of a watch that the server ends. */
async function watched(cluster: Cluster, path: string): Promise<readonly Event[]> {
  const lines = (await cluster.must('get', '--raw', path)).trim().split('\n')
  return lines.map((line) => JSON.parse(line))
}
