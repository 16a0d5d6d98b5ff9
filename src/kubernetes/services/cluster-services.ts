import { formatAddress } from '../../config/config.ts'
import {
  byName,
  type KubeObject,
  listAt,
  nameKey,
  numberAt,
  type ObjectRef,
  refOf,
  textAt,
  valueAt,
  type World,
} from '../objects/objects.ts'
import { plainHost } from './plain-host.ts'
import { isPort, isTcp, readServicePods, type ServicePods } from './service-pods.ts'

/** The cluster's Services, as servers stand behind them. Keys are `ns/name`. */
export interface Services {
  find(key: string): KubeObject | undefined
  /**
   * Where a host leads that a backend of this namespace names.
   * @param searched namespaces of the Gateways from which the backend is reached
   */
  behind(host: string, namespace: string, searched: readonly string[]): Lead
  /** In DNS. */
  hostOf(key: string): string
  /** The number to connect to for a port of the Service: a headless one has no address of its own that would translate it. */
  portOf(key: string, port: number | undefined): number | undefined
  /** What keeps a port of it from being reached, with the remedy; undefined where nothing is known of it. */
  remarkOn(key: string, port: number | undefined): string | undefined
  /**
   * The ready pods that a host leads to which is a Service's own name or cluster IP, as `ip:port`, sorted: those of the Service's first IP
   * family where there are some. None for another host, such as the name of one pod or the address of a load balancer.
   */
  endpointsBehind(host: string, key: string, port: number | undefined): readonly string[]
  /** An address that its EndpointSlices list though no pod has it. */
  strayOf(key: string): string | undefined
  /** Those whose EndpointSlices have been looked at. */
  readonly looked: ReadonlySet<string>
  /** Of each Service that has some, by namespace and name: the ports that say by their appProtocol that MCP is spoken there. */
  readonly offered: ReadonlyMap<KubeObject, readonly OfferedPort[]>
}

export interface Lead {
  /** As a document has it: in full where it was short for a Service, as a Gateway of another namespace would complete it otherwise. */
  readonly host: string
  /** The Service that it leads to, or to a pod of it, by name or by address. */
  readonly service: string | undefined
  /** Services that it may lead to instead: short names depend on the Gateway's namespace, and several Services can share an address. */
  readonly others: readonly string[]
}

export interface OfferedPort {
  readonly service: KubeObject
  readonly key: string
  readonly port: number
  readonly portName: string | undefined
  readonly protocol: 'StreamableHTTP' | 'SSE'
}

const protocols: Readonly<Record<string, OfferedPort['protocol']>> = {
  'agentgateway.dev/mcp': 'StreamableHTTP',
  'agentgateway.dev/mcp-sse': 'SSE',
  'kgateway.dev/mcp': 'StreamableHTTP',
  'kgateway.dev/mcp-sse': 'SSE',
}

/** Where a world has no Services or EndpointSlices at all, as files may, nothing is said of those that are missing. */
export function createServices(world: World, clusterDomain: string): Services {
  const all = [...world.all('', 'Service')].sort(byName)
  const byKey = new Map(all.map((service) => [nameKey(refOf(service)), service]))
  const slices = world.all('discovery.k8s.io', 'EndpointSlice')
  const slicesOf = Map.groupBy(slices, serviceOf)
  const pods = new Map<string, ServicePods>()
  const podsOf = (key: string): ServicePods => {
    const known = pods.get(key) ?? readServicePods(slicesOf.get(key) ?? [])
    pods.set(key, known)
    return known
  }
  const domain = clusterDomain.toLowerCase()
  const byAddress = Map.groupBy(
    all.flatMap((service) => addressesOf(service).map((address) => ({ address, key: nameKey(refOf(service)) }))),
    ({ address }) => address,
  )

  const find = (key: string): KubeObject | undefined => byKey.get(key)
  const behind: Services['behind'] = (written, namespace, searched) => {
    const name = plainHost(written)
    const atAddress = byAddress.get(name)?.map(({ key }) => key) ?? []
    const named = atAddress.length === 1 ? atAddress[0] : keyIn(name, domain)
    if (named !== undefined) return { host: written, service: named, others: [] }
    if (atAddress.length > 0 || written.endsWith('.')) return { host: written, service: undefined, others: atAddress }
    // Pods complete a name by their search list: with nothing but the domain, and with the namespace that they run in.
    const near = [`${name}.svc.${domain}`, `${name}.${namespace}.svc.${domain}`]
    const far = searched.map((one) => `${name}.${one}.svc.${domain}`)
    const leads = [...near, ...far].flatMap((host) => {
      const key = keyIn(host, domain)
      // Where files hold no Services at all, each of these may be there.
      return key !== undefined && (all.length === 0 || byKey.has(key)) ? [{ host, key }] : []
    })
    // A name of a pod may as well be one of a host outside.
    const found = leads.find(({ host, key }) => byKey.has(key) && near.includes(host) && host === hostOf(key).toLowerCase())
    if (found !== undefined) return { host: hostOf(found.key), service: found.key, others: [] }
    return { host: written, service: undefined, others: [...new Set(leads.map(({ key }) => key))] }
  }
  // What else leads to a Service, such as external addresses, others can write into Services of theirs.
  const isItsOwn = (name: string, key: string, service: KubeObject): boolean =>
    (labelsIn(name, domain).length === 2 && keyIn(name, domain) === key) || clusterAddressesOf(service).includes(name)
  const hostOf = (key: string): string => {
    const [namespace, name] = key.split('/')
    return `${name}.${namespace}.svc.${clusterDomain}`
  }

  return {
    find,
    behind,
    hostOf,
    portOf: (key, port) => {
      const service = find(key)
      return (service !== undefined && isHeadless(service) ? numberAt(portNumbered(service, port), 'targetPort') : undefined) ?? port
    },
    remarkOn: (key, port) => {
      const service = find(key)
      if (service === undefined) return all.length === 0 ? undefined : `there is no Service ${key}: create it, or name another`
      if (isExternal(service)) return undefined
      if (port !== undefined && !isHeadless(service) && portNumbered(service, port) === undefined) {
        const known = portsOf(service).flatMap((one) => numberAt(one, 'port') ?? [])
        return `Service ${key} has no port ${port}: name one that it has (${known.join(', ') || 'none'})`
      }
      return slices.length === 0 || podsOf(key).isReady ? undefined : `no pod of Service ${key} is ready: look at its selector and its pods`
    },
    endpointsBehind: (host, key, port) => {
      const service = find(key)
      if (service === undefined || port === undefined || !isItsOwn(plainHost(host), key, service)) return []
      const entry = portNumbered(service, port)
      if (entry === undefined && !(isHeadless(service) && isPort(port))) return []
      const name = textAt(entry, 'name')
      const found = podsOf(key).ready.flatMap(({ family, address, ports }) => {
        // A headless Service leads to any port of its pods.
        const numbers = entry === undefined ? [port] : ports.flatMap((one) => (one.name === name ? [one.port] : []))
        return numbers.map((number) => ({ family, text: formatAddress({ host: address, port: number }) }))
      })
      const preferred = listAt(service, 'spec', 'ipFamilies')[0] ?? 'IPv4'
      const first = found.filter(({ family }) => family === preferred)
      return [...new Set((first.length > 0 ? first : found).map(({ text }) => text))].sort()
    },
    strayOf: (key) => podsOf(key).stray,
    get looked() {
      return new Set(pods.keys())
    },
    offered: new Map(
      all.flatMap((service) => {
        const ports = offeredBy(service)
        return ports.length === 0 ? [] : [[service, ports] as const]
      }),
    ),
  }
}

