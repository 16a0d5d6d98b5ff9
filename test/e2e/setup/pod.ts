import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { mcplexCommand, temporaryDirectory } from '../gateway.ts'
import { type Child, run, start } from './child.ts'
import type { Cluster } from './cluster.ts'
import { missing, type Part, ready } from './part.ts'

/** What a process sees of its cluster in a pod: the environment, and the files of a service account, in a mount namespace of its own. */
export interface Pod {
  /** Starts mcplex there; the test's end kills it. */
  start(args: readonly string[]): Child
  /** Replaces the token's file, as a kubelet does. */
  rotate(token: string): Promise<void>
}

const directory = '/var/run/secrets/kubernetes.io/serviceaccount'
const furnish = `mount -t tmpfs tmpfs /var/run && mkdir -p ${directory} && mount --bind "$0" ${directory} && exec "$@"`

/** Makes a place like that of a pod with this token in the namespace `mcplex-system`. */
export async function podWith(t: TestContext, cluster: Cluster, token: string): Promise<Part<Pod>> {
  const files = join(await temporaryDirectory(t), 'serviceaccount')
  await mkdir(files)
  const rotate = async (next: string) => {
    await writeFile(join(files, 'next'), next)
    await rename(join(files, 'next'), join(files, 'token'))
  }
  await writeFile(join(files, 'ca.crt'), cluster.ca)
  await writeFile(join(files, 'namespace'), 'mcplex-system')
  await rotate(token)

  const { hostname, port } = new URL(cluster.server)
  const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }
  const reasons: string[] = []
  for (const user of [[], ['--user', '--map-root-user']]) {
    const inside = (...command: readonly string[]) => ['--mount', ...user, '--', 'sh', '-c', furnish, files, ...command]
    const tried = await run('unshare', inside('true'))
    if (tried.code === 0) return ready({ start: (args) => start(t, 'unshare', inside(...mcplexCommand, ...args), { env }), rotate })
    reasons.push(tried.stderr.trim())
  }
  return missing(`no mount namespace: it needs util-linux, and root or unprivileged user namespaces: ${reasons.join('; ')}`)
}
