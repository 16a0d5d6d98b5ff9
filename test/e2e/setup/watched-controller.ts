import { readFile, writeFile } from 'node:fs/promises'
import type { TestContext } from 'node:test'
import { type ApiProxy, apiProxy, type Held, type PassedRequest } from './api-proxy.ts'
import { atEnd } from './at-end.ts'
import type { Cluster } from './cluster.ts'
import { type Controller, controllerKubeconfig, startController } from './controller.ts'
import { until } from './wait.ts'

/** A controller all of whose requests are seen. */
export interface Watched extends Controller {
  readonly proxy: ApiProxy
}

/** Starts a controller behind a proxy of its own. */
export async function startWatched(t: TestContext, cluster: Cluster): Promise<Watched> {
  const proxy = await apiProxy(t, cluster)
  const kubeconfig = await controllerKubeconfig(cluster)
  const config = JSON.parse(await readFile(kubeconfig, 'utf8'))
  // Plain HTTP is taken from those alone who ask for no TLS.
  for (const { cluster } of config.clusters) Object.assign(cluster, { server: proxy.origin, 'insecure-skip-tls-verify': true })
  await writeFile(kubeconfig, JSON.stringify(config))
  return { ...(await startController(t, cluster, { kubeconfig })), proxy }
}

/** Resolves when it has taken the lead for the given time. */
export async function leads({ log }: Controller, times = 1): Promise<void> {
  await until('leads', () => (log().split('leading: ').length > times ? true : undefined), { timeoutMs: 30_000, explain: log })
}

/** Stands still until the test goes on with it, or ends. */
export function freeze(t: TestContext, { child }: Controller): void {
  atEnd(t, () => child.kill('SIGCONT'))
  child.kill('SIGSTOP')
}

/** Keeps the answer to its next read of the object at the end of that path. */
export function holdGet({ proxy }: Watched, end: string): Held {
  return proxy.holdNext(({ method, path, query }) => method === 'GET' && path.endsWith(end) && !query.has('watch'))
}

/** Of these the requests that change something; the lease and Events, which are a courtesy, aside. */
export function writesOf(passed: readonly PassedRequest[]): readonly PassedRequest[] {
  // Who it is it asks by a POST.
  const isOther = /\/leases|\/events$|\/selfsubjectreviews$/
  return passed.filter(({ method, path }) => method !== 'GET' && !isOther.test(path))
}

/** How often each collection was read whole, by its path. */
export function fullReads(passed: readonly PassedRequest[]): ReadonlyMap<string, number> {
  const reads = new Map<string, number>()
  for (const { method, path, query } of passed) {
    const isCollection = query.has('watch') ? query.has('sendInitialEvents') : query.has('limit') && !query.has('continue')
    if (method === 'GET' && isCollection) reads.set(path, (reads.get(path) ?? 0) + 1)
  }
  return reads
}

/** True once all that it follows by now was interrupted and is followed again. */
export function recovery({ proxy, log }: Watched): () => true | undefined {
  const followed = new Set(proxy.passed.flatMap(({ path, query }) => (query.has('watch') ? [path] : [])))
  const from = log().length
  return () => {
    const since = log().slice(from)
    const states = new Map<string | undefined, string | undefined>()
    for (const [, resource, state] of since.matchAll(/"resource":"([^"]+)".*"msg":"following is (\w+)"/g)) states.set(resource, state)
    return states.size === followed.size && [...states.values()].every((state) => state === 'synced') ? true : undefined
  }
}
