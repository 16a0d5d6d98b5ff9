import type { KubeObject } from './model.ts'
import { listAt, numberAt, textAt, valueAt } from './raw.ts'
import { byName, nameKey, refOf, type World } from './world.ts'

/** The cluster's Services, as servers stand behind them. Keys are `ns/name`. */
export interface Services {
  find(key: string): KubeObject | undefined
  /** The Service that a host leads to, or to a pod of it; undefined where the host is of another form. */
  behind(host: string): string | undefined
  /** In DNS. */
  hostOf(key: string): string
  /** The number to connect to for a port of the Service: a headless one has no address of its own that would translate it. */
  portOf(key: string, port: number | undefined): number | undefined
  /** What keeps a port of it from being reached, with the remedy; undefined where nothing is known of it. */
  remarkOn(key: string, port: number | undefined): string | undefined
  /** Ports that say by their appProtocol that MCP is spoken there: by namespace, name, and as the Service has them. */
  readonly offered: readonly OfferedPort[]
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
  const ready = new Set(slices.filter(isReady).map(serviceOf))
  const suffixes = ['.svc', `.svc.${clusterDomain.toLowerCase()}`]

  const find = (key: string): KubeObject | undefined => byKey.get(key)
  return {
    find,
    behind: (host) => {
      const name = host.toLowerCase().replace(/\.$/, '')
      const suffix = suffixes.find((one) => name.endsWith(one))
      const labels = (suffix === undefined ? name : name.slice(0, -suffix.length)).split('.')
      const key = `${labels.at(-1)}/${labels.at(-2)}`
      // Pods complete `name.namespace` by their search list, so it leads to a Service where there is one.
      if (suffix === undefined) return labels.length === 2 && byKey.has(key) ? key : undefined
      return labels.length === 2 || labels.length === 3 ? key : undefined
    },
    hostOf: (key) => {
      const [namespace, name] = key.split('/')
      return `${name}.${namespace}.svc.${clusterDomain}`
    },
    portOf: (key, port) => {
      const service = find(key)
      return (service !== undefined && isHeadless(service) ? numberAt(portNumbered(service, port), 'targetPort') : undefined) ?? port
    },
    remarkOn: (key, port) => {
      const service = find(key)
      if (service === undefined) return all.length === 0 ? undefined : `there is no Service ${key}: create it, or name another`
      if (isExternal(service)) return undefined
      if (port !== undefined && !isHeadless(service) && portNumbered(service, port) === undefined) {
        const known = listAt(service, 'spec', 'ports').flatMap((one) => numberAt(one, 'port') ?? [])
        return `Service ${key} has no port ${port}: name one that it has (${known.join(', ') || 'none'})`
      }
      return slices.length === 0 || ready.has(key) ? undefined : `no pod of Service ${key} is ready: look at its selector and its pods`
    },
    offered: all.flatMap(offeredBy),
  }
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

function portNumbered(service: KubeObject | undefined, port: number | undefined): unknown {
  return listAt(service, 'spec', 'ports').find((one) => valueAt(one, 'port') === port)
}

function isReady(slice: KubeObject): boolean {
  return listAt(slice, 'endpoints').some((endpoint) => valueAt(endpoint, 'conditions', 'ready') !== false)
}

function serviceOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.labels?.['kubernetes.io/service-name'] ?? ''}`
}
