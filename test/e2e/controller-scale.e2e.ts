import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { createApiClient, follow } from '../../src/kube/kube.ts'
import { type AdminApi, adminApi, type Manifest } from './setup/admin-api.ts'
import { atEnd } from './setup/at-end.ts'
import { type Cluster, startCluster } from './setup/cluster.ts'
import { type Controller, letProvision, startController } from './setup/controller.ts'
import { kubebox } from './setup/kubebox.ts'
import { backend, gateway, route } from './setup/manifests.ts'
import { need } from './setup/part.ts'
import { podWith } from './setup/pod.ts'
import { until } from './setup/wait.ts'

const namespace = 'scale'
const routes = 1000
const backends = 100
const changes = 10
const patience = { timeoutMs: 120_000, everyMs: 250 }
/** What a controller may take of a pod's memory, in bytes; started from sources it holds their text and what strips the types, too. */
const maxResident = process.env['MCPLEX_COMMAND'] === undefined ? 250_000_000 : 200_000_000
/** Between a change and its Secret: 2 s are wanted; the machine that runs this may be busy. */
const maxLagMs = 5000

test('a thousand routes on one Gateway', async (t) => {
  const box = await need(t, kubebox())
  if (box === undefined) return
  const cluster = await startCluster(t, box)
  await cluster.installGatewayApi()
  await cluster.installOurs()
  await cluster.must('create', 'namespace', namespace)
  await letProvision(cluster, namespace)
  const pod = await need(t, podWith(t, cluster, await cluster.serviceAccountToken('mcplex-system', 'mcplex')))
  if (pod === undefined) return
  const api = adminApi(t, cluster)
  const controller = await startController(t, cluster, { within: pod.start })
  await api.create(gateway(namespace, 'wide'))
  const documents = followDocument(t, cluster)
  await until('a document', () => documents.last())

  await t.test('made at once, all are served and have statuses', async (t) => {
    const startedMs = performance.now()
    await inParallel(
      16,
      [...Array(backends).keys()].map((index) => () => api.create(wideBackend(index))),
    )
    await inParallel(
      16,
      [...Array(routes).keys()].map((index) => () => api.create(wideRoute(index))),
    )
    const madeMs = performance.now()
    const lags = await changeRoutes(api, documents, 'early')
    const before = await withStatus(api)
    await until('all have statuses', async () => ((await withStatus(api)) === routes ? true : undefined), patience)
    const settledMs = performance.now()
    assert.equal(documents.last()?.routes.length, routes)
    assert.equal(Object.keys(documents.last()?.backends ?? {}).length, backends)
    t.diagnostic(`${routes} routes made in ${seconds(madeMs - startedMs)}, all statuses after ${seconds(settledMs - startedMs)}`)
    t.diagnostic(`${lagText(lags)} while statuses were written (${before} were there at the end of it)`)
    t.diagnostic(await memoryText(controller))
    assert.ok(Math.max(...lags) <= maxLagMs, lagText(lags))
  })

  await t.test('a change is in the Secret in time', async (t) => {
    const before = await work(controller)
    const lags = await changeRoutes(api, documents, 'late')
    const after = await work(controller)
    const translations = after.translations - before.translations
    const each = (now: number, then: number) => `${((now - then) / translations).toFixed(0)} ms`
    t.diagnostic(lagText(lags))
    t.diagnostic(
      `a translation takes ${each(after.translatingMs, before.translatingMs)}, with all around it ${each(after.cpuMs, before.cpuMs)} of CPU`,
    )
    assert.ok(Math.max(...lags) <= maxLagMs, lagText(lags))
  })

  await t.test('a document too large for a Secret is compressed, and no longer than it must', async (t) => {
    const long = [...Array(6).keys()].map(longRoute)
    await api.create(...long)
    await until('the compressed document', () => (documents.last()?.routes.length === routes + long.length ? true : undefined))
    assert.deepEqual([documents.key(), documents.last()?.routes.at(-1)?.rules.length], ['config.json.gz', 16])
    t.diagnostic(`${documents.size()} bytes of JSON in a Secret of ${documents.secretSize()}`)
    for (const { metadata } of long) await api.delete('httproutes', namespace, metadata.name)
    await until('the plain document', () => (documents.last()?.routes.length === routes ? true : undefined))
    assert.equal(documents.key(), 'config.json')
  })

  await t.test('it stays small', async (t) => {
    const { resident } = await memory(controller)
    t.diagnostic(await memoryText(controller))
    assert.ok(resident <= maxResident, `${resident} bytes`)
  })
})

function wideBackend(index: number): Manifest {
  return backend(
    namespace,
    `backend-${index}`,
    [0, 1, 2].map((target) => `server-${index}-${target}.example`),
  )
}

function wideRoute(index: number): Manifest {
  return route(namespace, `route-${index}`, { to: 'wide', backend: `backend-${index % backends}`, path: `/agents/${index}` })
}

