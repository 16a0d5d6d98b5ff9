import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type AdminApi, adminApi } from './setup/admin-api.ts'
import { checkout } from './setup/cache.ts'
import { type Cluster, startCluster } from './setup/cluster.ts'
import { condition, document, routeCondition } from './setup/cluster-state.ts'
import { type Controller, letProvision, startController } from './setup/controller.ts'
import { gatewayObjects, likeOf } from './setup/gateway-objects.ts'
import { kubebox } from './setup/kubebox.ts'
import { backend, gateway, route } from './setup/manifests.ts'
import { need } from './setup/part.ts'
import { type Pod, podWith } from './setup/pod.ts'
import { seededRandom } from './setup/seeded-random.ts'
import { until } from './setup/wait.ts'
import { freeze, fullReads, holdGet, leads, recovery, startWatched, writesOf } from './setup/watched-controller.ts'

const routesPath = '/apis/gateway.networking.k8s.io/v1/httproutes'
const home = 'mcplex-system'
const lease = 'mcplex-controller'
/** Between two attempts of a follower that has failed for long lie up to 30 s. */
const patience = { timeoutMs: 60_000 }
/** What nobody follows is looked after once a minute, with some seconds between two looks. */
const resync = { timeoutMs: 90_000 }

describe('a controller', { concurrency: 2 }, () => {
  test('in a cluster that others change and that lacks things', async (t) => {
    const box = await need(t, kubebox())
    if (box === undefined) return
    const cluster = await startCluster(t, box, { controllerManager: true })
    await cluster.installGatewayApi()
    await cluster.must('create', 'namespace', home)
    await cluster.applyFiles(join(checkout, 'deploy/rbac.yaml'))
    const token = await cluster.serviceAccountToken(home, 'mcplex')
    const pod = await need(t, podWith(t, cluster, token))
    if (pod === undefined) return
    const api = adminApi(t, cluster)
    for (const namespace of ['late', 'again', 'edited', 'storm', 'calm']) {
      await cluster.must('create', 'namespace', namespace)
      await letProvision(cluster, namespace)
    }
    const controller = await startController(t, cluster, { within: pod.start })
    await api.create(gateway('edited', 'g'))

    await t.test('kinds that appear later, go, and come again', (t) => lateKinds(t, cluster, api))
    await t.test('rights that are missing, until somebody runs the command that the status says', (t) => missingRights(t, cluster, api))
    await Promise.all([
      t.test('a Gateway that is deleted and made again', (t) => gatewayAgain(t, api)),
      t.test('what was made for a Gateway is edited and deleted', (t) => repairs(t, api)),
      t.test('its token is replaced, and the one before refused', (t) => newToken(t, cluster, { api, pod, token, controller })),
    ])
    await controller.stop()
    await t.test('is killed at any moment: what comes of it is what comes of an undisturbed one', (t) => storm(t, cluster, { api, pod }))
  })

  test('among others, over an API server that goes away', async (t) => {
    const box = await need(t, kubebox())
    if (box === undefined) return
    const cluster = await startCluster(t, box)
    await cluster.installGatewayApi()
    await cluster.installOurs()
    await cluster.must('create', 'namespace', 'led')
    await letProvision(cluster, 'led')
    const api = adminApi(t, cluster)
    await api.create(gateway('led', 'g'), backend('led', 'b', ['one.example']), routeTo('/first'))
    const first = await startWatched(t, cluster)
    await leads(first)
    await document(api, 'led', 'g', '/first')
    const second = await startWatched(t, cluster)

    await t.test('of two, one writes, and each thing once', async () => {
      const from = first.proxy.passed.length
      for (const path of ['/one', '/two', '/three']) {
        await changeRoute(api, path)
        await Promise.all([document(api, 'led', 'g', path), routeIsCurrent(api)])
      }
      const writes = writesOf(first.proxy.passed.slice(from)).map(({ method, path }) => `${method} ${path}`)
      const each = [
        'PATCH /api/v1/namespaces/led/secrets/g-mcplex',
        'PUT /apis/gateway.networking.k8s.io/v1/namespaces/led/httproutes/r/status',
      ]
      assert.deepEqual(
        writes.sort(),
        each.flatMap((write) => [write, write, write]),
      )
      assert.deepEqual([await second.metric('mcplex_controller_is_leader'), writesOf(second.proxy.passed)], [0, []])
    })

    await t.test('a leader that stood still in the midst of a write leaves it to the next one', async (t) => {
      const held = holdGet(first, '/g-mcplex')
      await changeRoute(api, '/stale')
      await until('the write has begun', () => held.isHolding() || undefined)
      freeze(t, first)
      const tookMs = await timed(() => leads(second))
      await changeRoute(api, '/next')
      await document(api, 'led', 'g', '/next')
      const from = first.proxy.passed.length
      // Nobody tells it: it knows by its own clock.
      const unanswered = holdGet(first, `/${lease}`)
      held.letGo()
      first.child.kill('SIGCONT')
      await until('it asks for the lease', () => unanswered.isHolding() || undefined)
      await until('it knows', async () => ((await first.metric('mcplex_controller_is_leader')) === 0 ? true : undefined))
      unanswered.letGo()
      await changeRoute(api, '/last')
      await document(api, 'led', 'g', '/last')
      assert.deepEqual(writesOf(first.proxy.passed.slice(from)), [])
      t.diagnostic(`the next one led ${seconds(tookMs)} after it stood still`)
      assert.ok(tookMs < 20_000, seconds(tookMs))
    })

    await t.test('a leader that is killed is followed by another', async (t) => {
      second.child.kill('SIGKILL')
      const tookMs = await timed(() => leads(first, 2))
      t.diagnostic(`after ${seconds(tookMs)}`)
      assert.ok(tookMs < 20_000, seconds(tookMs))
    })

    const third = await startWatched(t, cluster)
    await t.test('one that is told to stop gives the lead away', async (t) => {
      first.child.kill('SIGTERM')
      const tookMs = await timed(() => leads(third))
      t.diagnostic(`after ${seconds(tookMs)}`)
      assert.ok(tookMs < 5000, seconds(tookMs))
      assert.equal((await first.child.finished).code, 0)
    })

    await t.test('the API server is killed and comes again: nothing is read twice', async (t) => {
      const isRecovered = recovery(third)
      const from = third.proxy.passed.length
      await cluster.killApiServer()
      await cluster.startApiServer()
      await changeRoute(api, '/after')
      const tookMs = await timed(() => document(api, 'led', 'g', '/after'))
      await until('all is followed', isRecovered, patience)
      const reads = fullReads(third.proxy.passed.slice(from))
      t.diagnostic(
        `converged ${seconds(tookMs)} after it was ready; ${third.proxy.passed.length - from} requests; read whole: ${text(reads)}`,
      )
      assert.deepEqual(
        [...reads].filter(([, count]) => count > 1),
        [],
      )
    })

    await t.test('what was deleted in a gap without history is gone', async (t) => {
      await api.create(routeTo('/deleted', 'deleted'))
      await document(api, 'led', 'g', '/deleted')
      const isRecovered = recovery(third)
      await cluster.killApiServer()
      freeze(t, third)
      await cluster.startApiServer()
      await api.delete('httproutes', 'led', 'deleted')
      await changeRoute(api, '/gap')
      await cluster.killApiServer()
      await cluster.compact()
      await cluster.startApiServer()
      const from = third.proxy.passed.length
      third.child.kill('SIGCONT')
      const tookMs = await timed(async () => {
        const { routes } = await document(api, 'led', 'g', '/gap')
        assert.deepEqual(
          routes.map(({ name }) => name),
          ['led/r'],
        )
      })
      await until('all is followed', isRecovered, patience)
      const reads = fullReads(third.proxy.passed.slice(from))
      t.diagnostic(`converged after ${seconds(tookMs)}; read whole: ${text(reads)}`)
      assert.equal(reads.get(routesPath), 1)
      assert.deepEqual(
        [...reads].filter(([, count]) => count > 1),
        [],
      )
    })
  })
})

