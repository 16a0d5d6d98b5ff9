import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryDirectory } from '../gateway.ts'
import { must } from './cache.ts'
import { type Child, run, start } from './child.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { type ContainerImage, writeImage, writeLayer } from './container-image.ts'
import type { Kubebox } from './kubebox.ts'
import { lastWords } from './last-words.ts'
import { ownMachine } from './own-machine.ts'
import { missing, type Part, ready } from './part.ts'
import { until } from './wait.ts'

/** A cluster with one node, on which pods run, Services have addresses, and Services of type LoadBalancer have one more. */
export interface NodeCluster extends Cluster {
  /** What most likely tells why a test failed: of the node's programs, of pods and of events. */
  lastWords(): Promise<string>
}

const node = 'node'
const pauseImage = 'localhost/pause:1'
const podAddresses = '10.244.0.0/24'
/** Debian's place of the programs that connect pods. */
const networkPrograms = '/usr/lib/cni'

/** What a node takes from the system, as Debian packages and the files by which they are known. */
const packages = {
  containerd: '/usr/bin/containerd',
  runc: '/usr/sbin/runc',
  'containernetworking-plugins': join(networkPrograms, 'bridge'),
  iptables: '/usr/sbin/iptables',
  iproute2: '/usr/sbin/ip',
  'util-linux': '/usr/bin/unshare',
}

/** Whether this system has what `startNodeCluster` needs. */
export function nodePackages(): Part<undefined> {
  const absent = Object.entries(packages).filter(([, file]) => !existsSync(file))
  return absent.length === 0 ? ready(undefined) : missing(`a node needs these packages: ${absent.map(([name]) => name).join(' ')}`)
}

/**
 * Starts one on this process's own machine, with images that its pods can name, and returns when pods can run. This process knows the names
 * of Services too. The end of the machine ends what the test's end doesn't.
 */
export async function startNodeCluster(t: TestContext, kubebox: Kubebox, images: readonly ContainerImage[]): Promise<NodeCluster> {
  const { address, cgroup } = ownMachine()
  const directory = await temporaryDirectory(t)
  const token = randomUUID()
  const programs = new Map<string, Child>()
  const launch = (name: string, command: string, args: readonly string[]) => programs.set(name, start(t, command, args))
  const settings = async (name: string, value: unknown) => {
    const file = join(directory, name)
    await writeFile(file, JSON.stringify(value))
    return file
  }

  const startContainerd = async () => {
    await mkdir(join(directory, 'network'))
    await settings('network/pods.conflist', network)
    await writeFile(join(directory, 'containerd.toml'), containerdSettings(join(directory, 'network')))
    launch('containerd', 'containerd', ['--config', join(directory, 'containerd.toml')])
    await until('containerd', async () => ((await run('ctr', ['version'])).code === 0 ? true : undefined))
    await importImages(directory, [...images, await imageOfPause(directory, kubebox)])
  }
  const [cluster] = await Promise.all([
    startCluster(t, kubebox, { controllerManager: true, reachable: { address, kubelet: { node, token } } }),
    startContainerd(),
  ])
  const box = (name: string, ...args: readonly string[]) => launch(name, kubebox.program, [name, ...args])
  box('kube-scheduler', '--kubeconfig', cluster.kubeconfig, '--leader-elect=false', '--secure-port', '0')
  box('cluster-dns', '--kubeconfig', cluster.kubeconfig, '--listen', `${address}:53`)
  box('load-balancer', '--kubeconfig', cluster.kubeconfig, '--range', '10.99.1.0/24')
  box('kube-proxy', '--config', await settings('kube-proxy.json', proxySettings(cluster.kubeconfig)))
  box(
    'kubelet',
    ...['--config', await settings('kubelet.json', kubeletSettings(address, cgroup)), '--kubeconfig', await cluster.kubeconfigFor(token)],
    ...['--hostname-override', node, '--node-ip', address],
  )
  const explain = () => programs.get('kubelet')?.stderr().slice(-4000) ?? ''
  const isReady = async () => {
    const { stdout } = await cluster.run('get', 'node', node, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')
    return stdout === 'True' ? true : undefined
  }
  await until('the node ready', isReady, { timeoutMs: 60_000, everyMs: 200, explain })
  return { ...cluster, lastWords: () => lastWords(cluster, programs) }
}

async function imageOfPause(directory: string, { pause }: Kubebox): Promise<ContainerImage> {
  const layer = join(directory, 'pause.tar')
  await writeLayer(layer, ({ copy }) => copy(pause, '/pause'))
  return { name: pauseImage, layers: [layer], entrypoint: ['/pause'] }
}

async function importImages(directory: string, images: readonly ContainerImage[]): Promise<void> {
  for (const image of images) {
    const file = join(directory, `${randomUUID()}.tar`)
    await writeImage(file, image)
    await must('ctr', ['--namespace', 'k8s.io', 'images', 'import', file])
    await rm(file)
  }
}

/** Pods hang on one bridge; what they send elsewhere comes from the node. */
const network = {
  cniVersion: '0.4.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'pods0',
      isGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: podAddresses }]], routes: [{ dst: '0.0.0.0/0' }] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
}

function containerdSettings(networks: string): string {
  return `
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${networkPrograms}"
    conf_dir = "${networks}"
`
}

function kubeletSettings(address: string, cgroupRoot: string): unknown {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address,
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    cgroupDriver: 'cgroupfs',
    cgroupRoot,
    clusterDNS: [address],
    clusterDomain: 'cluster.local',
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    enforceNodeAllocatable: [],
    // the machine may be short of whatever it likes: pods stay
    evictionHard: Object.fromEntries(
      ['memory.available', 'nodefs.available', 'nodefs.inodesFree', 'imagefs.available'].map((what) => [what, '0%']),
    ),
    imageGCHighThresholdPercent: 100,
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    protectKernelDefaults: true,
    volumePluginDir: '/var/lib/kubelet/plugins',
  }
}

function proxySettings(kubeconfig: string): unknown {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clientConnection: { kubeconfig },
    clusterCIDR: podAddresses,
    hostnameOverride: node,
    // limits of the whole kernel stay as they are
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    oomScoreAdj: 0,
    nodePortAddresses: ['primary'],
  }
}
