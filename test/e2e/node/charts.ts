import type { TestContext } from 'node:test'
import { temporaryDirectory } from '../gateway.ts'
import { chart } from '../packaging/charts.ts'
import { helm, helmOf } from '../setup/helm.ts'
import { need } from '../setup/part.ts'
import { home, type Scene } from './scene.ts'

const own = 'mcplex-system'

/** The Gateway API, the namespace of the post, and the charts, as `deploy/post/README.md` installs them. */
export async function chartsInstall(t: TestContext, { cluster }: Scene): Promise<void> {
  const program = await need(t, helm())
  if (program === undefined) return
  const { must } = helmOf(program, { kubeconfig: cluster.kubeconfig, directory: await temporaryDirectory(t) })
  await cluster.installGatewayApi()
  await cluster.must('create', 'namespace', home)
  await must('install', 'mcplex-crds', chart('mcplex-crds'), '--namespace', own, '--create-namespace')
  await must('install', 'mcplex', chart('mcplex'), '--namespace', own, '--set', `provision.namespaces={${home}}`)
  await cluster.must('rollout', 'status', 'deployment/mcplex', '-n', own, '--timeout=60s')
}