async function lateKinds(t: TestContext, cluster: Cluster, api: AdminApi): Promise<void> {
  const crd = 'backends.gateway.kgateway.dev'
  const resolved = (status: string) => () => routeCondition(api, 'late', 'r', 'ResolvedRefs', status)
  await api.create(gateway('late', 'g'), route('late', 'r', { to: 'g', backend: 'b', path: '/' }))
  await until('the backend missed', resolved('False'), patience)
  await cluster.installOurs()
  await api.create(backend('late', 'b', ['one.example']))
  const appearedMs = await timed(() => until('the backend found', resolved('True')))
  await cluster.must('delete', 'crd', crd)
  const goneMs = await timed(() => until('the backend missed', resolved('False')))
  await cluster.applyFiles(join(checkout, 'deploy/crds'))
  await cluster.must('wait', '--for=condition=Established', `crd/${crd}`, '--timeout=30s')
  await until('served', () => api.create(backend('late', 'b', ['one.example'])).then(() => true))
  const againMs = await timed(() => until('the backend found', resolved('True')))
  t.diagnostic(`found after ${seconds(appearedMs)}, missed after ${seconds(goneMs)}, found again after ${seconds(againMs)}`)
}

async function missingRights(t: TestContext, cluster: Cluster, api: AdminApi): Promise<void> {
  await cluster.must('create', 'namespace', 'bare')
  await api.create(gateway('bare', 'g'))
  const { message } = await until('the status', () => condition(api, 'gateways', 'bare', 'g', 'Programmed', 'NoResources'))
  const [, command = ''] = /kubectl (create rolebinding .*?)(?:\. |$)/.exec(message) ?? []
  await cluster.must(...command.split(' '))
  const tookMs = await timed(() =>
    until('healed', () => condition(api, 'gateways', 'bare', 'g', 'Programmed', 'AddressNotAssigned'), patience),
  )
  t.diagnostic(`'${command}' helped after ${seconds(tookMs)}`)
  await document(api, 'bare', 'g')
}