/** The Service that a name in the cluster's domain, or one that ends with `svc`, leads to, or to a pod of it. */
function keyIn(name: string, domain: string): string | undefined {
  const labels = labelsIn(name, domain)
  return labels.length === 2 || labels.length === 3 ? `${labels.at(-1)}/${labels.at(-2)}` : undefined
}

/** What stands before `svc` in such a name; nothing in another. */
function labelsIn(name: string, domain: string): readonly string[] {
  const parts = domain.split('.')
  // With a part of the domain too: the search list of a node may hold the rest.
  const suffixes = parts.map((_, index) => `.svc.${parts.slice(0, index + 1).join('.')}`)
  const suffix = ['.svc', ...suffixes].find((one) => name.endsWith(one))
  return suffix === undefined ? [] : name.slice(0, -suffix.length).split('.')
}

/** What leads to a Service beside its name, such as its cluster IPs. */
function addressesOf(service: KubeObject): readonly string[] {
  const ingress = listAt(service, 'status', 'loadBalancer', 'ingress')
  const others = [...listAt(service, 'spec', 'externalIPs'), ...ingress.flatMap((one) => [valueAt(one, 'ip'), valueAt(one, 'hostname')])]
  return [...new Set([...clusterAddressesOf(service), ...others.flatMap(addressIn)])]
}

function clusterAddressesOf(service: KubeObject): readonly string[] {
  return [valueAt(service, 'spec', 'clusterIP'), ...listAt(service, 'spec', 'clusterIPs')].flatMap(addressIn)
}

function addressIn(value: unknown): readonly string[] {
  return typeof value === 'string' && value !== '' && value !== 'None' ? [plainHost(value)] : []
}

/** @param key `ns/name` */
export function serviceRef(key: string): ObjectRef {
  const slash = key.indexOf('/')
  return { group: '', kind: 'Service', namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** Whether a Service is only another name for a host outside, which nothing here has looked at. */
export function isExternal(service: KubeObject): boolean {
  return textAt(service, 'spec', 'type') === 'ExternalName'
}

function isHeadless(service: KubeObject): boolean {
  return textAt(service, 'spec', 'clusterIP') === 'None'
}

function offeredBy(service: KubeObject): readonly OfferedPort[] {
  return listAt(service, 'spec', 'ports').flatMap((entry) => {
    const appProtocol = textAt(entry, 'appProtocol') ?? ''
    const protocol = Object.hasOwn(protocols, appProtocol) ? protocols[appProtocol] : undefined
    const port = numberAt(entry, 'port')
    if (protocol === undefined || port === undefined) return []
    return [{ service, key: nameKey(refOf(service)), port, portName: textAt(entry, 'name'), protocol }]
  })
}

/** Those that HTTP can be spoken to. */
function portsOf(service: KubeObject): readonly unknown[] {
  return listAt(service, 'spec', 'ports').filter(isTcp)
}

function portNumbered(service: KubeObject, port: number | undefined): unknown {
  return portsOf(service).find((one) => valueAt(one, 'port') === port)
}

/** The Service that an EndpointSlice belongs to, as `ns/name`. */
export function serviceOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.labels?.['kubernetes.io/service-name'] ?? ''}`
}
