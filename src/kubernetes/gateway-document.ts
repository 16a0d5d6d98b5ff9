import { documentErrors, escapeTexts, faultOf, sentenceOf } from './fragment-errors.ts'
import type { Fault, Raw, Settings } from './model.ts'
import { isRaw, textAt } from './raw.ts'
import { isZero } from './route-rules.ts'
import type { RuleTarget } from './rule-target.ts'
import type { GatewayView, Policies, RouteView } from './views.ts'
import { byAge, compare } from './world.ts'

export interface GatewayDocument {
  /** Undefined where `fault` says why there is none. */
  readonly document: Raw | undefined
  readonly fault: Fault | undefined
  /** Routes that were left out, as no document can hold them. */
  readonly dropped: ReadonlyMap<RouteView, Fault>
  /** Listeners where nothing passes, by name, and the policy that wants it so. */
  readonly closed: ReadonlyMap<string, string>
}

export interface DocumentSource {
  /** With each rule's target. */
  readonly routes: ReadonlyMap<RouteView, readonly RuleTarget[]>
  readonly policies: Policies
  readonly settings: Settings
}

/** A route of the document, and whose it is; undefined: our own. */
interface Entry {
  readonly route: RouteView | undefined
  readonly fragment: Raw
}

/** A Gateway's Config, checked as a whole. A route that it can't hold is left out, so that it keeps no other from being served. */
export function documentOf(gateway: GatewayView, from: DocumentSource): GatewayDocument {
  const closed = closedListeners(gateway, from.policies)
  const entries = [...routesOf(gateway, closed, from), ...refusalOf(gateway, closed, from.routes)]
  const first = write(gateway, entries, from)
  const blamed = first.errors.map((error) => entries[Number(/^routes\[(\d+)\]/.exec(error.path)?.[1] ?? Number.NaN)]?.route)
  const dropped = new Map(
    first.errors.flatMap((error, index): [RouteView, Fault][] => {
      const route = blamed[index]
      const place = error.path.replace(/^routes\[\d+\]/, 'spec').replace(/^spec\.name$/, 'metadata.name')
      return route === undefined ? [] : [[route, faultOf(error, place, 'UnsupportedValue')]]
    }),
  )
  const second =
    dropped.size === 0
      ? first
      : write(
          gateway,
          entries.filter(({ route }) => route === undefined || !dropped.has(route)),
          from,
        )
  const [error] = second.errors
  if (error === undefined) return { document: second.document, fault: undefined, dropped, closed }
  const message = `no valid configuration comes of it, so the last one stays: ${error.path}: ${sentenceOf(error)}`
  return { document: undefined, fault: { reason: 'Invalid', message }, dropped, closed }
}

function write(gateway: GatewayView, entries: readonly Entry[], { routes, settings }: DocumentSource) {
  const kept = new Set(entries.map(({ route }) => route))
  const targets = [...routes].flatMap(([route, list]) => (kept.has(route) ? list : []))
  const backends = fragments(targets.flatMap((target) => target.backends))
  const agents = fragments(targets.flatMap((target) => target.agents))
  const long = escapeTexts({
    'mcplex.dev/version': settings.version,
    listeners: gateway.listeners.flatMap((listener) =>
      listener.fragment === undefined ? [] : [withHosts(listener.name, listener.fragment, entries)],
    ),
    backends,
    ...(Object.keys(agents).length === 0 ? {} : { agents }),
    routes: entries.map((entry) => entry.fragment),
  })
  const document = isRaw(long) ? long : {}
  return { document, errors: documentErrors(document) }
}

function fragments(views: readonly { readonly name: string; readonly fragment: Raw | undefined }[]): Raw {
  const byName = new Map(views.map(({ name, fragment }) => [name, fragment]))
  return Object.fromEntries([...byName].sort(([one], [other]) => compare(one, other)))
}

/**
 * Where some of a listener's routes have hostnames, a document would let in those alone; in the Gateway API another route may take any
 * host, and a host that no route takes is answered with 404.
 */
