import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { openLegacySession } from '../setup/legacy-session.ts'
import { type Load, startLoad, type Task } from '../setup/load.ts'
import { podBehind, podsOf, type RunningPod } from '../setup/pods.ts'
import { until } from '../setup/wait.ts'
import { startOwnGateway } from './own-gateway.ts'
import { gatewayName } from './reading.ts'
import { home, type Scene } from './scene.ts'

/** A Gateway of two pods. */
export interface Pair {
  readonly name: string
  readonly address: string
  /** Of its endpoint, as clients reach it. */
  readonly url: string
  /** The same at one of its pods. */
  at(proxy: RunningPod): string
  /** Its pods that are ready, two of them. */
  proxies(): Promise<readonly [RunningPod, RunningPod]>
  /** What one of them says on its admin listener at a path. */
  admin(proxy: RunningPod, path: string): Promise<unknown>
  source(proxy: RunningPod): Promise<Source>
}

/** What a proxy has in force, as its `/status` says. */
export interface Source {
  readonly digest: string
  readonly version: string
  readonly isLastGood: boolean
  readonly refused?: { readonly version: string; readonly text: string }
}

const port = 8080

/** Starts one whose route leads to a Backend of its namespace; one that is there already stays as it is. Returns when both are reached. */
export async function pairRuns({ cluster }: Scene, name = 'pair', backend = 'mcp-backend'): Promise<Pair> {
  await startOwnGateway(cluster, name, { replicas: 2 }, backend)
  await cluster.must('wait', '--for=condition=Programmed', `gateway/${name}`, '-n', home, '--timeout=60s')
  const secret = await cluster.must('get', 'secret', `${name}-mcplex`, '-n', home, '-o', 'jsonpath={.data.admin\\.token}')
  const address = await cluster.must('get', 'service', name, '-n', home, '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}')
  const admin: Pair['admin'] = async (proxy, path) => {
    const headers = { authorization: `Bearer ${atob(secret)}` }
    const response = await fetch(`http://${proxy.address}:15000${path}`, { headers, signal: AbortSignal.timeout(2000) })
    assert.equal(response.status, 200, path)
    return await response.json()
  }
  const pair: Pair = {
    name,
    address,
    url: `http://${address}:${port}/mcp`,
    at: (proxy) => `http://${proxy.address}:${port}/mcp`,
    admin,
    async source(proxy) {
      return ((await admin(proxy, '/status')) as { readonly source: Source }).source
    },
    proxies: () =>
      until(
        'two proxies ready',
        async () => {
          const all = await podsOf(cluster, home, `${gatewayName}=${name}`)
          const [one, two, ...more] = all.filter(({ isReady }) => isReady)
          return one === undefined || two === undefined || more.length > 0 ? undefined : [one, two]
        },
        { timeoutMs: 60_000, everyMs: 100 },
      ),
  }
  const reached = new Set<string | undefined>()
  const proxies = await pair.proxies()
  await until('a way to both proxies', async () => {
    reached.add(await podBehind(address, port))
    return proxies.every((proxy) => reached.has(proxy.address)) ? true : undefined
  })
  return pair
}

/** Clients of both eras that add numbers, some of which listen, once all have had answers. */
export async function loadOn(t: TestContext, { url }: Pair): Promise<Load> {
  const load = await startLoad(t, { url, task: adds, clients: 16, listeners: 8, pauseMs: 200 })
  await load.goesOn(2)
  return load
}

const adds: Task = (n) => ({
  tool: 'math-mcp-server_add',
  args: { a: n, b: 1_000_000 },
  answer: new RegExp(`\\b${n + 1_000_000}\\b`),
})

/** So many calls of one session, one after the other, rightly answered; gives how long the longest took, in ms. */
export async function callsAt(url: string, count: number): Promise<number> {
  const session = await openLegacySession(url)
  let longest = 0
  for (let n = 1; n <= count; n++) {
    const { tool, args, answer } = adds(n)
    const startedAt = performance.now()
    const { response } = await session.call(url, tool, args)
    longest = Math.max(longest, performance.now() - startedAt)
    assert.notEqual(response?.result?.['isError'], true, JSON.stringify(response))
    assert.match(JSON.stringify(response?.result?.['content']), answer)
  }
  await session.end(url)
  return Math.round(longest)
}

/** The addresses of a server's pods, as a proxy has them in force. */
export async function endpointsAt(pair: Pair, proxy: RunningPod, backend: string, server: string): Promise<readonly string[]> {
  const { backends } = (await pair.admin(proxy, '/config')) as ServedConfig
  return backends[`${home}/${backend}`]?.servers[server]?.http.endpoints ?? []
}

interface ServedConfig {
  readonly backends: Readonly<
    Record<string, { readonly servers: Readonly<Record<string, { readonly http: { readonly endpoints?: readonly string[] } }>> }>
  >
}
