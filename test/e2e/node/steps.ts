import { type TestContext, test } from 'node:test'
import { kubebox } from '../setup/kubebox.ts'
import { startNodeCluster } from '../setup/node-cluster.ts'
import { mcplexImage, pythonImage } from '../setup/node-images.ts'
import { need } from '../setup/part.ts'
import { apiServerAway } from './api-server-away.ts'
import { chartsInstall } from './charts.ts'
import { changesReachEveryPod } from './config-reload.ts'
import { controllerAway } from './controller-away.ts'
import { pageCalls } from './inspector-page.ts'
import { isReachedWithoutBalancer } from './no-load-balancer.ts'
import { podKilled } from './pod-killed.ts'
import { proxiesMayLittle } from './proxy-rights.ts'
import { urlOfPost } from './reading.ts'
import { rollingUpdates } from './rolling-updates.ts'
import type { Scene } from './scene.ts'
import { statefulPods } from './stateful-pods.ts'
import { tellsTheTruth } from './status.ts'
import { gatewayRuns, inspectorCalls, serversRun } from './the-post.ts'
import { targetIsAdded } from './third-target.ts'
import { unreadableDocument } from './unreadable-document.ts'

/** The steps after the first three, which all others build on: those whose name fits $MCPLEX_E2E_STEPS, a regular expression. */
const chosen = new RegExp(process.env['MCPLEX_E2E_STEPS'] ?? '')

test('pods on a node', { timeout: 25 * 60_000 }, async (t) => {
  const box = await need(t, kubebox())
  const python = await need(t, pythonImage())
  if (box === undefined || python === undefined) return
  const cluster = await startNodeCluster(t, box, [python, await mcplexImage(t)])
  const scene: Scene = { cluster }
  const first = (name: string, run: (t: TestContext, scene: Scene) => Promise<void>) =>
    t.test(name, async (t) => {
      try {
        await run(t, scene)
      } catch (error) {
        process.stderr.write(await cluster.lastWords())
        throw error
      }
    })
  const step: typeof first = async (name, run) => (chosen.test(name) ? first(name, run) : undefined)

  await first('mcplex is installed by its charts', chartsInstall)
  await first("the post's servers run as they are", () => serversRun(scene))
  await first("the post's Gateway runs, with an address", () => gatewayRuns(scene))
  for (const version of ['0.16.2', '2.12.0'] as const)
    await step(`Inspector ${version} calls its tools`, async (t) => inspectorCalls(t, await urlOfPost(cluster), version))
  await step("Inspector's page in Chromium does too", pageCalls)
  await step('a target is added and taken out under connected clients', targetIsAdded)
  await step('statuses tell what is', tellsTheTruth)
  await step('without a load balancer it is reached by what the status says', isReachedWithoutBalancer)
  await step('a proxy may do next to nothing', proxiesMayLittle)
  await step('changes reach every pod, and a Gateway goes as a whole', changesReachEveryPod)
  await step('a pod that is killed takes only calls in flight there along', podKilled)
  await step('rolling updates under load lose no call', rollingUpdates)
  await step('pods that cannot read a document serve the last good one', unreadableDocument)
  await step('without a controller traffic goes on, and new pods start', controllerAway)
  await step('sessions of a server with several pods stay on theirs', statefulPods)
  await step('without an API server a container that starts serves', apiServerAway)
})
