import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { digestOfDocument } from '../../config/config.ts'
import type { ApiClient, ApiRequest } from '../../kube/kube.ts'
import { createLog } from '../../observe/observe.ts'
import { defaultSettings, listAt, type Raw, textAt } from '../objects/objects.ts'
import { proxyAsker } from '../proxies/proxies.ts'
import { conditionsIn, createFakeCluster, type FakeCluster } from '../writes/fake-cluster-for-test.ts'
import { createControllerMetrics } from './controller-metrics.ts'
import { startController } from './start-controller.ts'

export const gatewayApi = 'gateway.networking.k8s.io/v1'
export const ns = '/api/v1/namespaces/shop'
export const gatewayPath = `/apis/${gatewayApi}/namespaces/shop/gateways/front`
export const routePath = `/apis/${gatewayApi}/namespaces/shop/httproutes/tools`
export const backendPath = '/apis/gateway.kgateway.dev/v1alpha1/namespaces/shop/backends/tools'
export const secretPath = `${ns}/secrets/front-mcplex`
export const servicePath = `${ns}/services/front`

export const gatewayClass = {
  apiVersion: gatewayApi,
  kind: 'GatewayClass',
  metadata: { name: 'mcplex' },
  spec: { controllerName: 'mcplex.dev/controller' },
}
export const gateway = {
  apiVersion: gatewayApi,
  kind: 'Gateway',
  metadata: { name: 'front', namespace: 'shop' },
  spec: { gatewayClassName: 'mcplex', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
}
export const backendRef = { group: 'gateway.kgateway.dev', kind: 'Backend', name: 'tools' }
/** The HTTPRoute `shop/tools` with one path prefix. */
export const route = (value = '/', refs: readonly Raw[] = [backendRef]) => ({
  apiVersion: gatewayApi,
  kind: 'HTTPRoute',
  metadata: { name: 'tools', namespace: 'shop' },
  spec: { parentRefs: [{ name: 'front' }], rules: [{ matches: [{ path: { type: 'PathPrefix', value } }], backendRefs: refs }] },
})
export const backend = {
  apiVersion: 'gateway.kgateway.dev/v1alpha1',
  kind: 'Backend',
  metadata: { name: 'tools', namespace: 'shop' },
  spec: { type: 'MCP', mcp: { targets: [{ name: 'math', static: { host: 'math.example', port: 80 } }] } },
}

/** A cluster with a GatewayClass of ours, and in the namespace `shop` a Gateway, a route on it and the Backend that it leads to. */
export function createShop(): FakeCluster {
  const cluster = createFakeCluster()
  for (const object of [gatewayClass, gateway, route(), backend]) cluster.put(object)
  return cluster
}

let holders = 0

/** What is otherwise than usual about a controller. */
export interface Around {
  /** Milliseconds that its clock has gone on beside the real one. */
  skewMs?: number
  /** Milliseconds since 1970. */
  wallClock?: () => number
  /** Sees each request before it is sent; what it waits for, the request waits for. */
  onRequest?: (request: ApiRequest) => Promise<void> | undefined
  /** Where its proxies are asked, at any address. */
  proxyPort?: number
  /** Who it is. */
  account?: string
}

/** Starts a controller of that cluster, which the test stops at its end. */
export function start(t: TestContext, cluster: FakeCluster, around: Around = {}) {
  const inner: ApiClient = cluster.client()
  const client: ApiClient = {
    ...inner,
    async request(request) {
      await around.onRequest?.(request)
      return await inner.request(request)
    },
  }
  const metrics = createControllerMetrics()
  const now = () => performance.now() + (around.skewMs ?? 0)
  const settings = { ...defaultSettings('1.0.0'), namespace: 'mcplex-system', holder: `test-${++holders}`, account: around.account }
  const written: string[] = []
  const stream = { write: (line: string) => written.push(line) > 0, on: () => undefined }
  const log = createLog({ level: 'warn', format: 'json', stream, color: false })
  const asking = around.proxyPort === undefined ? {} : { askProxy: proxyAsker(around.proxyPort), isAskable: () => true }
  const deps = { log, metrics, now, wallClock: around.wallClock ?? Date.now, random: () => 0.01, randomBytes, ...asking }
  const controller = startController(client, settings, deps)
  t.after(async () => {
    await client.close()
    await controller.stop()
  })
  const lines = () => {
    log.flush()
    return written
  }
  return { controller, client, metrics, lines }
}

/** The document in the Gateway's Secret; empty where there is none. */
export function documentIn(cluster: FakeCluster): string {
  return Buffer.from(textAt(cluster.get(secretPath), 'data', 'config.json') ?? '', 'base64').toString()
}

/** Whether the document, the Service and the status of each object are there. */
export const isWritten = (cluster: FakeCluster) => () =>
  documentIn(cluster) !== '' &&
  cluster.get(servicePath) !== undefined &&
  conditionsIn(cluster.get(gatewayPath)?.['status']).length > 0 &&
  listAt(cluster.get(routePath), 'status', 'parents').length > 0 &&
  conditionsIn(cluster.get(backendPath)?.['status']).length > 0

/** A change that has gone all the way round: whatever was wrong before has been seen by then. */
export async function roundTrip(cluster: FakeCluster, path: string): Promise<void> {
  cluster.put(route(path))
  const hasSeen = () => textAt(listAt(cluster.get(routePath), 'status', 'parents')[0], 'controllerName') !== undefined
  await cluster.until(() => documentIn(cluster).includes(`"${path}"`) && hasSeen())
}

export const writesTo = (cluster: FakeCluster, path: string) => cluster.writes.filter((write) => write.split(' ')[1] === path)

export const slicesPath = '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices'
/** An EndpointSlice of a Service of `shop`. */
export const slice = (service: string, addresses: readonly string[], serving = true) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: `${service}-x1`, namespace: 'shop', labels: { 'kubernetes.io/service-name': service } },
  addressType: 'IPv4',
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true, serving } })),
})

