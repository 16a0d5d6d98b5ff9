import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { killContainers, type RunningPod } from '../setup/pods.ts'
import { until } from '../setup/wait.ts'
import { endOwnGateway } from './own-gateway.ts'
import { endpointsAt, type Pair, pairRuns } from './pair.ts'
import { home, type Scene } from './scene.ts'
import { byPod, callAll, callInFlight, openClients, runOf, type StatefulClient } from './stateful-clients.ts'
import { type StatefulServer, statefulServerRuns } from './stateful-server.ts'

interface Stage extends Scene {
  readonly t: TestContext
  readonly server: StatefulServer
  readonly pair: Pair
  /** The first of them has a call in flight when something goes. */
  readonly clients: readonly [StatefulClient, ...StatefulClient[]]
}

/**
 * Sessions of a server of three pods stay each on its own, through either of two proxies and those that take their place; what a pod takes
 * along when it goes is opened again elsewhere, and nothing else notices; pods that come are used by what is new. No call is run twice.
 */
export async function statefulPods(t: TestContext, scene: Scene): Promise<void> {
  const server = await statefulServerRuns(t, scene, 3)
  const pair = await pairRuns(scene, server.name, server.name)
  await inForce(pair, await server.pods(3))
  const [first, ...others] = await openClients('client', 24, await urlsOf(pair))
  assert.ok(first !== undefined)
  const stage: Stage = { ...scene, t, server, pair, clients: [first, ...others] }

  await callAll(stage.clients, 20)
  assert.equal(byPod(stage.clients).size, 3)
  t.diagnostic(`20 calls of each session through 2 proxies and their Service; sessions on 3 pods: ${spread(stage.clients)}`)
  await proxiesAreReplaced(stage)
  await podIsKilled(stage)
  await podIsDeleted(stage)
  await podsCome(stage)

  const begun = Map.groupBy(server.runs, ({ call }) => call)
  const twice = [...begun.values()].filter(({ length }) => length > 1)
  assert.deepEqual(twice, [])
  t.diagnostic(`${begun.size} calls, none run twice`)
  await endOwnGateway(scene.cluster, pair.name)
  await server.end()
}

/** A call that takes longer than clients have to move to other proxies ends well, too. */
async function proxiesAreReplaced({ t, cluster, server, pair, clients }: Stage): Promise<void> {
  const old = (await pair.proxies()).map(pair.at)
  const { outcome, letGo } = await callInFlight(clients[0], server)
  await cluster.must('rollout', 'restart', `deployment/${pair.name}`, '-n', home)
  await cluster.must('rollout', 'status', `deployment/${pair.name}`, '-n', home, '--timeout=60s')
  await until('no way to the old ones', async () => ((await Promise.all(old.map(isClosed))).every(Boolean) ? true : undefined))
  letGo()
  clients[0].runs.push(runOf(await outcome))
  const urls = await urlsOf(pair)
  for (const client of clients) client.urls = urls
  await callAll(clients, 5)
  t.diagnostic('all sessions went on through the proxies that took the place of those')
}

/** Nobody knows whether what was in flight there was done, so it has failed. */
async function podIsKilled(stage: Stage): Promise<void> {
  const { cluster, server, clients } = stage
  const pod = await podOfFirst(stage)
  const { outcome } = await callInFlight(clients[0], server)
  killContainers(pod)
  await cluster.must('delete', 'pod', pod.name, '--grace-period=0', '--force')
  assert.equal((await outcome).response?.result?.['isError'], true)
  await othersStay(stage, pod, 'killed')
}

/** It ends what is in flight there before it goes. */
async function podIsDeleted(stage: Stage): Promise<void> {
  const { cluster, server, pair, clients } = stage
  const pod = await podOfFirst(stage)
  const { outcome, letGo } = await callInFlight(clients[0], server)
  await cluster.must('delete', 'pod', pod.name, '--wait=false')
  await inForce(pair, await server.pods(3))
  letGo()
  assert.equal(runOf(await outcome).pod, pod.name)
  await othersStay(stage, pod, 'deleted')
}

async function podsCome({ t, server, pair, clients }: Stage): Promise<void> {
  const known = byPod(clients)
  await inForce(pair, await server.scale(5))
  const more = await openClients('later client', 24, await urlsOf(pair))
  await callAll([...clients, ...more], 5)
  assert.deepEqual([...byPod(clients).keys()], [...known.keys()])
  assert.equal(byPod(more).size, 5)
  t.diagnostic(`later sessions on 5 pods: ${spread(more)}`)
}

/** Where the first client's session is. */
async function podOfFirst({ server, clients }: Stage): Promise<RunningPod> {
  const pod = (await server.pods(3)).find(({ name }) => name === clients[0].runs.at(-1)?.pod)
  assert.ok(pod !== undefined)
  return pod
}

/** Sessions of a pod that has gone begin anew on others; all other sessions don't notice. */
async function othersStay({ t, server, pair, clients }: Stage, gone: RunningPod, how: string): Promise<void> {
  const lost = byPod(clients).get(gone.name) ?? []
  const proxies = (await pair.proxies()).map(pair.at)
  for (const [i, client] of lost.entries()) {
    client.runs = []
    // what one proxy opens again, the other doesn't know
    client.urls = proxies.slice(i % 2, (i % 2) + 1)
  }
  const startedAt = performance.now()
  await callAll(clients, 5)
  const ms = Math.round(performance.now() - startedAt)
  assert.equal(byPod(clients).get(gone.name), undefined)
  t.diagnostic(`a pod was ${how}: ${lost.length} of ${clients.length} sessions began anew; 5 calls of each took ${ms} ms`)
  await server.pods(3)
}

function spread(clients: readonly StatefulClient[]): string {
  return Array.from(byPod(clients).values(), ({ length }) => length).join(', ')
}

/** Its pods' and its Service's. */
async function urlsOf(pair: Pair): Promise<readonly string[]> {
  return [...(await pair.proxies()).map(pair.at), pair.url]
}

/** Returns when both proxies have the addresses of these pods, and no others. */
async function inForce(pair: Pair, pods: readonly RunningPod[]): Promise<void> {
  const wanted = pods.map(({ address }) => `${address}:8000`).sort()
  await until(`${wanted.length} addresses in force`, async () => {
    const served = await Promise.all((await pair.proxies()).map((proxy) => endpointsAt(pair, proxy, pair.name, 'server-0')))
    return served.every((addresses) => addresses.toSorted().join() === wanted.join()) ? true : undefined
  })
}

/** Whether nobody listens there any more. */
function isClosed(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(1000) }).then(
    () => false,
    () => true,
  )
}