/** The most that an HTTPRoute can hold: some 130 kB. */
function longRoute(index: number): Manifest {
  const path = (rule: number, match: number) => `/long/${index}/${rule}/${match}/`.padEnd(1000, 'a')
  const rules = [...Array(16).keys()].map((rule) => ({
    matches: [...Array(8).keys()].map((match) => ({ path: { type: 'PathPrefix', value: path(rule, match) } })),
    backendRefs: [{ group: 'gateway.kgateway.dev', kind: 'Backend', name: 'backend-0' }],
  }))
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: `zlong-${index}`, namespace },
    spec: { parentRefs: [{ name: 'wide' }], rules },
  }
}

interface Document {
  readonly backends?: Readonly<Record<string, unknown>>
  readonly routes: readonly { readonly name: string; readonly rules: readonly { readonly matches: readonly unknown[] }[] }[]
}

interface FollowedDocument {
  last(): Document | undefined
  key(): string
  /** Of the document, and of what the Secret holds of it, in bytes. */
  size(): number
  secretSize(): number
  /** Resolves as soon as the document holds that text. */
  holds(text: string): Promise<void>
}

/** The Gateway's document, as a watch of its Secret brings it. */
function followDocument(t: TestContext, cluster: Cluster): FollowedDocument {
  let key = ''
  let text = ''
  let secretSize = 0
  let awaited: { text: string; resolve: () => void } | undefined
  const headers = { authorization: `Bearer ${cluster.adminToken}` }
  const identity = { server: cluster.server, tls: { ca: cluster.ca }, namespace, headers: async () => headers }
  const client = createApiClient(identity, { userAgent: 'mcplex-test' })
  const read = (secret: unknown) => {
    const { data = {} } = secret as { data?: Readonly<Record<string, string>> }
    const names = Object.keys(data).filter((name) => name.startsWith('config.json'))
    key = names.join(' and ')
    const bytes = Buffer.from(data[key] ?? '', 'base64')
    text = (key === 'config.json.gz' ? gunzipSync(bytes) : bytes).toString()
    secretSize = bytes.length
    if (awaited !== undefined && text.includes(awaited.text)) awaited.resolve()
  }
  const follower = follow(
    client,
    { group: '', version: 'v1', plural: 'secrets', namespace, name: 'wide-mcplex' },
    { onReset: (all) => all.forEach(read), onSet: read, onDelete() {}, onState() {} },
    { random: Math.random, log: { info() {}, warn() {} } },
  )
  atEnd(t, async () => {
    follower.close()
    await client.close()
  })
  return {
    last: () => (text === '' ? undefined : JSON.parse(text)),
    key: () => key,
    size: () => Buffer.byteLength(text),
    secretSize: () => secretSize,
    holds(wanted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      awaited = { text: wanted, resolve }
      if (text.includes(wanted)) resolve()
      return promise
    },
  }
}

/** Changes one route after the other, and gives the milliseconds until each change was in the Secret. */
async function changeRoutes(api: AdminApi, documents: FollowedDocument, word: string): Promise<readonly number[]> {
  const lags: number[] = []
  for (let index = 0; index < changes; index++) {
    const path = `/agents/${word}/${index}`
    const changed = wideRoute(index * 97)
    const { spec } = route(namespace, changed.metadata.name, { to: 'wide', backend: 'backend-1', path })
    const startedMs = performance.now()
    const arrived = documents.holds(path)
    await api.patch('httproutes', namespace, changed.metadata.name, { spec })
    await arrived
    lags.push(performance.now() - startedMs)
  }
  return lags
}

async function withStatus(api: AdminApi): Promise<number> {
  const all = await api.list('httproutes', namespace)
  return all.filter(({ status }) => ((status as { parents?: readonly unknown[] } | undefined)?.parents ?? []).length === 1).length
}

async function memory({ child }: Controller): Promise<{ readonly resident: number; readonly peak: number }> {
  const text = await readFile(`/proc/${child.pid}/status`, 'utf8')
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]) * 1024
  return { resident: bytes('VmRSS'), peak: bytes('VmHWM') }
}

async function memoryText(controller: Controller): Promise<string> {
  const { resident, peak } = await memory(controller)
  return `resident ${(resident / 1e6).toFixed(0)} MB, at most ${(peak / 1e6).toFixed(0)} MB`
}

/** What the controller has done since its start. */
async function work(controller: Controller) {
  const stat = await readFile(`/proc/${controller.child.pid}/stat`, 'utf8')
  const [userTicks = 0, systemTicks = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number)
  const name = 'mcplex_controller_reconcile_duration_seconds'
  return {
    cpuMs: (userTicks + systemTicks) * 10,
    translations: await controller.metric(`${name}_count`),
    translatingMs: (await controller.metric(`${name}_sum`)) * 1000,
  }
}

async function inParallel(width: number, jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const left = jobs.values()
  const worker = async () => {
    for (const job of left) await job()
  }
  await Promise.all(Array.from({ length: width }, worker))
}

function lagText(lags: readonly number[]): string {
  const sorted = lags.toSorted((one, other) => one - other)
  return `a change is in the Secret after ${sorted[Math.floor(sorted.length / 2)]?.toFixed(0)} ms (median), ${sorted.at(-1)?.toFixed(0)} ms (worst)`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
