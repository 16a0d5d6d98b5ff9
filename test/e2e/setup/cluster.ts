import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryDirectory } from '../gateway.ts'
import { checkout } from './cache.ts'
import { type Child, start } from './child.ts'
import type { Kubebox } from './kubebox.ts'
import { type Kubectl, kubectlOf } from './kubectl.ts'
import { freePort, listening } from './ports.ts'
import { until } from './wait.ts'

/** A running API server over its own etcd. Without a node Pods stay Pending, Services get a cluster IP and nothing behind it. */
export interface Cluster extends Kubectl {
  /** Such as `https://127.0.0.1:20001`; stays over a restart. */
  readonly server: string
  /** PEM of the authority that signed the server's certificate. */
  readonly ca: string
  readonly adminToken: string
  /** The path of the kubeconfig of an administrator (system:masters), as whom the cluster's own `kubectl` acts. */
  readonly kubeconfig: string
  /** The path of a kubeconfig with this token. */
  kubeconfigFor(token: string): Promise<string>
  /** A new token of a ServiceAccount that exists, by the TokenRequest API. */
  serviceAccountToken(namespace: string, name: string): Promise<string>
  /** kubectl as whoever has the token. */
  kubectlAs(token: string): Promise<Kubectl>
  /** Installs the Gateway API's definitions and returns when its kinds are served. */
  installGatewayApi(): Promise<void>
  /** Installs the definitions and rights of `deploy/` and returns when its kinds are served. */
  installOurs(): Promise<void>
  /** SIGKILL; returns when it is gone. */
  killApiServer(): Promise<void>
  /** Starts it again where it was killed; returns when it is ready. */
  startApiServer(): Promise<void>
  /** Makes etcd forget old revisions: after the API server's next start, older resourceVersions and pages are Expired (410). */
  compact(): Promise<void>
}

export interface ClusterOptions {
  /** Starts Kubernetes' own controllers too: they slice Services, collect what lost its owner, empty deleted namespaces. */
  readonly controllerManager?: boolean
  /** How nodes and pods reach the API server. */
  readonly reachable?: ReachableBy
}

export interface ReachableBy {
  /** An IPv4 address of this machine, not a loopback one. */
  readonly address: string
  /** Of the one node, as its kubelet acts. */
  readonly kubelet: { readonly node: string; readonly token: string }
}

/** Starts etcd and an API server with RBAC. The test's end kills whatever was started. */
export async function startCluster(
  t: TestContext,
  kubebox: Kubebox,
  { controllerManager = false, reachable }: ClusterOptions = {},
): Promise<Cluster> {
  const directory = await temporaryDirectory(t)
  const etcd = await startEtcd(t, kubebox, directory)
  const port = await freePort()
  const server = `https://${reachable?.address ?? '127.0.0.1'}:${port}`
  const adminToken = randomUUID()
  const args = await apiServerArgs(directory, { etcd, port, adminToken, reachable })
  const certificate = join(directory, 'certs/apiserver.crt')

  let apiServer: Child | undefined
  const startApiServer = async () => {
    if (apiServer?.isRunning) return
    const child = start(t, kubebox.program, ['kube-apiserver', ...args])
    apiServer = child
    const state = await until(
      'API server ready',
      async () => {
        if (!child.isRunning) return 'ended'
        return (await statusOf(`${server}/readyz`, await readFile(certificate, 'utf8'), adminToken)) === 200 ? 'ready' : undefined
      },
      { timeoutMs: 60_000, everyMs: 50, explain: () => child.stderr().slice(-4000) },
    )
    if (state === 'ended') throw new Error(`the API server ended before it was ready:\n${child.stderr().slice(-4000)}`)
  }
  await startApiServer()

  const ca = await readFile(certificate, 'utf8')
  const kubeconfigFor = async (token: string) => {
    const file = join(directory, `${randomUUID()}.kubeconfig`)
    await writeFile(file, kubeconfigOf(server, ca, token))
    return file
  }
  const kubeconfig = await kubeconfigFor(adminToken)
  const kubectl = kubectlOf(kubebox.program, kubeconfig, directory)
  if (controllerManager) await startControllerManager(t, kubebox, { kubeconfig, directory, kubectl })

  return {
    ...kubectl,
    server,
    ca,
    adminToken,
    kubeconfig,
    kubeconfigFor,
    startApiServer,
    async serviceAccountToken(namespace, name) {
      return (await kubectl.must('create', 'token', name, '-n', namespace)).trim()
    },
    async kubectlAs(token) {
      return kubectlOf(kubebox.program, await kubeconfigFor(token), directory)
    },
    async installGatewayApi() {
      // one definition is larger than the annotation in which a client-side apply would repeat it
      await kubectl.must('apply', '--server-side', '-f', kubebox.gatewayApi)
      await definitionsServed(kubectl)
    },
    async installOurs() {
      await kubectl.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'mcplex-system' } }))
      await kubectl.applyFiles(join(checkout, 'deploy/crds'), join(checkout, 'deploy/rbac.yaml'))
      await definitionsServed(kubectl)
    },
    async killApiServer() {
      apiServer?.kill('SIGKILL')
      await apiServer?.finished
    },
    async compact() {
      const { header } = await askEtcd(etcd, 'range', { key: btoa('any') })
      await askEtcd(etcd, 'compaction', { revision: header.revision, physical: true })
    },
  }
}

