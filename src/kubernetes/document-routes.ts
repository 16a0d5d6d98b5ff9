import type { Calls } from './longest-requests.ts'
import type { KubeObject, Raw } from './model.ts'
import { textAt } from './raw.ts'
import { isZero } from './route-rules.ts'
import type { RuleTarget } from './rule-target.ts'
import type { GatewayView, Policies, RouteView, RuleView } from './views.ts'
import { byAge } from './world.ts'

/** A route of the document. */
export interface DocumentRoute {
  /** Whose it is; undefined: our own. */
  readonly route: RouteView | undefined
  readonly fragment: Raw
  /** Where its rules lead, in their order; those that match nothing are left out. */
  readonly targets: readonly RuleTarget[]
  readonly calls: readonly Calls[]
}

/**
 * The routes of a Gateway's document by age: one for each HTTPRoute, whatever number of its parentRefs lead here, as each listener takes of
 * its hostnames those that are its own; more where its listeners have different time limits.
 * @param closed listeners where nothing passes
 */
export function documentRoutes(
  gateway: GatewayView,
  closed: ReadonlyMap<string, string>,
  { routes, policies }: { readonly routes: ReadonlyMap<RouteView, readonly RuleTarget[]>; readonly policies: Policies },
): readonly DocumentRoute[] {
  const names = new Set([...routes.keys()].map((route) => route.key))
  const ofListeners = listenerTimeouts(gateway, policies)
  const open = [...routes]
    .sort(([one], [other]) => byAge(one.object, other.object))
    .flatMap(([route, targets]): readonly DocumentRoute[] => {
      const parents = route.parents.filter((parent) => parent.gateway === gateway && parent.faults.length === 0)
      const attached = new Set(parents.flatMap((parent) => parent.listeners))
      const served = gateway.listeners.filter(({ name, fragment }) => fragment !== undefined && attached.has(name) && !closed.has(name))
      const listeners = [...new Set(served.map(({ name }) => name))]
      if (listeners.length === 0) return []
      const hostnames = [...new Set(parents.flatMap((parent) => parent.hostnames))]
      const own = route.rules.map((rule) => ownTimeout(route, rule, policies))
      const groups = own.includes(undefined) ? Map.groupBy(listeners, (name) => ofListeners.get(name)) : new Map([[undefined, listeners]])
      return [...groups].flatMap(([usual, group], index): readonly DocumentRoute[] => {
        const { rules, ...led } = rulesOf(
          route,
          targets,
          own.map((request) => request ?? usual),
        )
        if (rules.length === 0) return []
        const name = index === 0 ? route.key : nameBeside(names, route.object, group[0] ?? '')
        return [{ route, fragment: { name, listeners: group, ...(hostnames.length === 0 ? {} : { hostnames }), rules }, ...led }]
      })
    })
  return closed.size === 0 ? open : [...open, refusalOf(gateway, [...closed.keys()], names)]
}

/** The rules of the document. What is refused comes first, as among equals the first match counts. */
function rulesOf(
  route: RouteView,
  targets: readonly RuleTarget[],
  requests: readonly (string | undefined)[],
): Pick<DocumentRoute, 'targets' | 'calls'> & { readonly rules: readonly Raw[] } {
  const refused = route.rules.flatMap(({ uncarried }) => uncarried.flatMap(({ refusal }) => (refusal === undefined ? [] : [refusal])))
  const led = route.rules.flatMap(({ matches }, index) => {
    const target = targets[index]
    return target === undefined || matches.length === 0 ? [] : [{ matches, target, request: requests[index] }]
  })
  return {
    rules: [
      ...(refused.length === 0 ? [] : [refusing(refused, 'this route asks for something that is not supported')]),
      ...led.map(({ matches, target, request }) => {
        const timeouts = request === undefined || isZero(request) ? {} : { timeouts: { request } }
        return { matches, backends: [target.fragment], ...timeouts }
      }),
    ],
    targets: led.map(({ target }) => target),
    calls: led.map(({ target, request }) => ({ backends: target.backends.map(({ name }) => name), request })),
  }
}

/** A rule that answers what it matches with 500. */
export function refusing(matches: readonly unknown[], reason: string): Raw {
  return { matches, backends: [{ refuse: { status: 500, reason } }] }
}

/** By listener: what policies say of requests there where neither a route nor a rule says it. */
function listenerTimeouts(gateway: GatewayView, policies: Policies): ReadonlyMap<string, string | undefined> {
  const whole = policies.at({ kind: 'gateway', key: gateway.key }).requestTimeout
  return new Map(
    gateway.listeners.map(({ name }) => [name, policies.at({ kind: 'gateway', key: gateway.key, listener: name }).requestTimeout ?? whole]),
  )
}

/** What the rule itself, or a policy for it or its route, says: the most specific of them. */
function ownTimeout({ key }: RouteView, { name, timeouts }: RuleView, policies: Policies): string | undefined {
  return (
    textAt(timeouts, 'request') ??
    (name === undefined ? undefined : policies.at({ kind: 'route', key, rule: name }).requestTimeout) ??
    policies.at({ kind: 'route', key }).requestTimeout
  )
}

/** On closed listeners everything is refused aloud. */
function refusalOf(gateway: GatewayView, listeners: readonly string[], names: Set<string>): DocumentRoute {
  const rules = [refusing([{ path: { type: 'PathPrefix', value: '/' } }], 'this listener is closed')]
  return { route: undefined, fragment: { name: nameBeside(names, gateway.object, 'closed'), listeners, rules }, targets: [], calls: [] }
}

/** Names in documents hold this many characters after their namespace. */
const maxName = 253

/** `ns/name.end`, or the first of `ns/name.end.2` and so on that is not taken; it is then. */
function nameBeside(taken: Set<string>, { metadata: { namespace = '', name } }: KubeObject, end: string): string {
  const short = end.slice(0, 63).replace(/[-.]+$/, '')
  for (let count = 1; ; count++) {
    const ending = `.${short}${count === 1 ? '' : `.${count}`}`
    const found = `${namespace}/${name.slice(0, maxName - ending.length)}${ending}`
    if (taken.has(found)) continue
    taken.add(found)
    return found
  }
}
