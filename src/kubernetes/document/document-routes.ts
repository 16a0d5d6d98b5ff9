import type { GatewayView } from '../gateways/gateways.ts'
import { byAge, type KubeObject, type Raw, rawAt, textAt } from '../objects/objects.ts'
import type { Policies, PolicyEffect } from '../policies/policies.ts'
import { isZero, type RouteView, type RuleView } from '../routes/routes.ts'
import type { Calls } from './longest-requests.ts'
import { guardOf } from './route-guard.ts'
import type { RuleTarget } from './rule-target.ts'

/** A route of the document, with what it is made from. */
export interface DocumentRoute {
  /** The HTTPRoute that it is for; undefined for one that refuses what closed listeners receive. */
  readonly route: RouteView | undefined
  readonly fragment: Raw
  /** Where its rules lead, in their order, without those that match nothing. */
  readonly targets: readonly RuleTarget[]
  /** The backends that its rules lead to, with the time limits. */
  readonly calls: readonly Calls[]
  /** For each rule that several policies close together: which one, and why. */
  readonly barred: readonly string[]
}

/**
 * The routes of a Gateway's document, the oldest first: one for each HTTPRoute, however many of its parentRefs lead here, as each listener
 * takes of its hostnames those that match its own; several where its listeners differ in time limits or rules.
 * @param closed listeners that policies close, with why
 */
export function documentRoutes(
  gateway: GatewayView,
  closed: ReadonlyMap<string, string>,
  { routes, policies }: { readonly routes: ReadonlyMap<RouteView, readonly RuleTarget[]>; readonly policies: Policies },
): readonly DocumentRoute[] {
  const names = new Set([...routes.keys()].map((route) => route.key))
  const whole = policies.at({ kind: 'gateway', key: gateway.key })
  const ofListeners = new Map(
    gateway.listeners.map(({ name }) => [name, policies.at({ kind: 'gateway', key: gateway.key, listener: name })]),
  )
  const usualTimeout = (name: string) => ofListeners.get(name)?.requestTimeout ?? whole.requestTimeout
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
      const groups = Map.groupBy(listeners, (name) =>
        JSON.stringify([own.includes(undefined) ? usualTimeout(name) : '', guardingOf(ofListeners.get(name))]),
      )
      return [...groups.values()].flatMap((group, index): readonly DocumentRoute[] => {
        const [first = ''] = group
        const ways = [whole, ofListeners.get(first) ?? whole, policies.at({ kind: 'route', key: route.key })]
        const { rules, ...led } = rulesOf(route, targets, {
          requests: own.map((request) => request ?? usualTimeout(first)),
          effectsOf: ({ name }) => (name === undefined ? ways : [...ways, policies.at({ kind: 'route', key: route.key, rule: name })]),
          ownEffectOf: ({ name }) => (name === undefined ? undefined : policies.at({ kind: 'route', key: route.key, rule: name })),
        })
        if (rules.length === 0) return []
        const name = index === 0 ? route.key : nameBeside(names, route.object, first)
        const named = { name, listeners: group, ...(hostnames.length === 0 ? {} : { hostnames }) }
        return [{ route, fragment: { ...named, ...authenticating(policies.at({ kind: 'route', key: route.key })), rules }, ...led }]
      })
    })
  return closed.size === 0 ? open : [...open, refusalOf(gateway, [...closed.keys()], names)]
}

/** What of a listener's policies becomes part of the rules of routes. */
function guardingOf(effect: PolicyEffect | undefined): unknown {
  return [effect?.requestRules, effect?.itemRules, effect?.tokens !== undefined, effect?.keys !== undefined]
}

/**
 * The `policies` of a place with the authentication that policies ask for at that very place. Documents take it from the most specific
 * place, as agentgateway does.
 */
export function authenticating(effect: PolicyEffect | undefined): Raw {
  const authenticate = effect?.tokens ?? effect?.keys
  return authenticate === undefined ? {} : { policies: { authenticate } }
}

