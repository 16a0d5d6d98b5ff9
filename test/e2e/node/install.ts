import { join } from 'node:path'
import { checkout } from '../setup/cache.ts'
import { letProvision } from '../setup/controller.ts'
import { home, type Scene } from './scene.ts'

/** The definitions, the rights and the controller as files, as `deploy/README.md` says, and the namespace of the post. */
export async function installs({ cluster }: Scene): Promise<void> {
  await cluster.installGatewayApi()
  await cluster.installOurs()
  await cluster.applyFiles(join(checkout, 'deploy/controller.yaml'))
  await cluster.must('rollout', 'status', 'deployment/mcplex', '-n', 'mcplex-system', '--timeout=60s')
  await cluster.must('create', 'namespace', home)
  await letProvision(cluster, home)
}
