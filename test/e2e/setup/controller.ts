import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import type { TestContext } from 'node:test'
import { startMcplex, untilReady } from '../gateway.ts'
import { atEnd } from './at-end.ts'
import type { Child } from './child.ts'
import type { Cluster } from './cluster.ts'
import { freePort } from './ports.ts'

/** Of the controller's account and lease, as `deploy/rbac.yaml` has them. */
const namespace = 'mcplex-system'
const account = 'mcplex'

/** A running `mcplex controller`. */
export interface Controller {
  readonly child: Child
  /** All that it has written to stderr. */
  log(): string
  /** The sum over all series of a metric whose labels hold that text, such as `kind="Secret"`; 0 where there is none. */
  metric(name: string, label?: string): Promise<number>
  /** Sends SIGTERM and returns when it has ended. */
  stop(): Promise<void>
}

export interface ControllerAround {
  /** A kubeconfig; else one of the controller's own account is made. */
  readonly kubeconfig?: string
  /** How mcplex is started with arguments that say nothing of the cluster: in a pod, which knows its cluster. */
  readonly within?: (args: readonly string[]) => Child
  readonly args?: readonly string[]
  /** Returns before it is ready. */
  readonly isWaitedFor?: boolean
}

/**
 * Starts one from the sources (or $MCPLEX_COMMAND) with no other rights than those of its account in `deploy/rbac.yaml`, and waits until
 * it has read the cluster; whether it leads is another matter. The test's end stops it.
 */
export async function startController(t: TestContext, cluster: Cluster, around: ControllerAround = {}): Promise<Controller> {
  const { within } = around
  const port = await freePort()
  const args = ['controller', '--listen', `127.0.0.1:${port}`, ...(around.args ?? [])]
  const byKubeconfig = async () => startMcplex(t, [...args, '--kubeconfig', around.kubeconfig ?? (await controllerKubeconfig(cluster))])
  const child = within === undefined ? await byKubeconfig() : within(args)
  const controller: Controller = {
    child,
    log: child.stderr,
    async metric(name, label = '') {
      const { text } = await ask(port, '/metrics')
      const lines = text.split('\n').filter((line) => /^\w+/.exec(line)?.[0] === name && line.includes(label))
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
    },
    async stop() {
      child.kill('SIGTERM')
      await child.finished
    },
  }
  atEnd(t, () => controller.stop())
  if (around.isWaitedFor ?? true) await untilReady(child, async () => ((await ask(port, '/readyz')).status === 200 ? true : undefined))
  return controller
}

/** The path of a kubeconfig with a new token of the controller's account. */
export async function controllerKubeconfig(cluster: Cluster): Promise<string> {
  const file = await cluster.kubeconfigFor(await cluster.serviceAccountToken(namespace, account))
  const config = JSON.parse(await readFile(file, 'utf8'))
  for (const { context } of config.contexts) context.namespace = namespace
  await writeFile(file, JSON.stringify(config))
  return file
}

/** Lets the controller make what Gateways of that namespace need, as `deploy/README.md` says. */
export async function letProvision(cluster: Cluster, where: string): Promise<void> {
  const subject = ['--clusterrole', 'mcplex-provisioner', '--serviceaccount', `${namespace}:${account}`]
  await cluster.must('create', 'rolebinding', 'mcplex-provisioner', '-n', where, ...subject)
}

function ask(port: number, path: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, agent: false, timeout: 5000 }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
      response.once('error', reject)
    })
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer')))
    outgoing.once('error', reject)
    outgoing.end()
  })
}