async function gatewayAgain(t: TestContext, api: AdminApi): Promise<void> {
  await api.create(gateway('again', 'g'))
  await document(api, 'again', 'g')
  await api.delete('gateways', 'again', 'g')
  await api.create(gateway('again', 'g'))
  const { metadata } = await api.get('gateways', 'again', 'g')
  const owners = async () => (await gatewayObjects(api, 'again')).map((object) => object.metadata.ownerReferences?.[0]?.uid)
  const areNew = (uids: readonly unknown[]) => uids.every((uid) => uid === metadata.uid)
  const collectedMs = await timed(() => until('the old collected', async () => areNew(await owners()) || undefined, patience))
  const tookMs = await timed(async () => {
    await until('all made for the new one', async () => ((await owners()).length === 8 && areNew(await owners())) || undefined, patience)
    await until('said', () => condition(api, 'gateways', 'again', 'g', 'Programmed', 'AddressNotAssigned'), patience)
  })
  t.diagnostic(`all is the new one's ${seconds(tookMs)} after the old one's was collected, which took ${seconds(collectedMs)}`)
}

async function repairs(t: TestContext, api: AdminApi): Promise<void> {
  const whole = async () => JSON.stringify((await gatewayObjects(api, 'edited')).map(likeOf))
  const before = await whole()
  const repaired = (around: { readonly timeoutMs: number }) =>
    timed(() => until('as before', async () => ((await whole()) === before ? true : undefined), { ...around, everyMs: 100 }))
  const followed: readonly [string, () => Promise<unknown>][] = [
    ['config', () => api.patch('secrets', 'edited', 'g-mcplex', { data: { 'config.json': btoa('{}') } })],
    ['Secret', () => api.delete('secrets', 'edited', 'g-mcplex')],
    ['selector', () => api.patch('services', 'edited', 'g', { spec: { selector: { app: 'other' } } })],
    ['Service', () => api.delete('services', 'edited', 'g')],
    ['port, by the remedy that the status names', () => conflictingPort(api)],
  ]
  const times: string[] = []
  for (const [what, harm] of followed) {
    await harm()
    times.push(`${what} ${seconds(await repaired({ timeoutMs: 10_000 }))}`)
  }
  await api.patch('roles', 'edited', 'g-mcplex', { rules: [] })
  await api.patch('deployments', 'edited', 'g', { spec: { template: { spec: { serviceAccountName: 'default' } } } })
  await api.delete('poddisruptionbudgets', 'edited', 'g')
  times.push(`what nobody follows ${seconds(await repaired(resync))}`)
  t.diagnostic(`repaired: ${times.join(', ')}`)
}

