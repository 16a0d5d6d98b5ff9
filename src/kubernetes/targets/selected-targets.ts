import {
  type Finding,
  finding,
  isRaw,
  isSelected,
  type KubeObject,
  selectorFault,
  unknownFields,
  valueAt,
  type World,
} from '../objects/objects.ts'
import { isExternal, type OfferedPort } from '../services/services.ts'
import type { Candidate, TargetContext, TargetsReading } from './candidate.ts'
import { readEndpoints } from './endpoints.ts'
import { externalFinding, protocolFinding } from './static-targets.ts'

const nameAnnotation = 'agentgateway.dev/mcp-target-name'
const pathAnnotations = ['agentgateway.dev/mcp-path', 'kgateway.dev/mcp-path'] as const
const namespaceKeys = ['namespace', 'namespaces'] as const
const serviceKeys = ['service', 'services'] as const

/**
 * The servers of a target with a selector: one for each port for MCP of each Service that it selects, those of the backend's own namespace
 * first, then by namespace and name. Without a selector of namespaces only the backend's own namespace counts.
 */
export function readSelector(selector: unknown, context: TargetContext): TargetsReading {
  const { place, object, services, world, room } = context
  const here = `${place}.selector`
  const faults = faultsOf(selector, here)
  if (faults.length > 0) return { candidates: [], findings: faults }
  const [ofNamespace, ofService] = [valuesAt(selector, namespaceKeys), valuesAt(selector, serviceKeys)]
  const takes = ({ metadata: { namespace = '', labels } }: KubeObject): boolean => {
    const isNear = ofNamespace.length === 0 ? namespace === object.metadata.namespace : true
    return isNear && ofService.every((one) => isSelected(one, labels)) && ofNamespace.every((one) => isTaken(namespace, one, world))
  }
  const selected = [...services.offered].filter(([service]) => takes(service))
  const isOwn = ([{ metadata }]: (typeof selected)[number]): boolean => metadata.namespace === object.metadata.namespace
  // Where tools of several servers have one name, the first server keeps it: none of another namespace may come before the backend's own.
  const ports = [...selected.filter(isOwn), ...selected.filter((one) => !isOwn(one))].flatMap(([, offered]) => offered)
  const taken = ports.slice(0, room)
  const readings = taken.map((offered) => readOffered(offered, here, context))
  if (ports.length > taken.length) {
    const message = `${here}: ${ports.length - taken.length} servers are more than a backend may have: select fewer, or move some to another`
    readings.push({ candidates: [], findings: [finding('part', 'Invalid', message)] })
  }
  if (readings.length === 0) {
    const wanted = 'the appProtocol agentgateway.dev/mcp or kgateway.dev/mcp'
    const message = `${here} selects no Service port with ${wanted}: give it to a port of a Service with these labels, or select others`
    return { candidates: [], findings: [finding('nothing', 'Pending', message)] }
  }
  return {
    candidates: readings.flatMap(({ candidates }) => candidates),
    findings: readings.flatMap(({ findings }) => findings),
    ports: taken.length,
  }
}

function readOffered(offered: OfferedPort, here: string, { name, services }: TargetContext): TargetsReading {
  const { service, key, port, portName, protocol } = offered
  const whole = `${here} (Service ${key}, port ${portName ?? port})`
  const findings: Finding[] = []
  if (protocol === 'SSE') findings.push(protocolFinding(protocol, `${whole}: its appProtocol`))
  if (isExternal(service)) findings.push(externalFinding(here, key))
  if (findings.length > 0) return { candidates: [], findings }
  const remark = services.remarkOn(key, port)
  if (remark !== undefined) findings.push(finding('nothing', 'Pending', `${here}: ${remark}`))
  const host = services.hostOf(key)
  const pods = readEndpoints({ host, service: key, others: [], port, place: here }, services)
  findings.push(...pods.findings)
  if (findings.some(({ costs }) => costs === 'part')) return { candidates: [], findings }
  const { annotations = {} } = service.metadata
  const pathAnnotation = pathAnnotations.find((one) => Object.hasOwn(annotations, one) && annotations[one] !== '')
  const path = pathAnnotation === undefined ? undefined : annotations[pathAnnotation]
  const annotated = Object.hasOwn(annotations, nameAnnotation) ? annotations[nameAnnotation] : undefined
  const candidate: Candidate = {
    name: annotated || `${service.metadata.name}-${portName ?? port}`,
    target: name,
    http: { host, port: services.portOf(key, port), ...(path === undefined ? {} : { path }), ...pods.http },
    service: key,
    others: [],
    policies: undefined,
    isSelected: true,
    places: {
      whole,
      name: annotated ? `Service ${key}, annotation ${nameAnnotation}` : whole,
      host: whole,
      port: whole,
      path: `Service ${key}, annotation ${pathAnnotation}`,
      policies: whole,
    },
  }
  return { candidates: [candidate], findings }
}

function faultsOf(selector: unknown, here: string): readonly Finding[] {
  if (!isRaw(selector)) return [finding('part', 'Invalid', `${here} is not an object: write services, namespaces or both`)]
  const keys = [...namespaceKeys, ...serviceKeys]
  return [
    ...unknownFields(selector, keys, here, 'part'),
    ...keys.flatMap((key) => {
      const one = valueAt(selector, key)
      const fault = one === undefined ? undefined : selectorFault(one)
      return fault === undefined ? [] : [finding('part', 'Invalid', `${here}.${key}${fault}: correct it`)]
    }),
  ]
}

/** The selectors under both spellings of a field; where both are written, both must match. */
function valuesAt(selector: unknown, keys: readonly string[]): readonly unknown[] {
  return keys.map((key) => valueAt(selector, key)).filter((one) => one !== undefined)
}

/** Whether a selector of namespaces selects this one, whose name is among its labels. A Namespace that is not known is not selected. */
function isTaken(name: string, selector: unknown, world: World): boolean {
  const object = world.find({ group: '', kind: 'Namespace', namespace: '', name })
  return object !== undefined && isSelected(selector, { ...object.metadata.labels, 'kubernetes.io/metadata.name': name })
}
