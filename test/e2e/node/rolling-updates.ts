import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { failedCalls, told } from '../setup/load.ts'
import { loadOn, pairRuns } from './pair.ts'
import { home, type Scene } from './scene.ts'

/** Pods of a Gateway, then of the controller, are replaced one by one, and no client notices but by the end of its event streams. */
export async function rollingUpdates(t: TestContext, scene: Scene): Promise<void> {
  const { cluster } = scene
  const pair = await pairRuns(scene)
  const load = await loadOn(t, pair)
  const roll = async (what: string, namespace: string, name: string, labels: string) => {
    const startedAt = performance.now()
    const before = await cluster.must('get', 'pods', '-n', namespace, '-l', labels, '-o', 'name')
    await cluster.must('rollout', 'restart', `deployment/${name}`, '-n', namespace)
    await cluster.must('rollout', 'status', `deployment/${name}`, '-n', namespace, '--timeout=60s')
    await cluster.must('wait', '--for=delete', '-n', namespace, '--timeout=60s', ...before.trim().split('\n'))
    await load.goesOn(1)
    t.diagnostic(`${what}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s until the old ones were gone: ${told(load, startedAt)}`)
  }
  await roll('the pods of a Gateway', home, pair.name, `gateway.networking.k8s.io/gateway-name=${pair.name}`)
  await roll('the pods of the controller', 'mcplex-system', 'mcplex', 'app.kubernetes.io/component=controller')
  await load.stop()
  assert.deepEqual(failedCalls(load), [])
  assert.deepEqual([load.refused, load.streams.failures], [new Map(), []])
}
