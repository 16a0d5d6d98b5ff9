import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ApiClient, type Collection, createApiClient, type FollowState, follow } from '../../src/kube/kube.ts'
import { type Cluster, startCluster } from './setup/cluster.ts'
import { kubebox } from './setup/kubebox.ts'
import type { ApiObject } from './setup/kubectl.ts'
import { need } from './setup/part.ts'
import { until } from './setup/wait.ts'

const configMaps: Collection = { group: '', version: 'v1', plural: 'configmaps', namespace: 'default' }
const routes: Collection = { group: 'gateway.networking.k8s.io', version: 'v1', plural: 'httproutes' }
const route = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'one', namespace: 'default' },
  spec: { rules: [{ backendRefs: [{ name: 'math', port: 80 }] }] },
}
/** After an outage up to 30 s lie between two attempts. */
const patience = { timeoutMs: 60_000 }

test('what is followed is what an API server has: killed, expired, with kinds that come and go', async (t) => {
  const box = await need(t, kubebox())
  if (box === undefined) return
  const cluster = await startCluster(t, box)
  let gate = Promise.resolve()
  const client = createApiClient(
    {
      server: cluster.server,
      tls: { ca: cluster.ca },
      namespace: 'default',
      async headers() {
        await gate
        return { authorization: `Bearer ${cluster.adminToken}` }
      },
    },
    { userAgent: 'mcplex-test' },
  )
  t.after(() => client.close())
  await cluster.must('create', 'configmap', 'one')
  const maps = keep(client, configMaps)
  const kinds = keep(client, routes)
  t.after(() => {
    maps.close()
    kinds.close()
  })

  await t.test('what is there, and what comes', async () => {
    await until('in sync', () => (maps.state() === 'synced' && kinds.state() === 'absent' ? true : undefined))
    await cluster.must('create', 'configmap', 'two')
    await cluster.must('label', 'configmap', 'one', 'a=b')
    await converged(cluster, maps)
    assert.equal(maps.resets.length, 1)
  })

  await t.test('a kind appears', async () => {
    await cluster.installGatewayApi()
    await cluster.apply(JSON.stringify(route))
    await until('the route', () => kinds.objects.get('default/one'))
    assert.equal(kinds.state(), 'synced')
  })

  await t.test('killed and started again: nothing that was known is ever missing', async () => {
    const before = { maps: maps.resets.length, kinds: kinds.resets.length }
    await cluster.killApiServer()
    await until('the death is seen', () => (maps.state() === 'interrupted' && kinds.state() === 'interrupted' ? true : undefined))
    await cluster.startApiServer()
    await cluster.must('create', 'configmap', 'three')
    await converged(cluster, maps)
    await until('in sync', () => (maps.state() === 'synced' && kinds.state() === 'synced' ? true : undefined), patience)
    assert.deepEqual([...kinds.objects.keys()], ['default/one'])
    assert.ok(maps.resets.slice(before.maps).every((size) => size >= 2))
    assert.ok(kinds.resets.slice(before.kinds).every((size) => size === 1))
  })

  await t.test('what was deleted while nobody watched, and whose history is gone, goes', async () => {
    let open = () => {}
    gate = new Promise((resolve) => {
      open = resolve
    })
    await cluster.killApiServer()
    await cluster.startApiServer()
    await cluster.must('delete', 'configmap', 'two')
    await cluster.must('create', 'configmap', 'four')
    await cluster.killApiServer()
    await cluster.compact()
    await cluster.startApiServer()
    const resets = maps.resets.length
    open()
    await converged(cluster, maps)
    assert.equal(maps.resets.length, resets + 1)
    assert.equal(maps.objects.has('default/two'), false)
  })

  await t.test('a kind whose definition is deleted has no objects', async () => {
    await until('in sync', () => (kinds.state() === 'synced' ? true : undefined), patience)
    await cluster.must('delete', 'crd', 'httproutes.gateway.networking.k8s.io')
    await until('absent', () => (kinds.state() === 'absent' ? true : undefined))
    assert.equal(kinds.objects.size, 0)
  })
})

interface Kept {
  /** By `namespace/name`: the resourceVersion. */
  readonly objects: ReadonlyMap<string, string>
  /** How many objects each reset brought. */
  readonly resets: readonly number[]
  state(): FollowState
  close(): void
}

function keep(client: ApiClient, collection: Collection): Kept {
  const objects = new Map<string, string>()
  const resets: number[] = []
  const set = (object: unknown) => {
    const { metadata } = object as ApiObject
    objects.set(`${metadata.namespace}/${metadata.name}`, metadata.resourceVersion)
  }
  const follower = follow(
    client,
    collection,
    {
      onReset(all) {
        objects.clear()
        resets.push(all.length)
        for (const object of all) set(object)
      },
      onSet: set,
      onDelete(object) {
        const { metadata } = object as ApiObject
        objects.delete(`${metadata.namespace}/${metadata.name}`)
      },
      onState() {},
    },
    { random: Math.random, log: { info() {}, warn() {} } },
  )
  return { objects, resets, state: () => follower.state, close: () => follower.close() }
}

/** Returns when what was followed is what kubectl lists. */
async function converged(cluster: Cluster, kept: Kept): Promise<void> {
  const listed = await cluster.list('configmaps', 'default')
  const expected = listed.map(({ metadata }) => `${metadata.namespace}/${metadata.name} ${metadata.resourceVersion}`).sort()
  const found = () => [...kept.objects].map(([key, version]) => `${key} ${version}`).sort()
  await until('what is followed is what is there', () => (found().join() === expected.join() ? true : undefined), {
    ...patience,
    explain: () => `${found()}, not ${expected}`,
  })
}
