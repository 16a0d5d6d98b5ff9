import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parse } from 'yaml'
import { type AdminApi, adminApi } from '../setup/admin-api.ts'
import { cacheDirectory } from '../setup/cache.ts'
import type { Cluster } from '../setup/cluster.ts'
import { condition } from '../setup/cluster-state.ts'
import type { Kubectl } from '../setup/kubectl.ts'
import { until } from '../setup/wait.ts'
import { gatewayName, podAddresses, toolsAt } from './reading.ts'
import { home, type Scene } from './scene.ts'
import { seed, toolsOfPost } from './the-post.ts'

const deployment = 'mcp-math-server'
const math = { name: 'math-mcp-server', state: 'ready', era: 'legacy', tools: 2 }
const date = { name: 'date-mcp-server', state: 'ready', era: 'legacy', tools: 1 }
const well = { targets: 2, ready: 2, tools: 3, servers: [math, date] }
/** From reality to what the status says of it. */
const atMostMs = 10_000

/** What statuses say of servers and proxies follows what is, and `kubectl` shows it. */
export async function tellsTheTruth(t: TestContext, { cluster }: Scene): Promise<void> {
  const api = adminApi(t, cluster)
  const texts = [await shown(cluster)]
  assert.deepEqual(await serversSaid(api), well)
  assert.deepEqual(await columns(cluster), { TARGETS: '2', READY: '2', TOOLS: '3' })

  await cluster.must('scale', `deployment/${deployment}`, '--replicas=0')
  await cluster.must('rollout', 'status', `deployment/${deployment}`, '--timeout=60s')
  // Its shell lets SIGTERM pass: the server would go on for half a minute.
  const pod = await cluster.must('get', 'pods', '-l', `app=${deployment}`, '-o', 'name')
  await cluster.run('exec', pod.trim(), '--', 'sh', '-c', 'kill -KILL -1')
  const isGone = async () => !(await answers())
  const down = await follows(t, 'a server is gone', isGone, api, ({ ready }) => ready === 1)
  const lastError = down.servers[0]?.lastError ?? ''
  assert.deepEqual(down, { ...well, ready: 1, servers: [{ ...math, state: 'down', lastError }, date] })
  assert.match(lastError, /can't be reached/)
  const why = await condition(api, 'backends', home, 'mcp-backend', 'Ready', 'ServersDown')
  assert.match(why?.message ?? '', /math-mcp-server \(mcp-math-server\.default\.svc\.cluster\.local:80\): can't be reached/)
  assert.deepEqual(await columns(cluster), { TARGETS: '2', READY: '1', TOOLS: '3' })
  texts.push(await shown(cluster))

  await cluster.must('scale', `deployment/${deployment}`, '--replicas=1')
  assert.deepEqual(await follows(t, 'a server is back', answers, api, ({ ready }) => ready === 2), well)

  await isProgrammedByProxies(t, cluster, api)
  texts.push(await shown(cluster))
  await mkdir(cacheDirectory, { recursive: true })
  await writeFile(join(cacheDirectory, 'kubectl-node.txt'), texts.join('\n---\n'))
  t.diagnostic(`kubectl get and describe: ${join(cacheDirectory, 'kubectl-node.txt')}`)
}

interface ServerSaid {
  readonly name: string
  readonly state: string
  readonly era?: string
  readonly tools: number
  readonly lastError?: string
}

interface ServersSaid {
  readonly targets: number
  readonly ready: number
  readonly tools: number
  readonly servers: readonly ServerSaid[]
}

async function serversSaid(api: AdminApi): Promise<ServersSaid> {
  const { status } = await api.get('backends', home, 'mcp-backend')
  return (status as { readonly mcp: ServersSaid }).mcp
}

async function answers(): Promise<boolean> {
  return fetch(`http://${deployment}.default.svc.cluster.local/`).then(
    ({ ok }) => ok,
    () => false,
  )
}

/** What the Backend's status says once it says so; that must not be long after it is so. */
async function follows(
  t: TestContext,
  what: string,
  isSo: () => Promise<boolean>,
  api: AdminApi,
  isSaid: (said: ServersSaid) => boolean,
): Promise<ServersSaid> {
  const timeoutMs = 60_000
  const reality = until(what, async () => ((await isSo()) ? performance.now() : undefined), { timeoutMs })
  const said = until(
    `${what} in the status`,
    async () => {
      const said = await serversSaid(api)
      return isSaid(said) ? { said, at: performance.now() } : undefined
    },
    { timeoutMs },
  )
  const tookMs = Math.max(0, Math.round((await said).at - (await reality)))
  t.diagnostic(`${what}: said ${tookMs} ms after it was so`)
  assert.ok(tookMs <= atMostMs, `${what}: ${tookMs} ms`)
  return (await said).said
}

/** The columns of `kubectl get` that tell of servers, by their heads. */
async function columns(cluster: Kubectl): Promise<Readonly<Record<string, string | undefined>>> {
  const [head = [], row = []] = (await cluster.must('get', 'backends.gateway.kgateway.dev', 'mcp-backend', '-n', home))
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/))
  return Object.fromEntries(['TARGETS', 'READY', 'TOOLS'].map((name) => [name, row[head.indexOf(name)]]))
}

async function shown(cluster: Kubectl): Promise<string> {
  const got = await cluster.must('get', 'gateways,httproutes,backends.gateway.kgateway.dev', '-A')
  const described = ['gateway/agentgateway', 'httproute/mcp-route', 'backends.gateway.kgateway.dev/mcp-backend']
  return [got, ...(await Promise.all(described.map((name) => cluster.must('describe', '-n', home, name))))].join('\n')
}

/** A Gateway that is changed is Programmed again when a proxy serves it so, and not before. */
async function isProgrammedByProxies(t: TestContext, cluster: Cluster, api: AdminApi): Promise<void> {
  const programmed = (reason: string) => condition(api, 'gateways', home, 'agentgateway', 'Programmed', reason)
  const gateway = parse(await readFile(seed('gateway'), 'utf8'))
  gateway.spec.listeners.push({ name: 'more', port: 8081, protocol: 'HTTP' })

  const [address = ''] = await podAddresses(cluster, 'agentgateway')
  const more = `http://${address}:8081/mcp`
  await assert.rejects(toolsAt(more))
  const startedAt = performance.now()
  await cluster.apply(JSON.stringify(gateway))
  await until('the status of the new generation', () => programmed('Programmed'))
  const tookMs = Math.round(performance.now() - startedAt)
  assert.deepEqual(await toolsAt(more), toolsOfPost)
  t.diagnostic(`a Gateway with another listener is Programmed ${tookMs} ms after the apply began`)

  await cluster.must('scale', 'deployment/agentgateway', '-n', home, '--replicas=0')
  await cluster.must('wait', '--for=delete', 'pod', '-l', `${gatewayName}=agentgateway`, '-n', home, '--timeout=60s')
  await cluster.applyFiles(seed('gateway'))
  const { message } = await until('the status of the new generation', () => programmed('Pending'))
  assert.match(message, /no proxy has reported yet/)
  await cluster.must('scale', 'deployment/agentgateway', '-n', home, '--replicas=1')
  await cluster.must('rollout', 'status', 'deployment/agentgateway', '-n', home, '--timeout=60s')
  const runsAt = performance.now()
  await until('the status of the new generation', () => programmed('Programmed'))
  t.diagnostic(`and when its pod is ready again, ${Math.round(performance.now() - runsAt)} ms later`)
  await cluster.must('wait', '--for=condition=Programmed', 'gateway/agentgateway', '-n', home)
}
