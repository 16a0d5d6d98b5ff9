import { type Config, formatPath, isLoopback, type Listener, rulesOn, type Way } from '../../config/config.ts'
import {
  type AuthorizeLevel,
  askTogether,
  createAccessPolicy,
  createAuthorizePolicy,
  createJudge,
  createOriginPolicy,
  type Judge,
  type ListenerPolicy,
  type ListenerPolicyName,
  listenerOrder,
  type Policies,
  type Policy,
  type PolicySettings,
  type WayPolicyName,
  wayOrder,
} from '../../policy/policy.ts'

/** The policies that a listener asks of every request, in their order. */
export function listenerPolicies(config: Config, listener: Listener): readonly ListenerPolicy[] {
  const made: Readonly<Record<ListenerPolicyName, ListenerPolicy>> = {
    origin: createOriginPolicy(originSettings(listener, config)),
  }
  return listenerOrder.map((name) => made[name])
}

/** The policies that the document puts on a way from a listener to what a rule leads to, in their order. */
export function wayPolicies(config: Config, way: Way, judgeOf: (levels: readonly AuthorizeLevel[]) => Judge): Policies {
  const made: Readonly<Record<WayPolicyName, Policy | undefined>> = {
    access: accessOn(config, way),
    authorize: authorizeOn(config, way, judgeOf),
  }
  return askTogether(wayOrder.flatMap((name) => made[name] ?? []))
}

function accessOn(config: Config, { rule }: Way): Policy | undefined {
  const agent = rule?.backends[0]?.agent
  const expression = agent === undefined ? undefined : config.agents[agent]?.access
  if (agent === undefined || expression === undefined) return undefined
  return createAccessPolicy({ agent, rule: expression, place: formatPath(['agents', agent, 'access']) })
}

function authorizeOn(config: Config, way: Way, judgeOf: (levels: readonly AuthorizeLevel[]) => Judge): Policy | undefined {
  const levels = rulesOn(config, way).map(({ place, settings, backend, server }) => ({ place, ...settings, backend, server }))
  return levels.length === 0 ? undefined : createAuthorizePolicy(judgeOf(levels))
}

/** Makes one judge for equal rules, since many ways have the same. */
export function createJudges(): (levels: readonly AuthorizeLevel[]) => Judge {
  const byLevels = new Map<string, Judge>()
  return (levels) => {
    const key = JSON.stringify(levels)
    const judge = byLevels.get(key) ?? createJudge(levels)
    byLevels.set(key, judge)
    return judge
  }
}

const loopbackHosts = ['localhost', '127.0.0.1', '[::1]']

/**
 * The host names of a listener, and the origins of pages that may call it (docs/configuration.md, listeners). On loopback both have
 * defaults; elsewhere the host names of the listener and of its routes count.
 */
function originSettings(listener: Listener, config: Config): PolicySettings['origin'] {
  if (isLoopback(listener.address))
    return {
      hosts: listener.hosts ?? [...loopbackHosts, listener.address.includes(':') ? `[${listener.address}]` : listener.address],
      origins: listener.origins ?? loopbackHosts.map((host) => `${listener.protocol.toLowerCase()}://${host}:*`),
    }
  const names = [
    ...(listener.hostname === undefined ? [] : [listener.hostname]),
    ...config.routes
      .filter((route) => route.listeners === undefined || route.listeners.includes(listener.name))
      .flatMap((route) => route.hostnames),
  ]
  return { hosts: listener.hosts ?? (names.length === 0 ? undefined : names), origins: listener.origins ?? [] }
}
