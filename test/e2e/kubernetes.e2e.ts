import { test } from 'node:test'
import { temporaryDirectory } from './gateway.ts'
import { touchesNothingForeign } from './kubernetes/nothing-foreign.ts'
import { play } from './kubernetes/play.ts'
import { staysQuiet } from './kubernetes/quiet.ts'
import { foreignClass, home, type Scene } from './kubernetes/scene.ts'
import { situations } from './kubernetes/situations.ts'
import { comesToTheSame, servesThePost } from './kubernetes/the-post.ts'
import { startCluster } from './setup/cluster.ts'
import { readerOf } from './setup/cluster-reader.ts'
import { letProvision, startController } from './setup/controller.ts'
import { kubebox } from './setup/kubebox.ts'
import { need } from './setup/part.ts'

test('the controller on an API server', async (t) => {
  const box = await need(t, kubebox())
  if (box === undefined) return
  const cluster = await startCluster(t, box, { controllerManager: true })
  await cluster.installGatewayApi()
  await cluster.installOurs()
  for (const namespace of [home, 'elsewhere']) await cluster.must('create', 'namespace', namespace)
  await letProvision(cluster, home)
  await cluster.apply(
    JSON.stringify({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name: foreignClass },
      spec: { controllerName: 'example.com/controller' },
    }),
  )
  const scene: Scene = { cluster, read: readerOf(t, cluster), controller: await startController(t, cluster) }

  await t.test("the post's objects", (t) => servesThePost(t, scene))
  const directory = await temporaryDirectory(t)
  for (const situation of situations) await t.test(situation.name, () => play(scene, situation, directory))
  await t.test("the post's objects in another order", () => comesToTheSame(scene))
  await t.test('nothing foreign is touched', (t) => touchesNothingForeign(t, scene))
  await t.test('no endless writes', (t) => staysQuiet(t, scene))
})