/** Two ports of one name are refused, so the Service can't be applied over somebody's port. */
async function conflictingPort(api: AdminApi): Promise<void> {
  await api.patch('services', 'edited', 'g', { spec: { ports: [{ name: 'port-8080', port: 81, protocol: 'TCP' }] } })
  const { message } = await until('the status', () => condition(api, 'gateways', 'edited', 'g', 'Programmed', 'NoResources'))
  assert.match(message, /; Service edited\/g is refused .*spec\.ports\[1\]\.name.* Where somebody has changed that field, take it back/)
  await api.patch('services', 'edited', 'g', { spec: { ports: [{ name: 'port-8080', port: 8080, protocol: 'TCP' }] } })
}

async function newToken(
  t: TestContext,
  cluster: Cluster,
  { api, pod, token, controller }: { readonly api: AdminApi; readonly pod: Pod; readonly token: string; readonly controller: Controller },
): Promise<void> {
  await cluster.must('delete', 'serviceaccount', 'mcplex', '-n', home)
  await cluster.applyFiles(join(checkout, 'deploy/rbac.yaml'))
  const next = await cluster.serviceAccountToken(home, 'mcplex')
  const old = await cluster.kubectlAs(token)
  const isRefused = async () => (/Unauthorized|logged in/.test((await old.run('get', 'namespaces')).stderr) ? true : undefined)
  await until('the old one refused', isRefused, { ...patience, everyMs: 500 })
  await api.patch('gateways', 'late', 'g', { spec: { listeners: [{ name: 'http', port: 8081, protocol: 'HTTP' }] } })
  await until('it is refused', () => (controller.log().includes('Unauthorized') ? true : undefined), patience)
  await pod.rotate(next)
  const tookMs = await timed(() => document(api, 'late', 'g', '8081'))
  t.diagnostic(`it wrote again ${seconds(tookMs)} after the new one was there`)
  assert.ok(controller.child.isRunning)
}

const kills = 16

