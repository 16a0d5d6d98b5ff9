import {
  type Fault,
  gatewayGroup,
  isSelected,
  type KubeObject,
  type Raw,
  rawAt,
  refOf,
  selectorFault,
  textAt,
  titleOf,
  unknownMembers,
  valueAt,
  type World,
} from '../objects/objects.ts'
import type { ListenerView } from './gateway-view.ts'
import type { WrittenListener } from './written-listener.ts'

/** Which routes a listener takes. */
export interface AllowedRoutes extends Pick<ListenerView, 'refusal' | 'supportedKinds'> {
  /** What is wrong with `allowedRoutes`, for the listener's condition Accepted: then no route may attach. */
  readonly faults: readonly Fault[]
  /** Kinds of routes that are not served, for its condition ResolvedRefs. */
  readonly kindFaults: readonly Fault[]
}

/** Reads which routes may attach to a listener (Gateway API, AllowedRoutes). */
export function readAllowedRoutes(listener: WrittenListener, gateway: KubeObject, world: World): AllowedRoutes {
  const here = `${listener.place}.allowedRoutes`
  const allowed = rawAt(listener.raw, 'allowedRoutes')
  const { supportedKinds, kindFaults } = readKinds(listener, valueAt(allowed, 'kinds'), `${here}.kinds`)
  const namespaces = rawAt(allowed, 'namespaces')
  const from = valueAt(namespaces, 'from') ?? 'Same'
  const selector = valueAt(namespaces, 'selector')
  const title = `listener ${listener.name} of ${titleOf(refOf(gateway))}`
  const refuse = (why: string): Fault => ({ reason: 'NotAllowedByListeners', message: `${title} ${why}` })
  const faults = [...shapeFaults(listener.raw, here), ...fromFaults(from, selector, `${here}.namespaces`)]
  return {
    supportedKinds,
    kindFaults,
    faults,
    refusal(namespace) {
      if (supportedKinds.length === 0) return refuse('takes no HTTPRoutes: change its protocol or allowedRoutes.kinds')
      if (faults.length > 0) return refuse('has allowedRoutes that are not valid, and so takes no route: see its status')
      if (from === 'All' || (from === 'Same' && namespace === gateway.metadata.namespace)) return undefined
      if (from === 'Selector' && isTaken(namespace, selector, world)) return undefined
      return refuse(`takes no routes of ${namespace} (allowedRoutes.namespaces.from is ${from}): change that, or move the route`)
    },
  }
}

function readKinds(
  { protocol }: WrittenListener,
  written: unknown,
  place: string,
): { readonly supportedKinds: readonly Raw[]; readonly kindFaults: readonly Fault[] } {
  const usual = protocol === 'HTTP' || protocol === 'HTTPS' ? [{ group: gatewayGroup, kind: 'HTTPRoute' }] : []
  if (written === undefined) return { supportedKinds: usual, kindFaults: [] }
  const wrong = (at: string, text: string): Fault => ({ reason: 'InvalidRouteKinds', message: `${at} ${text}` })
  if (!Array.isArray(written)) return { supportedKinds: [], kindFaults: [wrong(place, 'is not a list')] }
  if (written.length === 0) return { supportedKinds: usual, kindFaults: [] }
  const isServed = (entry: unknown): boolean =>
    usual.length > 0 && (valueAt(entry, 'group') ?? gatewayGroup) === gatewayGroup && textAt(entry, 'kind') === 'HTTPRoute'
  return {
    supportedKinds: written.some(isServed) ? usual : [],
    kindFaults: written.flatMap((entry, index) =>
      isServed(entry)
        ? []
        : [
            wrong(
              `${place}[${index}]`,
              `(${textAt(entry, 'kind') ?? 'no kind'}) is not served on ${protocol || 'this protocol'}: leave it out${usual.length > 0 ? ', or write HTTPRoute' : ''}`,
            ),
          ],
    ),
  }
}

/** Values of a wrong type and unknown members: if they counted as absent, more routes would be allowed than is meant. */
function shapeFaults(raw: Raw, here: string): readonly Fault[] {
  const allowed = valueAt(raw, 'allowedRoutes')
  const namespaces = valueAt(allowed, 'namespaces')
  const isObject = (value: unknown): boolean => value === undefined || (typeof value === 'object' && !Array.isArray(value))
  const unknown = [
    ...unknownMembers(allowed, ['namespaces', 'kinds']).map((name) => `${here}.${name}`),
    ...unknownMembers(namespaces, ['from', 'selector']).map((name) => `${here}.namespaces.${name}`),
  ]
  return [
    ...(isObject(allowed) ? [] : [{ reason: 'Invalid', message: `${here} is not an object` }]),
    ...(isObject(namespaces) ? [] : [{ reason: 'Invalid', message: `${here}.namespaces is not an object` }]),
    ...unknown.map((place) => ({
      reason: 'UnsupportedValue',
      message: `${place} is not known to this version of mcplex: leave it out`,
    })),
  ]
}

function fromFaults(from: unknown, selector: unknown, place: string): readonly Fault[] {
  if (from === 'Selector') {
    const fault = selectorFault(selector)
    return fault === undefined ? [] : [{ reason: 'Invalid', message: `${place}.selector${fault}: no namespace is taken until it is` }]
  }
  if (from === 'Same' || from === 'All' || from === 'None') return []
  return [{ reason: 'UnsupportedValue', message: `${place}.from is not one of All, Same, Selector, None` }]
}

/** Whether a selector of namespaces selects this one, whose name is among its labels. A Namespace that is not known is not selected. */
function isTaken(namespace: string, selector: unknown, world: World): boolean {
  const object = world.find({ group: '', kind: 'Namespace', namespace: '', name: namespace })
  return object !== undefined && isSelected(selector, { ...object.metadata.labels, 'kubernetes.io/metadata.name': namespace })
}
