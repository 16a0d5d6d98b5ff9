import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type AdminApi, adminApi, type Manifest } from '../setup/admin-api.ts'
import type { Cluster } from '../setup/cluster.ts'
import { condition } from '../setup/cluster-state.ts'
import { gatewayObjects, likeOf } from '../setup/gateway-objects.ts'
import type { ApiObject, Kubectl } from '../setup/kubectl.ts'
import { gateway, route } from '../setup/manifests.ts'
import { until } from '../setup/wait.ts'
import { applyAll, parametersRef, startOwnGateway } from './own-gateway.ts'
import { gatewayName, podAddresses, restartsOfPods, toolsAt, urlOfPost } from './reading.ts'
import { home, type Scene } from './scene.ts'
import { toolsOfPost } from './the-post.ts'

const name = 'reloaded'
const [add = '', , date = ''] = toolsOfPost
/** From the beginning of an apply to the last pod that serves so. */
const atMostMs = 2000

/** What is changed for a Gateway is in force in each of its two pods, which run on; when it is deleted, all that was made for it goes. */
export async function changesReachEveryPod(t: TestContext, { cluster }: Scene): Promise<void> {
  const api = adminApi(t, cluster)
  await startOwnGateway(cluster, name, { replicas: 2 })
  const endpoints = (await podAddresses(cluster, name)).map((address) => `http://${address}:8080`)
  assert.equal(endpoints.length, 2)
  const serve = (path: string, expected: readonly string[]) =>
    Promise.all(
      endpoints.map((endpoint) =>
        until(`${expected} at ${endpoint}${path}`, async () => (`${await toolsAt(endpoint + path)}` === `${expected}` ? true : undefined)),
      ),
    )
  await serve('/mcp', toolsOfPost)
  const pods = await restartsOfPods(cluster, home)

  const inForce = async (what: string, path: string, expected: readonly string[], ...objects: readonly Manifest[]) => {
    const startedAt = performance.now()
    await Promise.all([applyAll(cluster, ...objects), serve(path, expected)])
    const tookMs = Math.round(performance.now() - startedAt)
    t.diagnostic(`${what}: in force in both pods ${tookMs} ms after the apply began`)
    assert.ok(tookMs < atMostMs, `${what}: ${tookMs} ms`)
  }
  await inForce('an Agent, and the route leads to it', '/agent', [add], agentWith(add), routeToAgent('/agent'))
  await inForce('the Agent has another tool', '/agent', [date], agentWith(date))
  await inForce('the route has another path', '/moved', [date], routeToAgent('/moved'))
  assert.deepEqual(await Promise.all(endpoints.map((endpoint) => toolsAt(`${endpoint}/agent`))), [[], []])

  const servesOn = async () => {
    for (const endpoint of endpoints) assert.deepEqual(await toolsAt(`${endpoint}/moved`), [date])
  }
  await outlivesBadParameters(cluster, api, servesOn)
  await outlivesBadDocument(t, api, servesOn)
  assert.deepEqual(await restartsOfPods(cluster, home), pods)
  await goesAsAWhole(cluster, api)
}

function agentWith(tool: string): Manifest {
  const spec = { backendRefs: [{ name: 'mcp-backend' }], tools: [tool] }
  return { apiVersion: 'mcplex.dev/v1alpha1', kind: 'Agent', metadata: { name, namespace: home }, spec }
}

function routeToAgent(path: string): Manifest {
  const { spec, ...rest } = route(home, name, { to: name, backend: 'mcp-backend', path })
  const matches = [{ path: { type: 'PathPrefix', value: path } }]
  return { ...rest, spec: { ...(spec as object), rules: [{ matches, backendRefs: [{ group: 'mcplex.dev', kind: 'Agent', name }] }] } }
}

async function outlivesBadParameters(cluster: Kubectl, api: AdminApi, servesOn: () => Promise<void>): Promise<void> {
  await applyAll(cluster, gateway(home, name, parametersRef('missing')))
  await until('the status', () => condition(api, 'gateways', home, name, 'Accepted', 'InvalidParameters'))
  await servesOn()
  await applyAll(cluster, gateway(home, name, parametersRef(name)))
  await until('the status', () => condition(api, 'gateways', home, name, 'Programmed', 'Programmed'))
  await servesOn()
}

/** A document that nobody can read, written by somebody else: the controller puts it right. */
async function outlivesBadDocument(t: TestContext, api: AdminApi, servesOn: () => Promise<void>): Promise<void> {
  const secret = `${name}-mcplex`
  const document = async () => ((await api.get('secrets', home, secret))['data'] as Readonly<Record<string, string>>)['config.json']
  const good = await document()
  const startedAt = performance.now()
  await api.patch('secrets', home, secret, { data: { 'config.json': btoa('{ "listeners": 7 }') } })
  const isRight = async () => {
    await servesOn()
    return (await document()) === good ? true : undefined
  }
  await until('the document as it was', isRight, { timeoutMs: 90_000 })
  t.diagnostic(`a spoilt document: right again after ${Math.round(performance.now() - startedAt)} ms, served all the while`)
  await servesOn()
}

/** The Gateway's garbage is collected; what belongs to the post's stays as it is. */
async function goesAsAWhole(cluster: Cluster, api: AdminApi): Promise<void> {
  const own = async () => (await cluster.list(kinds.join(), home)).filter(isOf(name)).map(({ kind }) => kind)
  const others = async () => (await gatewayObjects(api, home)).filter(isOf('agentgateway')).map(likeOf)
  const before = await others()
  assert.deepEqual([...new Set(await own())], kinds)
  await cluster.must('delete', `gateway/${name}`, '-n', home)
  await until('nothing of it', async () => ((await own()).length === 0 ? true : undefined), { timeoutMs: 60_000, everyMs: 500 })
  assert.deepEqual(await others(), before)
  assert.deepEqual(await toolsAt(await urlOfPost(cluster)), toolsOfPost)
  await cluster.must('delete', `httproute/${name}`, `gatewayparameters/${name}`, `agents.mcplex.dev/${name}`, '-n', home)
}

/** Of what is made for a Gateway, and of what Kubernetes makes of that. */
const kinds = [
  ...['Secret', 'ServiceAccount', 'Role', 'RoleBinding', 'Service', 'EndpointSlice'],
  ...['Deployment', 'ReplicaSet', 'Pod', 'PodDisruptionBudget'],
]

function isOf(gateway: string): (object: ApiObject) => boolean {
  return ({ metadata }) => metadata.labels?.[gatewayName] === gateway
}
