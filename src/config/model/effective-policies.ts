import { formatPath, type Path } from '../tree/tree.ts'
import type { Agent } from './agent.ts'
import type { Config } from './config.ts'
import type { Listener } from './listener.ts'
import type { Audit, Authenticate, Authorize, Policies } from './policies.ts'
import type { Route, Rule } from './route.ts'

/** A policy with the place in the document that sets it. */
export interface Placed<T> {
  /** Such as `routes[0].policies.authenticate`. */
  readonly place: string
  readonly settings: T
}

/** The authorization rules of one place. */
export interface PlacedRules extends Placed<Authorize> {
  /** The rules hold only for what this backend, or this server of it, offers. */
  readonly backend: string | undefined
  readonly server: string | undefined
}

/** A way of requests through the document: a listener and, if they are known, the route and its rule. */
export interface Way {
  readonly listener: Listener
  readonly route?: Route | undefined
  readonly rule?: Rule | undefined
}

/** The authentication on a way, which the most specific place decides; undefined where callers need none. */
export function authenticationOn(config: Config, way: Way): Placed<Authenticate> | undefined {
  return mostSpecific(config, way, 'authenticate')
}

/** The audit settings on a way, which the most specific place decides. */
export function auditOn(config: Config, way: Way): Placed<Audit> | undefined {
  return mostSpecific(config, way, 'audit')
}

/** All authorization rules on a way, in the order in which they are asked: every place that has rules must allow. */
export function rulesOn(config: Config, way: Way): readonly PlacedRules[] {
  const agent = agentOn(config, way)
  const throughBackends = backendsOn(way, agent).flatMap((backend) => {
    const { servers = {}, policies } = config.backends[backend] ?? {}
    const own = [{ path: ['backends', backend], policies, backend, server: undefined as string | undefined }]
    const ofServers = Object.entries(servers).map(([server, one]) => ({
      path: ['backends', backend, 'servers', server],
      policies: one.policies,
      backend,
      server,
    }))
    return [...own, ...ofServers]
  })
  const shared = sharedPlaces(config, way, agent).map((one) => ({ ...one, backend: undefined, server: undefined }))
  return [...shared, ...throughBackends].flatMap(({ path, policies, backend, server }): PlacedRules[] => {
    const settings = policies?.authorize
    if (settings === undefined || settings.allow.length + settings.deny.length + settings.require.length === 0) return []
    return [{ place: formatPath([...path, 'policies', 'authorize']), settings, backend, server }]
  })
}

interface Place {
  readonly path: Path
  readonly policies: Policies | undefined
}

/** The places that all requests on a way pass, the least specific first. */
function sharedPlaces(config: Config, { listener, route, rule }: Way, agent: NamedAgent | undefined): readonly Place[] {
  const at = route === undefined ? -1 : config.routes.indexOf(route)
  return [
    { path: [], policies: config.policies },
    { path: ['listeners', config.listeners.indexOf(listener)], policies: listener.policies },
    ...(route === undefined ? [] : [{ path: ['routes', at], policies: route.policies }]),
    ...(route === undefined || rule === undefined
      ? []
      : [{ path: ['routes', at, 'rules', route.rules.indexOf(rule)], policies: rule.policies }]),
    ...(agent === undefined ? [] : [{ path: ['agents', agent.name], policies: agent.agent.policies }]),
  ]
}

function mostSpecific<K extends 'authenticate' | 'audit'>(config: Config, way: Way, key: K): Placed<NonNullable<Policies[K]>> | undefined {
  const agent = agentOn(config, way)
  const shared = sharedPlaces(config, way, agent)
  // A backend is more specific than the rule that leads to it, an agent than its backends.
  const backends = backendsOn(way, agent).map((name) => ({ path: ['backends', name], policies: config.backends[name]?.policies }))
  const own = agent === undefined ? [] : shared.slice(-1)
  const ordered = [...shared.slice(0, shared.length - own.length), ...backends, ...own]
  for (const { path, policies } of ordered.toReversed()) {
    const settings = policies?.[key]
    if (settings !== undefined) return { place: formatPath([...path, 'policies', key]), settings: settings as NonNullable<Policies[K]> }
  }
  return undefined
}

interface NamedAgent {
  readonly name: string
  readonly agent: Agent
}

function agentOn(config: Config, { rule }: Way): NamedAgent | undefined {
  const name = rule?.backends[0]?.agent
  const agent = name === undefined || !Object.hasOwn(config.agents, name) ? undefined : config.agents[name]
  return name === undefined || agent === undefined ? undefined : { name, agent }
}

function backendsOn({ rule }: Way, agent: NamedAgent | undefined): readonly string[] {
  const backend = rule?.backends[0]?.backend
  return agent !== undefined ? agent.agent.from : backend === undefined ? [] : [backend]
}

/** Every place of a document that has policies, by its path up to their keys, such as `routes[0].policies`. */
export function allPolicies(config: Config): readonly { readonly path: Path; readonly policies: Policies }[] {
  const { listeners, routes, backends, agents } = config
  const places: Place[] = [
    { path: [], policies: config.policies },
    ...listeners.map(({ policies }, i) => ({ path: ['listeners', i], policies })),
    ...routes.flatMap(({ policies, rules }, i) => [
      { path: ['routes', i], policies },
      ...rules.map((rule, j) => ({ path: ['routes', i, 'rules', j], policies: rule.policies })),
    ]),
    ...Object.entries(backends).map(([name, { policies }]) => ({ path: ['backends', name], policies })),
    ...Object.entries(agents).map(([name, { policies }]) => ({ path: ['agents', name], policies })),
  ]
  return places.flatMap(({ path, policies }) => (policies === undefined ? [] : [{ path: [...path, 'policies'], policies }]))
}
