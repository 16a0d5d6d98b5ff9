import type { RuleTarget } from '../document/document.ts'
import type { GatewayView } from '../gateways/gateways.ts'
import {
  type Condition,
  conditionsOf,
  type DesiredStatus,
  type Fault,
  isFalse,
  isTrue,
  judged,
  messagesOf,
  nameKey,
  type Raw,
  refOf,
  type Settings,
} from '../objects/objects.ts'
import type { ParentView, RouteView, RuleView } from '../routes/routes.ts'

/** What became of the Gateway that a parentRef refers to. */
export interface ParentGateway {
  /** Its condition Accepted. */
  readonly accepted: Condition
  /** As in `GatewayDocument`, like the next two. */
  readonly dropped: ReadonlyMap<RouteView, Fault>
  readonly closed: ReadonlyMap<string, string>
  readonly barred: ReadonlyMap<RouteView, readonly string[]>
}

/**
 * Why a parent does not accept a route: it attaches to no listener, or none of its rules can be served (Gateway API,
 * RouteConditionPartiallyInvalid).
 */
export function routeFaults(
  route: RouteView,
  parent: ParentView,
  targets: readonly RuleTarget[],
  gateway: ParentGateway | undefined,
): readonly Fault[] {
  if (parent.faults.length > 0) return parent.faults
  const dropped = gateway?.dropped.get(route)
  if (dropped !== undefined) return [dropped]
  const isAnyDone = route.rules.some(({ matches }, index) => matches.length > 0 && targets[index]?.faults.length === 0)
  const fault = faultOfRules(route, targets)
  return fault === undefined || isAnyDone ? [] : [fault]
}

/** The status of a route (Gateway API, HTTPRouteStatus): an entry for each parentRef that refers to a Gateway of ours. */
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
    const notes = [attachment(parent), ...notesOf(route, targets, gateway, parent), ...route.remarks.map((remark) => remark.message)]
    const conditions =
      fault === undefined
        ? [isTrue('Accepted', 'Accepted', notes.join('; ')), resolved, ...partlyInvalid(route, targets)]
        : [isFalse('Accepted', fault.reason, messagesOf([...faults, ...route.remarks])), resolved]
    return { parentRef: parent.parentRef, controllerName, conditions: conditionsOf(route.object, conditions) }
  })
  return { kind: 'entries', object: route.object, list: 'parents', entries }
}

/** The condition PartiallyInvalid, whose message must begin this way (Gateway API, RouteConditionPartiallyInvalid). */
function partlyInvalid(route: RouteView, targets: readonly RuleTarget[]): readonly Condition[] {
  const fault = faultOfRules(route, targets)
  return fault === undefined ? [] : [isTrue('PartiallyInvalid', fault.reason, `Dropped Rule ${fault.message}`)]
}

interface Outcome {
  readonly place: string
  /** What becomes of the requests, as the end of a sentence. */
  readonly outcome: string
  readonly faults: readonly Fault[]
}

/**
 * What is wrong with a route's rules, and what becomes of the requests that they are meant for: they are answered with 500, or go to other
 * rules where mcplex can't match them. Undefined where nothing is wrong.
 */
function faultOfRules(route: RouteView, targets: readonly RuleTarget[]): Fault | undefined {
  const outcomes = route.rules.flatMap((rule, index) => outcomesOf(rule, targets[index]?.faults ?? []))
  const [first] = outcomes.flatMap(({ faults }) => faults)
  if (first === undefined) return undefined
  const sentences = [...Map.groupBy(outcomes, ({ outcome }) => outcome)].map(([outcome, same]) => {
    const places = same.map(({ place }) => place).join(', ')
    return `${places}: ${outcome}: ${messagesOf(same.flatMap(({ faults }) => faults))}`
  })
  return { reason: first.reason, message: sentences.join('; ') }
}

function outcomesOf({ place, matches, uncarried }: RuleView, faults: readonly Fault[]): readonly Outcome[] {
  const isMatching = matches.length > 0 || uncarried.some(({ refusal }) => refusal !== undefined)
  return [
    ...(faults.length === 0 ? [] : [{ place, outcome: isMatching ? refused : left, faults }]),
    ...uncarried.map((match) => ({ place: match.place, outcome: match.refusal === undefined ? left : refusedMore, faults: match.faults })),
  ]
}

const refused = 'requests are answered with 500'
const refusedMore = 'what the rest of it matches is answered with 500, also requests that it was not meant for'
const left = 'matches nothing, so the requests that it was meant for go where other rules take them'

function attachment({ gateway, listeners }: ParentView): string {
  const word = listeners.length === 1 ? 'listener' : 'listeners'
  const dark = gateway.listeners.flatMap(({ name, fragment }) => (fragment === undefined && listeners.includes(name) ? [name] : []))
  const unserved = dark.length === 0 ? '' : ` (not served: ${dark.join(', ')}; see the status of the Gateway)`
  return `attached to ${word} ${listeners.join(', ')} of Gateway ${nameKey(refOf(gateway.object))}${unserved}`
}

/** What else the message of an accepted route says. */
function notesOf(
  route: RouteView,
  targets: readonly RuleTarget[],
  gateway: ParentGateway | undefined,
  { listeners }: ParentView,
): readonly string[] {
  const closed = [...(gateway?.closed ?? [])].filter(([name]) => listeners.includes(name))
  return [
    ...targets.flatMap((target) => target.notes),
    ...(gateway?.barred.get(route) ?? []),
    ...closed.map(([name, why]) => `listener ${name} is closed: ${why}`),
    ...(gateway?.accepted.status === 'False' ? [`the Gateway itself is not accepted: ${gateway.accepted.message}`] : []),
  ]
}