/** What applies to the rules of a route on some listeners. */
interface RuleSettings {
  /** The time limits, in the order of the rules. */
  readonly requests: readonly (string | undefined)[]
  /** The effects of policies on a rule at all places: Gateway, listener, route and rule. */
  effectsOf(rule: RuleView): readonly PolicyEffect[]
  /** The effect at the rule itself. */
  ownEffectOf(rule: RuleView): PolicyEffect | undefined
}

interface LedRule {
  readonly target: RuleTarget
  readonly request: string | undefined
  readonly fragment: Raw
}

/** The rules of a route in the document. Those that refuse come first, as of equal matches the first counts. */
function rulesOf(
  route: RouteView,
  targets: readonly RuleTarget[],
  settings: RuleSettings,
): Pick<DocumentRoute, 'targets' | 'calls' | 'barred'> & { readonly rules: readonly Raw[] } {
  const refused = route.rules.flatMap(({ uncarried }) => uncarried.flatMap(({ refusal }) => (refusal === undefined ? [] : [refusal])))
  const barred: string[] = []
  const led = route.rules.flatMap((rule, index): readonly LedRule[] => {
    const target = targets[index]
    if (target === undefined || rule.matches.length === 0) return []
    const request = settings.requests[index]
    const timeouts = request === undefined || isZero(request) ? {} : { timeouts: { request } }
    const guard = guardOf(settings.effectsOf(rule), target)
    const isRefusing = target.fragment['refuse'] !== undefined
    if (guard.barred !== undefined && !isRefusing) {
      barred.push(`${rule.place} is closed: ${guard.barred}`)
      const { backends } = refusing([], 'this route is closed')
      return [{ target: { ...target, backends: [], agents: [] }, request, fragment: { matches: rule.matches, backends, ...timeouts } }]
    }
    const policies = {
      ...rawAt(authenticating(settings.ownEffectOf(rule)), 'policies'),
      ...(guard.authorize === undefined || isRefusing ? {} : { authorize: guard.authorize }),
    }
    const guarded = Object.keys(policies).length === 0 ? {} : { policies }
    return [{ target, request, fragment: { matches: rule.matches, backends: [target.fragment], ...timeouts, ...guarded } }]
  })
  return {
    rules: [
      ...(refused.length === 0 ? [] : [refusing(refused, 'this route asks for something that is not supported')]),
      ...led.map(({ fragment }) => fragment),
    ],
    targets: led.map(({ target }) => target),
    calls: led.map(({ target, request }) => ({ backends: target.backends.map(({ name }) => name), request })),
    barred,
  }
}

/** A rule that answers what it matches with 500. */
export function refusing(matches: readonly unknown[], reason: string): Raw {
  return { matches, backends: [{ refuse: { status: 500, reason } }] }
}

/** The time limit that the rule itself, a policy for the rule or one for the route sets: the first of these that there is. */
function ownTimeout({ key }: RouteView, { name, timeouts }: RuleView, policies: Policies): string | undefined {
  return (
    textAt(timeouts, 'request') ??
    (name === undefined ? undefined : policies.at({ kind: 'route', key, rule: name }).requestTimeout) ??
    policies.at({ kind: 'route', key }).requestTimeout
  )
}

/** The route that answers everything on closed listeners with 500. */
function refusalOf(gateway: GatewayView, listeners: readonly string[], names: Set<string>): DocumentRoute {
  const rules = [refusing([{ path: { type: 'PathPrefix', value: '/' } }], 'this listener is closed')]
  return {
    route: undefined,
    fragment: { name: nameBeside(names, gateway.object, 'closed'), listeners, rules },
    targets: [],
    calls: [],
    barred: [],
  }
}

/** The most characters of a name in a document, without its namespace. */
const maxName = 253

/** The first of `ns/name.end`, `ns/name.end.2` and so on that is not taken, and takes it. */
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
