import {
  byName,
  type DesiredStatus,
  type Fault,
  gatewayGroup,
  type KubeObject,
  listAt,
  managedBy,
  nameKey,
  namesFor,
  type ObjectRef,
  refKey,
  refOf,
  type Settings,
  textAt,
  unknownMembers,
  valueAt,
  type World,
} from '../objects/objects.ts'
import { type ClassView, readClasses } from './gateway-classes.ts'
import { overDefaults, readParameters } from './gateway-parameters.ts'
import type { GatewayView } from './gateway-view.ts'
import { readListeners } from './listeners.ts'

/** What a cluster's Gateways and GatewayClasses come to. */
export interface Gateways {
  /** The Gateways of our classes, sorted by name. */
  readonly gateways: readonly GatewayView[]
  /** GatewayClasses that are to be created. */
  readonly classes: readonly KubeObject[]
  readonly classStatuses: readonly DesiredStatus[]
  /** Gateways that have a class of another controller now, while objects that we provisioned for them still exist. */
  readonly abandoned: readonly ObjectRef[]
}

/** Reads the Gateways of our classes with their listeners, and what is to be done about the classes. */
export function readGateways(world: World, settings: Settings): Gateways {
  const { ours, foreign, missing, statuses } = readClasses(world, settings)
  const gateways = world.all(gatewayGroup, 'Gateway').flatMap((object) => {
    const ofClass = ours.get(classOf(object))
    return ofClass === undefined ? [] : [readGateway(object, ofClass, world)]
  })
  return {
    gateways: gateways.toSorted((one, other) => byName(one.object, other.object)),
    classes: missing,
    classStatuses: statuses,
    abandoned: abandonedGateways(world, settings, foreign),
  }
}

function classOf(gateway: KubeObject): string {
  return textAt(gateway, 'spec', 'gatewayClassName') ?? ''
}

function readGateway(object: KubeObject, ofClass: ClassView, world: World): GatewayView {
  const { listeners, faults } = readListeners(object, world)
  const ref = valueAt(object, 'spec', 'infrastructure', 'parametersRef')
  const own = readParameters(ref, 'spec.infrastructure.parametersRef', object.metadata.namespace ?? '', world)
  const closing = [...unknownFaults(object), ...faults]
  return {
    object,
    key: nameKey(refOf(object)),
    // A member that is not known may be meant to restrict something, so nothing is served.
    listeners: closing.length === 0 ? listeners : listeners.map((listener) => ({ ...listener, fragment: undefined })),
    parameters: overDefaults(own.parameters, ofClass.parameters),
    faults: [...ofClass.faults, ...own.faults, ...addressFaults(object), ...closing],
    remarks: remarksOn(object),
  }
}

/** Addresses can't be chosen. One without a value asks for any, which is fine (Gateway API, GatewaySpecAddress). */
function addressFaults(object: KubeObject): readonly Fault[] {
  return listAt(object, 'spec', 'addresses').flatMap((address, index) => {
    const value = valueAt(address, 'value') ?? ''
    if (value === '') return []
    const message = `spec.addresses[${index}].value: an address can't be chosen: leave it out, the Service's load balancer gives one`
    return [{ reason: 'UnsupportedAddress', message }]
  })
}

const knownMembers = [
  'gatewayClassName',
  'listeners',
  'addresses',
  'infrastructure',
  'allowedListeners',
  'tls',
  'backendTLS',
  'defaultScope',
]

function unknownFaults(object: KubeObject): readonly Fault[] {
  const spec = valueAt(object, 'spec')
  return [
    ...unknownMembers(spec, knownMembers).map((name) => `spec.${name}`),
    ...unknownMembers(valueAt(spec, 'infrastructure'), ['labels', 'annotations', 'parametersRef']).map(
      (name) => `spec.infrastructure.${name}`,
    ),
    ...unknownMembers(valueAt(spec, 'tls'), ['frontend', 'backend']).map((name) => `spec.tls.${name}`),
  ].map((place) => ({ reason: 'Invalid', message: `${place} is not known to this version of mcplex: leave it out` }))
}

function remarksOn(object: KubeObject): readonly Fault[] {
  const remark = (place: string, instead: string): Fault => ({
    reason: 'UnsupportedValue',
    message: `${place} has no effect yet: ${instead}`,
  })
  const spec = valueAt(object, 'spec')
  const sets = valueAt(spec, 'allowedListeners', 'namespaces', 'from') ?? 'None'
  const scope = valueAt(spec, 'defaultScope') ?? 'None'
  const ownCertificate = 'give the backend its certificate by an AgentgatewayPolicy'
  return [
    ...(sets === 'None' ? [] : [remark('spec.allowedListeners', 'write the listeners into the Gateway')]),
    ...(scope === 'None' ? [] : [remark('spec.defaultScope', 'name the Gateway in the parentRefs of each route')]),
    ...(valueAt(spec, 'tls', 'backend') === undefined ? [] : [remark('spec.tls.backend', ownCertificate)]),
    ...(valueAt(spec, 'backendTLS') === undefined ? [] : [remark('spec.backendTLS', ownCertificate)]),
  ]
}

/**
 * They are recognized by the Services that we made for them. A Gateway whose class does not exist was not given to another controller, so
 * what serves it stays. Where the Gateway itself was deleted, the cluster's garbage collection removes what it owned.
 */
function abandonedGateways(world: World, settings: Settings, foreign: ReadonlySet<string>): readonly ObjectRef[] {
  const found = world.all('', 'Service').flatMap(({ metadata }) => {
    const { labels, ownerReferences = [], namespace = '', name } = metadata
    if (labels?.['app.kubernetes.io/managed-by'] !== managedBy(settings)) return []
    if (labels[`${gatewayGroup}/gateway-name`] === undefined) return []
    return ownerReferences.flatMap(({ apiVersion, kind, name: owner, uid, controller }) => {
      if (controller !== true || namesFor(owner).workload !== name) return []
      const ref: ObjectRef = { group: gatewayGroup, kind: 'Gateway', namespace, name: owner }
      if (kind !== 'Gateway' || !apiVersion.startsWith(`${gatewayGroup}/`)) return []
      const gateway = world.find(ref)
      return gateway?.metadata.uid === uid && foreign.has(classOf(gateway)) ? [ref] : []
    })
  })
  return [...new Map(found.map((ref) => [refKey(ref), ref])).values()].toSorted((one, other) => (refKey(one) < refKey(other) ? -1 : 1))
}
