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

/** The cluster's Services, and the pods behind them. Keys are `ns/name`. */
export interface Services {
  find(key: string): KubeObject | undefined
  /**
   * To which Service a host leads that a backend of this namespace names.
   * @param searched the namespaces of the Gateways that lead to the backend: their pods look up short names in their own namespace
   */
  behind(host: string, namespace: string, searched: readonly string[]): Lead
  /** The DNS name of a Service. */
  hostOf(key: string): string
  /**
   * The port number to connect to for a port of a Service. That of a headless Service is the pods' `targetPort`, as no cluster IP
   * translates it.
   */
  portOf(key: string, port: number | undefined): number | undefined
  /** Why a port of a Service can't be reached, with the remedy; undefined where nothing speaks against it. */
  remarkOn(key: string, port: number | undefined): string | undefined
  /**
   * The ready pods behind a host that is a Service's DNS name or cluster IP, as sorted `ip:port`: those of the Service's first IP family,
   * or where it has none of that family, of the other. None for any other host, such as the name of one pod or a load balancer's address.
   */
  endpointsBehind(host: string, key: string, port: number | undefined): readonly string[]
  /** An address in a Service's EndpointSlices that can't be a pod's. */
  strayOf(key: string): string | undefined
  /** The Services whose EndpointSlices were read so far. */
  readonly looked: ReadonlySet<string>
  /**
   * By Service, sorted by namespace and name: its ports whose appProtocol says that they speak MCP. Services without such ports are left
   * out.
   */
  readonly offered: ReadonlyMap<KubeObject, readonly OfferedPort[]>
}

/** Where a host leads. */
export interface Lead {
  /**
   * The host as the document has it. A short name of a Service is written in full, as pods of another namespace would complete it
   * differently.
   */
  readonly host: string
  /** The Service that it leads to, by name or by address, directly or to one of its pods. */
  readonly service: string | undefined
  /**
   * Services that it may lead to where that is not certain: short names depend on the Gateway's namespace, and Services can share an
   * address.
   */
  readonly others: readonly string[]
}

/** A port of a Service that speaks MCP by its appProtocol. */
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

/** Where there are no Services or EndpointSlices at all, as in files, none counts as missing. */
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
    // A pod's DNS search list completes a name by the cluster's domain, and by that and the namespace that the pod runs in.
    const near = [`${name}.svc.${domain}`, `${name}.${namespace}.svc.${domain}`]
    const far = searched.map((one) => `${name}.${one}.svc.${domain}`)
    const leads = [...near, ...far].flatMap((host) => {
      const key = keyIn(host, domain)
      // Where files have no Services at all, any of these may exist.
      return key !== undefined && (all.length === 0 || byKey.has(key)) ? [{ host, key }] : []
    })
    // Only names of Services themselves are certain: a name such as `pod.service.namespace` may be a host outside the cluster as well.
    const found = leads.find(({ host, key }) => byKey.has(key) && near.includes(host) && host === hostOf(key).toLowerCase())
    if (found !== undefined) return { host: hostOf(found.key), service: found.key, others: [] }
    return { host: written, service: undefined, others: [...new Set(leads.map(({ key }) => key))] }
  }
  // Only the DNS name and cluster IPs: other addresses, such as external IPs, can be written into anybody's Service.
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

/** The Service of a DNS name in the cluster's domain, or of one that ends with `.svc`; also where the name is that of one of its pods. */
function keyIn(name: string, domain: string): string | undefined {
  const labels = labelsIn(name, domain)
  return labels.length === 2 || labels.length === 3 ? `${labels.at(-1)}/${labels.at(-2)}` : undefined
}

/** The labels before `svc` in such a name; none in any other name. */
function labelsIn(name: string, domain: string): readonly string[] {
  const parts = domain.split('.')
  // Also with a part of the domain only, as the node's own search list may complete it.
  const suffixes = parts.map((_, index) => `.svc.${parts.slice(0, index + 1).join('.')}`)
  const suffix = ['.svc', ...suffixes].find((one) => name.endsWith(one))
  return suffix === undefined ? [] : name.slice(0, -suffix.length).split('.')
}

/** All addresses that lead to a Service: cluster IPs, external IPs and those of its load balancer. */
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

/** The reference to a Service, by its `ns/name`. */
export function serviceRef(key: string): ObjectRef {
  const slash = key.indexOf('/')
  return { group: '', kind: 'Service', namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** Whether a Service is only a DNS alias for a host outside the cluster. */
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

/** The ports of a Service that use TCP. */
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
