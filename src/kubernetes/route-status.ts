import { conditionsOf, isFalse, isTrue, judged, messagesOf } from './conditions.ts'
import type { Condition, DesiredStatus, Fault, Raw, Settings } from './model.ts'
import type { RuleTarget } from './rule-target.ts'
import type { GatewayView, ParentView, RouteView } from './views.ts'
import { nameKey, refOf } from './world.ts'

/** What is known of the Gateway that a parentRef names. */
export interface ParentGateway {
  readonly accepted: Condition
  readonly dropped: ReadonlyMap<RouteView, Fault>
  readonly closed: ReadonlyMap<string, string>
}

/** Why a route is not accepted at a parent: it attaches nowhere, or nothing of it can be done (Gateway API, RouteConditionPartiallyInvalid). */
export function routeFaults(
  route: RouteView,
  parent: ParentView,
  targets: readonly RuleTarget[],
  gateway: ParentGateway | undefined,
): readonly Fault[] {
  if (parent.faults.length > 0) return parent.faults
  const dropped = gateway?.dropped.get(route)
  if (dropped !== undefined) return [dropped]
  const faults = targets.map((target) => target.faults)
  const isAnyDone = faults.length === 0 || faults.some((list) => list.length === 0)
  return isAnyDone ? [] : [...faults.flat(), { reason: 'UnsupportedValue', message: 'meanwhile all its requests are answered with 500' }]
}

/** Gateway API, HTTPRouteStatus: an entry for each parentRef that names a Gateway of ours; none where none does any more. */
export function statusOfRoute(
  route: RouteView,
  targets: readonly RuleTarget[],
  gateways: ReadonlyMap<GatewayView, ParentGateway>,
  { controllerName }: Settings,
): DesiredStatus {
  const refFaults = targets.flatMap((target) => target.refFaults)
  const resolved = judged('ResolvedRefs', refFaults, { reason: 'ResolvedRefs', message: 'every backendRef leads to what serves' })
  const entries = route.parents.map((parent): Raw => {
    const gateway = gateways.get(parent.gateway)
    const faults = routeFaults(route, parent, targets, gateway)
    const [fault] = faults
    const notes = [attachment(parent), ...notesOf(targets, gateway, parent), ...route.remarks.map((remark) => remark.message)]
    const conditions =
      fault === undefined
        ? [isTrue('Accepted', 'Accepted', notes.join('; ')), resolved, ...partlyInvalid(route, targets)]
        : [isFalse('Accepted', fault.reason, messagesOf([...faults, ...route.remarks])), resolved]
    return { parentRef: parent.parentRef, controllerName, conditions: conditionsOf(route.object, conditions) }
  })
  return { kind: 'entries', object: route.object, list: 'parents', entries }
}

/** Its beginning is the Gateway API's (RouteConditionPartiallyInvalid); a rule that is dropped matches on, so that no other takes its requests. */
function partlyInvalid(route: RouteView, targets: readonly RuleTarget[]): readonly Condition[] {
  const dropped = route.rules.filter((_, index) => (targets[index]?.faults.length ?? 0) > 0)
  const faults = targets.flatMap((target) => target.faults)
  const [first] = faults
  if (first === undefined) return []
  const places = dropped.map(({ place }) => place).join(', ')
  const whose = dropped.length === 1 ? 'its' : 'their'
  const message = `Dropped Rule ${places}: ${whose} requests are answered with 500: ${messagesOf(faults)}`
  return [isTrue('PartiallyInvalid', first.reason, message)]
}

function attachment({ gateway, listeners }: ParentView): string {
  const word = listeners.length === 1 ? 'listener' : 'listeners'
  const dark = gateway.listeners.flatMap(({ name, fragment }) => (fragment === undefined && listeners.includes(name) ? [name] : []))
  const unserved = dark.length === 0 ? '' : ` (not served: ${dark.join(', ')}; see the status of the Gateway)`
  return `attached to ${word} ${listeners.join(', ')} of Gateway ${nameKey(refOf(gateway.object))}${unserved}`
}

/** What a reader should know though the route is accepted. */
function notesOf(targets: readonly RuleTarget[], gateway: ParentGateway | undefined, { listeners }: ParentView): readonly string[] {
  const closed = [...(gateway?.closed ?? [])].filter(([name]) => listeners.includes(name))
  return [
    ...targets.flatMap((target) => target.notes),
    ...closed.map(([name, why]) => `listener ${name} is closed: ${why}`),
    ...(gateway?.accepted.status === 'False' ? [`the Gateway itself is not accepted: ${gateway.accepted.message}`] : []),
  ]
}
