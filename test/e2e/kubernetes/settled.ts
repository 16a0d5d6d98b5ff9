import { until } from '../setup/wait.ts'
import { type Scene, untilSaid } from './scene.ts'

/** Changes something of no matter, and returns when the controller has written what comes of a later change: all before is done then. */
export async function settled(scene: Scene): Promise<void> {
  const { cluster, controller } = scene
  const name = 'mcplex_controller_reconcile_duration_seconds_count'
  const before = await controller.metric(name)
  await cluster.must('label', 'service', 'mcp-math-server', '-n', 'default', '--overwrite', `turn=after-${before}`)
  await until('the objects translated anew', async () => ((await controller.metric(name)) > before ? true : undefined))
  await caughtUp(scene)
}

const namespace = 'elsewhere'

/** Returns when the controller has written what comes of a change that is made now: the status of an Agent, which repeats a word of it. */
export async function caughtUp({ cluster, read, controller }: Scene): Promise<void> {
  const word = `turn-${(await read.get('Agent', 'witness', namespace))?.metadata.generation ?? 0}`
  const spec = { backendRefs: [{ name: word }], tools: ['a_b'] }
  await cluster.apply(JSON.stringify({ apiVersion: 'mcplex.dev/v1alpha1', kind: 'Agent', metadata: { name: 'witness', namespace }, spec }))
  await untilSaid({ read, controller }, [[`Agent ${namespace}/witness`, 'Accepted False Invalid', `${word}:`]])
}