async function storm(t: TestContext, cluster: Cluster, { api, pod }: { readonly api: AdminApi; readonly pod: Pod }): Promise<void> {
  const seed = 20_260_501
  const random = seededRandom(seed)
  const parts = new Map<string, Set<string>>()
  const lookAtParts = async () => {
    for (const { metadata, ...secret } of await api.list('secrets', 'storm')) {
      const { 'sessions.keys': keys, 'admin.token': token } = secret['data'] as Readonly<Record<string, string>>
      parts.set(metadata.uid, (parts.get(metadata.uid) ?? new Set()).add(`${metadata.name} ${keys} ${token}`))
    }
  }
  const pick = <Value>(values: readonly Value[]) => values[Math.floor(random() * values.length)]
  let made = 0
  const change = async () => {
    const [gateways, routes] = [await api.list('gateways', 'storm'), await api.list('httproutes', 'storm')]
    const some = { gateway: pick(gateways)?.metadata.name ?? 'none', route: pick(routes)?.metadata.name }
    const path = `/${++made}`
    const kind = random()
    if (gateways.length < 2 || kind < 0.2) await api.create(gateway('storm', `g-${made}`))
    else if (kind < 0.3) await api.delete('gateways', 'storm', some.gateway)
    else if (kind < 0.6 || some.route === undefined) {
      await api.create(route('storm', `r-${made}`, { to: some.gateway, backend: `b-${made % 3}`, path }))
    } else if (kind < 0.7) await api.delete('httproutes', 'storm', some.route)
    else if (kind < 0.8) await api.delete('backends', 'storm', `b-${made % 3}`)
    else if (kind < 0.9) {
      await api.delete('backends', 'storm', `b-${made % 3}`)
      await api.create(backend('storm', `b-${made % 3}`, [`host-${made}.example`, 'other.example']))
    } else
      await api.patch('httproutes', 'storm', some.route, { spec: { rules: [{ matches: [{ path: { type: 'Exact', value: path } }] }] } })
  }
  await api.create(
    gateway('storm', 'g-0'),
    backend('storm', 'b-0', ['one.example']),
    route('storm', 'r-0', { to: 'g-0', backend: 'b-0', path: '/0' }),
  )
  for (let kill = 0; kill < kills; kill++) {
    // The dead one's lease would keep this one waiting.
    await api.delete('leases', home, lease)
    const controller = await startController(t, cluster, { within: pod.start, isWaitedFor: false })
    await until('leads', () => (controller.log().includes('leading: ') ? true : undefined), patience)
    const changes = (async () => {
      for (let count = 0; count < 4; count++) await change()
    })()
    await delay(random() * 250)
    controller.child.kill('SIGKILL')
    await Promise.all([changes, controller.child.finished])
    await lookAtParts()
  }

  for (const resource of ['gateways', 'backends', 'httproutes']) {
    for (const { apiVersion, kind, metadata, spec } of await api.list(resource, 'storm')) {
      await api.create({ apiVersion, kind, metadata: { name: metadata.name, namespace: 'calm' }, spec })
    }
  }
  await api.delete('leases', home, lease)
  await startController(t, cluster, { within: pod.start })
  let found: readonly [string, string] = ['', '']
  await until(
    'the same in both namespaces',
    async () => {
      found = [await everything(api, 'storm'), await everything(api, 'calm')]
      return found[0] === found[1] ? true : undefined
    },
    { ...patience, everyMs: 250, explain: () => `seed ${seed}\n${found.join('\n\n')}` },
  )
  await lookAtParts()
  for (const [, seen] of parts) assert.equal(seen.size, 1, [...seen].join('\n'))
  assert.ok(
    [...parts.values()].every((seen) => !/undefined/.test([...seen].join())),
    'each Secret has its parts from the start',
  )
  t.diagnostic(`${kills} kills, ${made} changes, ${parts.size} Secrets; ${found[0].length} characters of objects and statuses are equal`)
}

/** All that a namespace holds for and of Gateways, without what differs by the namespace and the time. */
async function everything(api: AdminApi, namespace: string): Promise<string> {
  const own = await Promise.all(['gateways', 'httproutes', 'backends'].map((resource) => api.list(resource, namespace)))
  const all = [...own.flat(), ...(await gatewayObjects(api, namespace))]
  return JSON.stringify(all.map(likeOf)).replaceAll(namespace, 'NAMESPACE')
}

function text(reads: ReadonlyMap<string, number>): string {
  return reads.size === 0 ? 'nothing' : [...reads].map(([path, count]) => `${path} ${count}`).join(', ')
}

function routeTo(path: string, name = 'r') {
  return route('led', name, { to: 'g', backend: 'b', path })
}

async function changeRoute(api: AdminApi, path: string): Promise<void> {
  await api.patch('httproutes', 'led', 'r', { spec: routeTo(path)['spec'] })
}

async function routeIsCurrent(api: AdminApi): Promise<void> {
  await until('the status', () => routeCondition(api, 'led', 'r', 'Accepted', 'True'))
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await run()
  return performance.now() - startedMs
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
