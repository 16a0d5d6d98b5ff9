import { areIntersecting, type GatewayView, type ListenerView } from '../gateways/gateways.ts'
import {
  type Fault,
  gatewayGroup,
  isRaw,
  type KubeObject,
  listAt,
  nameKey,
  type Raw,
  refOf,
  shallow,
  textAt,
  titleOf,
  unknownMembers,
  valueAt,
} from '../objects/objects.ts'
import type { RouteContent } from './route-rules.ts'
import type { ParentView } from './route-view.ts'

/** A parentRef, and the Gateway of ours that it names. */
export interface OwnParent {
  /** Such as `spec.parentRefs[0]`. */
  readonly place: string
  readonly parentRef: Raw
  readonly gateway: GatewayView
}

/** The parentRefs of a route that name a Gateway of ours (Gateway API, ParentReference). */
export function ownParents(route: KubeObject, gateways: ReadonlyMap<string, GatewayView>): readonly OwnParent[] {
  return listAt(route, 'spec', 'parentRefs').flatMap((parentRef, index) => {
    const isGateway =
      (valueAt(parentRef, 'group') ?? gatewayGroup) === gatewayGroup && (valueAt(parentRef, 'kind') ?? 'Gateway') === 'Gateway'
    const namespace = valueAt(parentRef, 'namespace') ?? route.metadata.namespace ?? ''
    const name = textAt(parentRef, 'name')
    if (!isRaw(parentRef) || !isGateway || name === undefined || typeof namespace !== 'string') return []
    const gateway = gateways.get(nameKey({ namespace, name }))
    return gateway === undefined ? [] : [{ place: `spec.parentRefs[${index}]`, parentRef, gateway }]
  })
}

/** Determines to which listeners of a parent a route attaches, or why to none (Gateway API, CommonRouteSpec.parentRefs). */
export function attach({ place, parentRef, gateway }: OwnParent, route: KubeObject, content: RouteContent): ParentView {
  const found = attachment(parentRef, gateway, route, content)
  const faults = [...found.faults, ...unknownFaults(parentRef, place), ...content.faults]
  const listeners = faults.length === 0 ? found.listeners : []
  return {
    parentRef,
    gateway,
    listeners: listeners.map((listener) => listener.name),
    hostnames: content.hostnames.filter((name) => listeners.some((listener) => areIntersecting(listener.hostname, name))),
    faults,
  }
}

function unknownFaults(parentRef: Raw, place: string): readonly Fault[] {
  return unknownMembers(parentRef, ['group', 'kind', 'namespace', 'name', 'sectionName', 'port']).map((name) => ({
    reason: 'UnsupportedValue',
    message: `${place}.${name} is not known to this version of mcplex: leave it out`,
  }))
}

function attachment(
  parentRef: Raw,
  gateway: GatewayView,
  route: KubeObject,
  { hostnames }: RouteContent,
): { readonly listeners: readonly ListenerView[]; readonly faults: readonly Fault[] } {
  const title = titleOf(refOf(gateway.object))
  const fault = (reason: string, message: string) => ({ listeners: [], faults: [{ reason, message }] })
  const named = gateway.listeners.filter((listener) => isNamed(listener, parentRef))
  if (named.length === 0) {
    const known = gateway.listeners.map(({ name, port }) => `${name} (port ${port})`).join(', ') || 'none'
    return fault('NoMatchingParent', `${title} has no listener${wantedBy(parentRef)}; its listeners: ${known}`)
  }
  const refusals = named.map((listener) => listener.refusal(route.metadata.namespace ?? ''))
  const open = named.filter((listener, index) => listener.isAcceptingRoutes && refusals[index] === undefined)
  if (open.length === 0) return { listeners: [], faults: refusals.filter((refusal) => refusal !== undefined) }
  const listeners = open.filter((listener) => hostnames.length === 0 || hostnames.some((name) => areIntersecting(listener.hostname, name)))
  if (listeners.length > 0) return { listeners, faults: [] }
  const known = open.map(({ name, hostname }) => `${name} has ${hostname}`).join(', ')
  return fault(
    'NoMatchingListenerHostname',
    `no listener of ${title} has a hostname in common with ${hostnames.join(', ')} (${known}): change spec.hostnames`,
  )
}

/**
 * Whether a parentRef means this listener. Where it has both sectionName and port, both must match; an empty sectionName counts as absent.
 */
function isNamed(listener: ListenerView, parentRef: Raw): boolean {
  const sectionName = valueAt(parentRef, 'sectionName') ?? ''
  const port = valueAt(parentRef, 'port')
  return (sectionName === '' || sectionName === listener.name) && (port === undefined || port === listener.port)
}

/** What listener a parentRef asks for, as the end of a sentence; empty where it takes any. */
function wantedBy(parentRef: Raw): string {
  const wanted = (['sectionName', 'port'] as const).flatMap((name) => {
    const value = valueAt(parentRef, name) ?? ''
    return value === '' ? [] : [`${name} ${JSON.stringify(shallow(value))}`]
  })
  return wanted.length === 0 ? '' : ` with ${wanted.join(' and ')}`
}
