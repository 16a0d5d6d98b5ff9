import type { TestContext } from 'node:test'
import { told } from '../setup/load.ts'
import { killUnderLoad } from './kill-under-load.ts'
import { loadOn, pairRuns } from './pair.ts'
import type { Scene } from './scene.ts'

/** Of two pods one dies at once, process and object: what was not in flight there goes on, every session among it. */
export async function podKilled(t: TestContext, scene: Scene): Promise<void> {
  const pair = await pairRuns(scene)
  const [dying] = await pair.proxies()
  const load = await loadOn(t, pair)
  const killed = await killUnderLoad(pair, load, dying)
  await scene.cluster.must('delete', 'pod', dying.name, '-n', dying.namespace, '--grace-period=0', '--force')
  await load.goesOn(3)
  await pair.proxies()
  await load.goesOn(1)
  await load.stop()
  t.diagnostic(killed.assertOthersWell())
  t.diagnostic(told(load))
}