/** Proxies of the Gateway at all addresses of this machine: each serves what is in the Secret as soon as it is asked. */
export async function startProxies(t: TestContext, cluster: FakeCluster) {
  const polled = new EventEmitter()
  const proxies = {
    port: 0,
    polls: 0,
    unauthorized: 0,
    server: { state: 'ready', era: 'modern', tools: 3 } as Raw,
    addresses: [] as readonly string[],
    /** Gives the Gateway pods at these addresses and, as a load balancer would, an address of its own. */
    async rollOut(...addresses: readonly string[]) {
      proxies.addresses = addresses
      await cluster.until(() => cluster.get(servicePath) !== undefined)
      cluster.put({ ...cluster.get(servicePath), status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } })
      cluster.put(slice('front-peers', addresses))
    },
    /** As if its pods had just become ready, so that they are asked at once. */
    wake() {
      cluster.put(slice('front-peers', proxies.addresses, false))
      cluster.put(slice('front-peers', proxies.addresses))
    },
    /** Resolves when each has been asked four times, within two seconds: what the first answer brought has come round by then. */
    async asked() {
      proxies.wake()
      for (let poll = 0; poll < 4 * proxies.addresses.length; poll++) await once(polled, 'poll')
    },
  }
  const server = createServer((request, response) => {
    proxies.polls++
    polled.emit('poll')
    const token = Buffer.from(textAt(cluster.get(secretPath), 'data', 'admin.token') ?? '', 'base64').toString()
    if (request.headers.authorization !== `Bearer ${token}`) {
      proxies.unauthorized++
      return response.writeHead(401).end()
    }
    const source = { digest: digestOfDocument(documentIn(cluster)), version: '1.0.0', isLastGood: false }
    const servers = [{ backend: 'shop/tools', name: 'math', ...proxies.server }]
    return response.end(JSON.stringify({ version: '1.0.0', source, servers, agents: [] }))
  })
  server.listen(0)
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  proxies.port = (server.address() as AddressInfo).port
  return proxies
}

export const isProgrammed = (cluster: FakeCluster) =>
  conditionsIn(cluster.get(gatewayPath)?.['status']).includes('Programmed=True Programmed')
export const isReady = (cluster: FakeCluster) => conditionsIn(cluster.get(backendPath)?.['status']).includes('Ready=True ServersReady')
