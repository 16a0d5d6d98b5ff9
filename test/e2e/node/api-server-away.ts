import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { told } from '../setup/load.ts'
import { until } from '../setup/wait.ts'
import { killUnderLoad } from './kill-under-load.ts'
import { callsAt, loadOn, pairRuns } from './pair.ts'
import { home, type Scene } from './scene.ts'

/** Without an API server calls go on, and a container that starts serves what its pod had; with it again, the newest document. */
export async function apiServerAway(t: TestContext, scene: Scene): Promise<void> {
  const { cluster } = scene
  const pair = await pairRuns(scene)
  const proxies = await pair.proxies()
  // the kubelet lets one wait that has died before
  const dying = proxies[0].restarts > proxies[1].restarts ? proxies[1] : proxies[0]
  const good = await pair.source(dying)
  const load = await loadOn(t, pair)
  await cluster.killApiServer()
  const awayAt = performance.now()
  await load.goesOn(1)
  const killed = await killUnderLoad(pair, load, dying)
  await until('a call at the container that starts', () => callsAt(pair.at(dying), 1).then(() => true), { timeoutMs: 60_000 })
  t.diagnostic(
    `a container that starts without an API server serves ${Math.round(performance.now() - killed.at)} ms after the end of the one before`,
  )
  assert.deepEqual(await pair.source(dying), { ...good, isLastGood: true })
  await load.goesOn(2)

  await cluster.startApiServer()
  const backAt = performance.now()
  t.diagnostic(`the API server was away for ${Math.round((backAt - awayAt) / 1000)} s`)
  await until('the Secret as the source', async () => ((await pair.source(dying)).isLastGood ? undefined : true), { timeoutMs: 60_000 })
  t.diagnostic(`a proxy has heard from it ${Math.round(performance.now() - backAt)} ms after its return`)
  const inForce = (what: string, isRight: (digest: string) => boolean) =>
    until(what, async () => ((await Promise.all(proxies.map(pair.source))).every(({ digest }) => isRight(digest)) ? true : undefined), {
      // who follows the API server asks ever more seldom while it is away
      timeoutMs: 120_000,
    })
  const patch = (...changes: readonly object[]) =>
    cluster.must('patch', 'httproute', pair.name, '-n', home, '--type=json', '-p', JSON.stringify(changes))
  const timeouts = { path: '/spec/rules/0/timeouts' }
  await patch({ op: 'add', ...timeouts, value: { request: '59s' } })
  await inForce('a newer document in force', (digest) => digest !== good.digest)
  t.diagnostic(`a change is in force everywhere ${Math.round(performance.now() - backAt)} ms after its return`)
  await patch({ op: 'remove', ...timeouts })
  await inForce('the former document in force', (digest) => digest === good.digest)
  await load.goesOn(1)
  await load.stop()
  t.diagnostic(killed.assertOthersWell())
  t.diagnostic(told(load))
}