function withHosts(name: string, fragment: Raw, entries: readonly Entry[]): Raw {
  if (textAt(fragment, 'hostname') !== undefined) return fragment
  const isNamed = entries.some(
    ({ fragment: { listeners, hostnames } }) => Array.isArray(listeners) && listeners.includes(name) && hostnames !== undefined,
  )
  return isNamed ? { ...fragment, hosts: ['*'] } : fragment
}

function closedListeners(gateway: GatewayView, policies: Policies): ReadonlyMap<string, string> {
  const whole = policies.at({ kind: 'gateway', key: gateway.key }).closed
  return new Map(
    gateway.listeners.flatMap(({ name, fragment }): [string, string][] => {
      const closed = whole ?? policies.at({ kind: 'gateway', key: gateway.key, listener: name }).closed
      return fragment === undefined || closed === undefined ? [] : [[name, closed]]
    }),
  )
}

/** One for each route, whatever number of its parentRefs lead here: each listener takes of its hostnames those that are its own. */
function routesOf(gateway: GatewayView, closed: ReadonlyMap<string, string>, { routes, policies }: DocumentSource): readonly Entry[] {
  return [...routes]
    .sort(([one], [other]) => byAge(one.object, other.object))
    .flatMap(([route, targets]): readonly Entry[] => {
      const parents = route.parents.filter((parent) => parent.gateway === gateway && parent.faults.length === 0)
      const attached = new Set(parents.flatMap((parent) => parent.listeners))
      const served = gateway.listeners.filter(({ name, fragment }) => fragment !== undefined && attached.has(name) && !closed.has(name))
      const listeners = [...new Set(served.map(({ name }) => name))]
      const hostnames = [...new Set(parents.flatMap((parent) => parent.hostnames))]
      if (listeners.length === 0) return []
      const rules = route.rules.flatMap((rule, index) => {
        const target = targets[index]
        const request = textAt(rule.timeouts, 'request') ?? requestTimeout(gateway, route, rule.name, listeners, policies)
        const timeouts = request === undefined || isZero(request) ? {} : { timeouts: { request } }
        return target === undefined ? [] : [{ matches: rule.matches, backends: [target.fragment], ...timeouts }]
      })
      return [{ route, fragment: { name: route.key, listeners, ...(hostnames.length === 0 ? {} : { hostnames }), rules } }]
    })
}

/** The most specific one. A listener's holds where the route is on no other. */
function requestTimeout(
  gateway: GatewayView,
  route: RouteView,
  rule: string | undefined,
  listeners: readonly string[],
  policies: Policies,
) {
  const [listener] = listeners
  return (
    (rule === undefined ? undefined : policies.at({ kind: 'route', key: route.key, rule }).requestTimeout) ??
    policies.at({ kind: 'route', key: route.key }).requestTimeout ??
    (listener === undefined || listeners.length > 1
      ? undefined
      : policies.at({ kind: 'gateway', key: gateway.key, listener }).requestTimeout) ??
    policies.at({ kind: 'gateway', key: gateway.key }).requestTimeout
  )
}

/** Names in documents hold this many characters after their namespace. */
const maxName = 253

/** On closed listeners everything is refused aloud. */
function refusalOf(gateway: GatewayView, closed: ReadonlyMap<string, string>, routes: ReadonlyMap<RouteView, unknown>): readonly Entry[] {
  if (closed.size === 0) return []
  const taken = new Set([...routes.keys()].map((route) => route.key))
  const { namespace = '', name } = gateway.object.metadata
  const called = (end: string): string => `${namespace}/${name.slice(0, maxName - end.length)}${end}`
  let end = '.closed'
  while (taken.has(called(end))) end += '.closed'
  const matches = [{ path: { type: 'PathPrefix', value: '/' } }]
  const backends = [{ refuse: { status: 500, reason: 'this listener is closed' } }]
  return [{ route: undefined, fragment: { name: called(end), listeners: [...closed.keys()], rules: [{ matches, backends }] } }]
}
