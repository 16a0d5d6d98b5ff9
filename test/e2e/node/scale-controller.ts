import type { TestContext } from 'node:test'
import { atEnd } from '../setup/at-end.ts'
import { until } from '../setup/wait.ts'
import type { Scene } from './scene.ts'

/** Runs so many pods of the controller, and returns when they are ready and all others gone. */
export async function scaleController({ cluster }: Scene, replicas: number): Promise<void> {
  await cluster.must('scale', 'deployment/mcplex', '-n', 'mcplex-system', `--replicas=${replicas}`)
  await cluster.must('rollout', 'status', 'deployment/mcplex', '-n', 'mcplex-system', '--timeout=60s')
  await until('no other pods of the controller', async () => {
    const pods = await cluster.must('get', 'pods', '-n', 'mcplex-system', '-l', 'app.kubernetes.io/component=controller', '-o', 'name')
    return pods.split('\n').length - 1 === replicas ? true : undefined
  })
}

/** Returns when the controller is gone; it is back after the test at the latest. */
export async function withoutController(t: TestContext, scene: Scene): Promise<void> {
  atEnd(t, () => scaleController(scene, 2))
  await scaleController(scene, 0)
}