/** The URL at which it listens. */
async function startEtcd(t: TestContext, kubebox: Kubebox, directory: string): Promise<string> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = start(t, kubebox.program, [
    ...['etcd', '--data-dir', join(directory, 'etcd'), '--unsafe-no-fsync', '--log-level', 'warn'],
    ...['--listen-client-urls', url, '--advertise-client-urls', url, '--listen-peer-urls', `http://127.0.0.1:${await freePort()}`],
  ])
  await listening(child, port)
  return url
}

interface ApiServerSettings {
  readonly etcd: string
  readonly port: number
  readonly adminToken: string
  readonly reachable: ReachableBy | undefined
}

async function apiServerArgs(directory: string, { etcd, port, adminToken, reachable }: ApiServerSettings): Promise<readonly string[]> {
  const keys = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
  })
  const certificates = join(directory, 'certs')
  await mkdir(certificates)
  await writeFile(join(directory, 'accounts.pub'), keys.publicKey)
  await writeFile(join(directory, 'accounts.key'), keys.privateKey)
  const users = [`${adminToken},admin,admin,"system:masters"\n`]
  if (reachable !== undefined) users.push(`${reachable.kubelet.token},system:node:${reachable.kubelet.node},kubelet,"system:nodes"\n`)
  await writeFile(join(directory, 'tokens.csv'), users.join(''))
  return [
    ...['--etcd-servers', etcd, '--secure-port', String(port), '--cert-dir', certificates, '--service-cluster-ip-range', '10.96.0.0/16'],
    ...(reachable === undefined
      ? // it refuses to advertise a loopback address; nobody dials this one, which is reserved for documentation
        ['--bind-address', '127.0.0.1', '--advertise-address', '192.0.2.1', '--endpoint-reconciler-type', 'none']
      : ['--bind-address', reachable.address, '--advertise-address', reachable.address, ...forNode]),
    ...['--service-account-issuer', 'https://kubernetes.default.svc', '--service-account-key-file', join(directory, 'accounts.pub')],
    ...['--service-account-signing-key-file', join(directory, 'accounts.key')],
    ...['--token-auth-file', join(directory, 'tokens.csv'), '--authorization-mode', reachable === undefined ? 'RBAC' : 'Node,RBAC'],
  ]
}

async function startControllerManager(
  t: TestContext,
  kubebox: Kubebox,
  { kubeconfig, directory, kubectl }: { readonly kubeconfig: string; readonly directory: string; readonly kubectl: Kubectl },
): Promise<void> {
  const child = start(t, kubebox.program, [
    ...['kube-controller-manager', '--kubeconfig', kubeconfig, '--leader-elect=false', '--secure-port', '0'],
    ...['--service-account-private-key-file', join(directory, 'accounts.key'), '--root-ca-file', join(directory, 'certs/apiserver.crt')],
  ])
  const explain = () => child.stderr().slice(-4000)
  await until('the controllers at work', () => kubectl.get('serviceaccount', 'default', 'default'), { explain })
}

const forNode = ['--enable-admission-plugins', 'NodeRestriction', '--kubelet-preferred-address-types', 'InternalIP']

/** Returns when every definition is established and what the API server says about itself lists its kind. */
async function definitionsServed(kubectl: Kubectl): Promise<void> {
  await kubectl.must('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s')
  const wanted = (await kubectl.list('crd')).map((crd) => crd.metadata.name)
  await until('the kinds in discovery', async () => {
    const served = new Set((await kubectl.must('api-resources', '-o', 'name', '--cached=false')).split('\n'))
    return wanted.every((name) => served.has(name)) ? true : undefined
  })
}

/** JSON is YAML too. */
function kubeconfigOf(server: string, ca: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': btoa(ca) } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  })
}

/** etcd's JSON door: https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/ */
async function askEtcd(url: string, what: 'range' | 'compaction', body: unknown): Promise<{ header: { revision: string } }> {
  const response = await fetch(`${url}/v3/kv/${what}`, { method: 'POST', body: JSON.stringify(body) })
  const text = await response.text()
  if (!response.ok) throw new Error(`etcd: ${what}: ${response.status} ${text}`)
  return JSON.parse(text)
}

function statusOf(url: string, ca: string, token: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { ca, headers: { authorization: `Bearer ${token}` }, agent: false, timeout: 5000 }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer')))
    outgoing.once('error', reject)
    outgoing.end()
  })
}
