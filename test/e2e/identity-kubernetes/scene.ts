import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parse } from 'yaml'
import { temporaryDirectory } from '../gateway.ts'
import { type Office, openOffice } from '../identity/office.ts'
import type { Manifest } from '../kubernetes/manifests.ts'
import { documentText, type Scene as Watched } from '../kubernetes/scene.ts'
import type { Child } from '../setup/child.ts'
import { run } from '../setup/child.ts'
import { startCluster } from '../setup/cluster.ts'
import { readerOf } from '../setup/cluster-reader.ts'
import { letProvision, startController } from '../setup/controller.ts'
import type { Kubebox } from '../setup/kubebox.ts'
import { ownMachine } from '../setup/own-machine.ts'
import { podWith } from '../setup/pod.ts'
import { until } from '../setup/wait.ts'
import { type Door, gatewayName, gatewayPort, home, object, standing } from './objects.ts'

/** A cluster with a controller in it, the office's servers, and a Gateway with one pod. */
export interface Scene extends Watched {
  readonly office: Office
  readonly pod: Child
  /** By one `kubectl apply`. */
  apply(...objects: readonly Manifest[]): Promise<void>
  remove(object: Manifest): Promise<void>
  url(door: Door): string
  /** The configuration in the Gateway's Secret, as it is written. */
  document(): Promise<string>
}

/** The Gateway is open to everybody at first. What a node would do is done here: the pod is started, and its address made known. */
export async function startScene(t: TestContext, kubebox: Kubebox): Promise<Scene> {
  const cluster = await startCluster(t, kubebox)
  await cluster.installGatewayApi()
  await cluster.installOurs()
  await cluster.must('create', 'namespace', home)
  await letProvision(cluster, home)
  const [controller, office] = await Promise.all([startController(t, cluster), openOffice(t)])
  const read = readerOf(t, cluster)
  const directory = await temporaryDirectory(t)
  const listOf = async (items: readonly Manifest[]) => {
    const file = join(directory, 'list.json')
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
    return file
  }
  const apply = async (...objects: readonly Manifest[]) => void (await cluster.applyFiles(await listOf(objects)))

  await apply(...standing(await named(office, directory)))
  const account = `${gatewayName}-mcplex`
  const explain = controller.log
  await until('the rights of the pod', () => read.get('RoleBinding', account, home), { explain })
  const part = await podWith(t, cluster, await cluster.serviceAccountToken(home, account))
  assert.ok(part.kind === 'ready', part.kind === 'missing' ? part.reason : '')
  const pod = part.value.start(['run', '--config', `secret:${home}/${account}`])
  await apply(slice(ownMachine().address))
  return {
    ...{ cluster, read, controller, office, pod, apply },
    remove: async (object) => void (await cluster.must('delete', '-f', await listOf([object]))),
    url: (door) => `http://127.0.0.1:${gatewayPort}/mcp/${door}`,
    document: async () => (await documentText(read, `${home}/${gatewayName}`)) ?? '',
  }
}

/** The servers by names that lead to this machine: its loopback address is none that a target may have. */
async function named({ document }: Office, directory: string): Promise<Readonly<Record<string, URL>>> {
  const { servers }: { readonly servers: Readonly<Record<string, string>> } = parse(document)
  const urls = Object.entries(servers).map(([name, text]) => {
    const url = new URL(text)
    url.hostname = `${name}.servers.svc.cluster.local`
    return [name, url] as const
  })
  const hosts = join(directory, 'hosts')
  await writeFile(hosts, ['localhost', ...urls.map(([, url]) => url.hostname)].map((name) => `127.0.0.1 ${name}\n`).join(''))
  const mounted = await run('mount', ['--bind', hosts, '/etc/hosts'])
  assert.equal(mounted.code, 0, mounted.stderr)
  return Object.fromEntries(urls)
}

function slice(address: string): Manifest {
  const service = `${gatewayName}-peers`
  return {
    ...object('discovery.k8s.io/v1', 'EndpointSlice', `${service}-one`, {
      addressType: 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [{ name: 'peers', port: 15_001, protocol: 'TCP' }],
    }),
    metadata: { name: `${service}-one`, namespace: home, labels: { 'kubernetes.io/service-name': service } },
  }
}
