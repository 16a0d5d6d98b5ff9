import { test } from 'node:test'
import { leavesWhatIsForeign } from './packaging/definitions.ts'
import { rendersWhatItShould } from './packaging/renders.ts'
import { walksThroughThePost } from './packaging/walk.ts'
import { startCluster } from './setup/cluster.ts'
import { helm } from './setup/helm.ts'
import { kubebox } from './setup/kubebox.ts'
import { need } from './setup/part.ts'

test('the charts, without a cluster', async (t) => {
  const program = await need(t, helm())
  if (program !== undefined) await rendersWhatItShould(t, program)
})

test('the definitions, on a cluster where another project has its own', async (t) => {
  const program = await need(t, helm())
  const box = program === undefined ? undefined : await need(t, kubebox())
  if (program === undefined || box === undefined) return
  const cluster = await startCluster(t, box)
  await leavesWhatIsForeign(t, cluster, program)
})

test('the walk through the post, without a node', async (t) => {
  const program = await need(t, helm())
  const box = program === undefined ? undefined : await need(t, kubebox())
  if (program === undefined || box === undefined) return
  const cluster = await startCluster(t, box)
  await walksThroughThePost(t, cluster, box, program)
})
