import { type documentErrors, escapeTexts, faultOf, readDocument, type Size, sentenceOf, sizeWithin } from '../fragments/fragments.ts'
import type { GatewayView } from '../gateways/gateways.ts'
import { compare, type Fault, isRaw, listAt, type Raw, rawAt, type Settings, textAt } from '../objects/objects.ts'
import type { Policies } from '../policies/policies.ts'
import type { RouteView } from '../routes/routes.ts'
import { callersOf } from './callers.ts'
import { authenticating, type DocumentRoute, documentRoutes } from './document-routes.ts'
import { documentLimit, fitRoutes } from './fit-document.ts'
import { longestRequests, withRequestTimeout } from './longest-requests.ts'
import type { RuleTarget } from './rule-target.ts'

/** The document of a Gateway, and what became of its routes and listeners. */
export interface GatewayDocument {
  /** Undefined where there is none, as `fault` says. */
  readonly document: Raw | undefined
  readonly fault: Fault | undefined
  /** Routes that are not served because the document can't hold them, with why. */
  readonly dropped: ReadonlyMap<RouteView, Fault>
  /** What else was left out, for the Gateway's status. */
  readonly remarks: readonly Fault[]
  /** Listeners that policies close, by name, with the policy and why. */
  readonly closed: ReadonlyMap<string, string>
  /** Rules that policies close together, by route: which ones, and why. */
  readonly barred: ReadonlyMap<RouteView, readonly string[]>
  /** A sentence on who may call. */
  readonly callers: string
}

/** What a document is made from. */
export interface DocumentSource {
  /** All routes with the targets of their rules. */
  readonly routes: ReadonlyMap<RouteView, readonly RuleTarget[]>
  readonly policies: Policies
  readonly settings: Settings
}

/**
 * Makes the document of a Gateway and checks it as a whole. One route never keeps others from being served: a route that there is no room
 * for is refused, and one that is invalid is left out.
 */
export function documentOf(gateway: GatewayView, from: DocumentSource): GatewayDocument {
  const closed = closedListeners(gateway, from.policies)
  const all = documentRoutes(gateway, closed, from)
  const { entries, beyond, remarks } = fitRoutes(gateway, all, spareIn(gateway, all, from))
  const first = write(gateway, entries, from)
  const invalid = blamed(first.errors, entries)
  const dropped = new Map([...beyond, ...invalid])
  const valid = entries.filter(({ route }) => route === undefined || !invalid.has(route))
  const second = invalid.size === 0 ? first : write(gateway, valid, from)
  const [error] = second.errors
  const said = { dropped, remarks, closed, barred: barredIn(all), callers: second.callers }
  if (error === undefined) return { document: second.document, fault: undefined, ...said }
  const message = `no valid configuration comes of it, so the last one stays: ${error.path}: ${sentenceOf(error)}`
  return { document: undefined, fault: { reason: 'Invalid', message }, ...said }
}

function barredIn(entries: readonly DocumentRoute[]): ReadonlyMap<RouteView, readonly string[]> {
  const found = new Map<RouteView, readonly string[]>()
  for (const { route, barred } of entries) {
    if (route !== undefined && barred.length > 0) found.set(route, [...new Set([...(found.get(route) ?? []), ...barred])])
  }
  return found
}

/** The routes in which the errors of a document are. */
function blamed(errors: ReturnType<typeof documentErrors>, entries: readonly DocumentRoute[]): ReadonlyMap<RouteView, Fault> {
  return new Map(
    errors.flatMap((error): [RouteView, Fault][] => {
      const route = entries[Number(/^routes\[(\d+)\]/.exec(error.path)?.[1] ?? Number.NaN)]?.route
      const place = error.path.replace(/^routes\[\d+\]/, 'spec').replace(/^spec\.name$/, 'metadata.name')
      return route === undefined ? [] : [[route, faultOf(error, place, 'UnsupportedValue')]]
    }),
  )
}

/** The room that the document has for routes and for the backends and agents that they lead to. */
function spareIn(gateway: GatewayView, entries: readonly DocumentRoute[], from: DocumentSource): Size {
  const frame = sizeWithin({ ...frameOf(gateway, entries, from), backends: {}, agents: {}, routes: [] }, documentLimit.bytes)
  return { bytes: documentLimit.bytes - frame.bytes, parts: documentLimit.parts - frame.parts }
}

function frameOf(gateway: GatewayView, entries: readonly DocumentRoute[], { policies, settings }: DocumentSource): Raw {
  const logLevel = textAt(gateway.parameters, 'logLevel')
  const { key } = gateway
  return {
    'mcplex.dev/version': settings.version,
    ...(logLevel === undefined ? {} : { observe: { log: { level: logLevel } } }),
    listeners: gateway.listeners.flatMap((listener) =>
      listener.fragment === undefined
        ? []
        : [
            {
              ...withHosts(listener.name, listener.fragment, entries),
              ...authenticating(policies.at({ kind: 'gateway', key, listener: listener.name })),
            },
          ],
    ),
    ...authenticating(policies.at({ kind: 'gateway', key })),
  }
}

function write(gateway: GatewayView, entries: readonly DocumentRoute[], from: DocumentSource) {
  const targets = entries.flatMap((entry) => entry.targets)
  const longest = longestRequests(entries.flatMap((entry) => entry.calls))
  const agents = fragments(targets.flatMap((target) => target.agents))
  const long = escapeTexts({
    ...frameOf(gateway, entries, from),
    backends: Object.fromEntries(
      Object.entries(fragments(targets.flatMap((target) => target.backends))).map(([name, backend]) => {
        const request = longest.get(name)
        return [name, request === undefined || !isRaw(backend) ? backend : withRequestTimeout(backend, request)]
      }),
    ),
    ...(Object.keys(agents).length === 0 ? {} : { agents }),
    routes: entries.map((entry) => entry.fragment),
  })
  const document = isRaw(long) ? long : {}
  const { config, errors } = readDocument(document)
  const { guarded, text } = callersOf(config)
  return { document: guarded.size === 0 ? document : { ...document, listeners: safely(document, guarded) }, errors, callers: text }
}

/** The listeners of the document, without `insecure` on those through which only authenticated callers come. */
function safely(document: Raw, guarded: ReadonlySet<string>): readonly unknown[] {
  return listAt(document, 'listeners').map((listener) => {
    const { insecure, ...others } = rawAt(listener)
    return guarded.has(textAt(others, 'name') ?? '') ? others : listener
  })
}

function fragments(views: readonly { readonly name: string; readonly fragment: Raw | undefined }[]): Raw {
  const byName = new Map(views.map(({ name, fragment }) => [name, fragment]))
  return Object.fromEntries([...byName].sort(([one], [other]) => compare(one, other)))
}

/**
 * The listener, with `hosts: ['*']` where some of its routes have hostnames: otherwise it would refuse all other hosts, while in the Gateway
 * API another route may take any host, and a host that no route takes is answered with 404.
 */
function withHosts(name: string, fragment: Raw, entries: readonly DocumentRoute[]): Raw {
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
