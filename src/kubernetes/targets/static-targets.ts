import { type Finding, finding, type KubeObject, numberAt, textAt, unknownFields, valueAt } from '../objects/objects.ts'
import { isExternal, isOwnPod, type Lead, type Services } from '../services/services.ts'
import type { Candidate, TargetContext, TargetsReading } from './candidate.ts'
import { readEndpoints } from './endpoints.ts'

/** Reads the server of a static target: a host, or a Service of the backend's namespace, and a port. */
export function readStatic(given: unknown, { name, place, object, services, searched }: TargetContext): TargetsReading {
  const here = `${place}.static`
  const protocol = valueAt(given, 'protocol') ?? 'StreamableHTTP'
  const port = numberAt(given, 'port')
  const path = valueAt(given, 'path') ?? ''
  const { host, hostPlace, service, others = [], findings } = readHost(given, here, object, services, searched)
  const pods = host === undefined ? undefined : readEndpoints({ host, service, others, port, place: hostPlace }, services)
  const all = [
    ...unknownFields(given, ['host', 'backendRef', 'port', 'path', 'protocol', 'policies'], here, 'part'),
    ...(protocol === 'StreamableHTTP' ? [] : [protocolFinding(protocol, `${here}.protocol`)]),
    ...(port === undefined ? [finding('part', 'Invalid', `${here}.port is not a number: write the server's port`)] : []),
    ...(typeof path === 'string' ? [] : [finding('part', 'Invalid', `${here}.path is not a text: write a path that begins with /`)]),
    ...findings,
    ...(pods?.findings ?? []),
  ]
  if (host === undefined || all.some(({ costs }) => costs === 'part')) return { candidates: [], findings: all }
  const candidate: Candidate = {
    name,
    target: name,
    http: {
      host,
      port: service === undefined ? port : services.portOf(service, port),
      ...(path === '' ? {} : { path }),
      ...pods?.http,
    },
    service,
    others,
    policies: valueAt(given, 'policies'),
    isSelected: false,
    places: {
      whole: place,
      name: `${place}.name`,
      host: hostPlace,
      port: `${here}.port`,
      path: `${here}.path`,
      policies: `${here}.policies`,
    },
  }
  return { candidates: [candidate], findings: all }
}

interface HostReading {
  readonly host?: string
  readonly hostPlace: string
  readonly service?: string
  readonly others?: readonly string[]
  readonly findings: readonly Finding[]
}

function readHost(given: unknown, here: string, { metadata }: KubeObject, services: Services, searched: readonly string[]): HostReading {
  const host = textAt(given, 'host')
  const hostPlace = `${here}.host`
  const ref = valueAt(given, 'backendRef')
  if ((host === undefined) === (ref === undefined)) {
    return { hostPlace, findings: [finding('part', 'Invalid', `${here}: write exactly one of host and backendRef`)] }
  }
  const port = numberAt(given, 'port')
  if (host === undefined) return readBackendRef(ref, port, `${here}.backendRef`, metadata.namespace ?? '', services)
  return readNamed(host, port, hostPlace, services.behind(host, metadata.namespace ?? '', searched), metadata.namespace ?? '', services)
}

function readNamed(
  written: string,
  port: number | undefined,
  hostPlace: string,
  { host, service, others }: Lead,
  namespace: string,
  services: Services,
): HostReading {
  if (isOwnPod(written)) {
    const message = `${hostPlace}: ${written} is the proxy's own pod: write the name of the server's Service`
    return { hostPlace, findings: [finding('part', 'Invalid', message)] }
  }
  const external = [...(service === undefined ? [] : [service]), ...others].find((key) => {
    const found = services.find(key)
    return found !== undefined && isExternal(found)
  })
  if (external !== undefined) return { hostPlace, findings: [externalFinding(hostPlace, external)] }
  if (service !== undefined) return { host, hostPlace, service, findings: remarks(hostPlace, services.remarkOn(service, port)) }
  const isShort = /^[^.:]+$/.test(host) && services.remarkOn(`${namespace}/${host}`, undefined) !== undefined
  const remark = isShort ? `${host} is looked up in the namespace of each Gateway: write <service>.<namespace>.svc` : undefined
  return { host, hostPlace, others, findings: remarks(hostPlace, remark) }
}

function readBackendRef(ref: unknown, port: number | undefined, place: string, namespace: string, services: Services): HostReading {
  const hostPlace = `${place}.name`
  const name = textAt(ref, 'name')
  const unknown = unknownFields(ref, ['name'], place, 'part')
  if (unknown.length > 0) return { hostPlace, findings: unknown }
  if (name === undefined) return { hostPlace, findings: [finding('part', 'Invalid', `${hostPlace} is missing: name a Service`)] }
  const service = `${namespace}/${name}`
  const host = services.hostOf(service)
  const found = services.find(service)
  if (found === undefined) {
    const missing = finding('nothing', 'BackendNotFound', `${place}: there is no Service ${service}: create it, or name another`)
    return { host, hostPlace, service, findings: [missing] }
  }
  if (isExternal(found)) return { hostPlace, findings: [externalFinding(place, service)] }
  return { host, hostPlace, service, findings: remarks(place, services.remarkOn(service, port)) }
}

function remarks(place: string, remark: string | undefined): readonly Finding[] {
  return remark === undefined ? [] : [finding('nothing', 'Pending', `${place}: ${remark}`)]
}

/** The finding for a Service of type ExternalName. It is not followed, as the host that it stands for has passed no check. */
export function externalFinding(place: string, service: string): Finding {
  return finding('part', 'Unsupported', `${place}: Service ${service} is an ExternalName: write its host into a static target`)
}

/** The finding for a protocol other than Streamable HTTP. */
export function protocolFinding(protocol: unknown, place: string): Finding {
  return protocol === 'SSE'
    ? finding('part', 'Unsupported', `${place}: SSE is not supported yet: let the server offer Streamable HTTP`)
    : finding('part', 'Invalid', `${place} is not known: write StreamableHTTP`)
}
