import { foldName } from '../keys/keys.ts'
import type { Path } from '../tree/tree.ts'
import { isPlain } from '../tree/tree.ts'
import { parseAddress } from '../values/values.ts'

type Plain = Readonly<Record<string, unknown>>

/**
 * Turns the short form of a document into the long form: plain values in, plain values out, without defaults (docs/configuration.md, The
 * document).
 */
export function expand(short: Plain): Plain {
  return expandWithOrigins(short).long
}

export interface Expansion {
  readonly long: Plain
  /** The path in the document as written, for a path in the long form. */
  readonly writtenAt: (path: Path) => Path
}

export function expandWithOrigins(short: Plain): Expansion {
  const { $schema, listen, listeners, servers, mcpServers, agents, routes, backends, ...others } = short
  const shortServers = serversOf(servers, mcpServers)
  const longListeners = listeners ?? (listen === undefined ? undefined : [listenerAt(listen)])
  const longBackends = {
    ...(shortServers === undefined
      ? {}
      : { default: { servers: Object.fromEntries(shortServers.map(({ name, server }) => [name, server])) } }),
    ...(isPlain(backends) ? backends : {}),
  }
  const longAgents = isPlain(agents) ? mapValues(agents, (agent, name) => expandAgent(agent, name, routes !== undefined)) : undefined
  const writtenRoutes = Array.isArray(routes) ? routes : []
  const madeFor = Object.entries(longAgents ?? {}).flatMap(([name, agent]) => {
    const path = isPlain(agent) && typeof agent.path === 'string' ? agent.path : undefined
    return path === undefined || leadsTo(writtenRoutes, path, name) ? [] : [{ name, path }]
  })
  const isOpenToAll = routes === undefined && agents === undefined && Object.hasOwn(longBackends, 'default')
  const longRoutes = [...writtenRoutes, ...madeFor.map(({ name, path }) => agentRoute(name, path)), ...(isOpenToAll ? [defaultRoute] : [])]
  const long: Plain = {
    ...(longListeners === undefined ? {} : { listeners: longListeners }),
    backends: longBackends,
    ...(longAgents === undefined ? {} : { agents: longAgents }),
    routes: longRoutes,
    ...others,
  }

  const writtenAt = (path: Path): Path => {
    const [first, second, third, fourth, ...rest] = path
    if (first === 'listeners' && listeners === undefined) return ['listen']
    if (first === 'backends' && second === 'default' && third === 'servers' && shortServers !== undefined) {
      const origin = shortServers.find(({ name }) => name === fourth)?.origin
      return origin === undefined ? [servers === undefined ? 'mcpServers' : 'servers'] : [...origin, ...writtenMember(origin, rest)]
    }
    if (first === 'routes' && typeof second === 'number' && second >= writtenRoutes.length) {
      const agent = madeFor[second - writtenRoutes.length]?.name
      return agent === undefined
        ? []
        : ['agents', agent, ...(isPlain(agents) && isPlain(agents[agent]) && 'path' in agents[agent] ? ['path'] : [])]
    }
    return path
  }
  const writtenMember = (origin: Path, rest: Path): Path => {
    if (origin[0] === 'mcpServers') return rest[0] === 'http' ? rest.slice(1) : []
    const server = isPlain(servers) ? servers[String(origin[1])] : undefined
    if (typeof server === 'string') return []
    return isPlain(server) && typeof server.http === 'string' && rest[0] === 'http' ? ['http'] : rest
  }
  return { long, writtenAt }
}

interface ShortServer {
  readonly name: string
  readonly server: unknown
  readonly origin: Path
}

/** Undefined where the document has neither `servers` nor `mcpServers`. */
function serversOf(servers: unknown, mcpServers: unknown): readonly ShortServer[] | undefined {
  if (servers === undefined && mcpServers === undefined) return undefined
  const own = Object.entries(isPlain(servers) ? servers : {}).map(([name, server]) => ({
    name,
    server: expandServer(server),
    origin: ['servers', name],
  }))
  const ofClient = Object.entries(isPlain(mcpServers) ? mcpServers : {}).map(([written, server]) => ({
    name: foldName(written) ?? written,
    server: fromClientServer(server),
    origin: ['mcpServers', written],
  }))
  return [...own, ...ofClient]
}

function expandServer(server: unknown): unknown {
  if (typeof server === 'string') return { http: { url: server } }
  if (!isPlain(server)) return server
  return mapValues(server, (member, key) => ((key === 'http' || key === 'sse') && typeof member === 'string' ? { url: member } : member))
}

function fromClientServer(server: unknown): unknown {
  if (!isPlain(server)) return server
  const credentials = isPlain(server.headers) && Object.keys(server.headers).length > 0 ? { credentials: { header: server.headers } } : {}
  return { http: { url: server.url }, ...credentials }
}

function listenerAt(listen: unknown): Plain {
  const address = parseAddress(String(listen))
  return { name: 'default', address: address?.host, port: address?.port, protocol: 'HTTP' }
}

function expandAgent(agent: unknown, name: string, hasRoutes: boolean): unknown {
  if (!isPlain(agent)) return agent
  return { from: ['default'], ...agent, ...(agent.path === undefined && !hasRoutes ? { path: `/mcp/${name}` } : {}) }
}

/** Whether a route already leads from an agent's `path` to it, so that expanding a long form changes nothing. */
function leadsTo(routes: readonly unknown[], path: string, agent: string): boolean {
  const rules = routes.flatMap((route) => (isPlain(route) && Array.isArray(route.rules) ? route.rules : []))
  return rules.some((rule: unknown) => {
    if (!isPlain(rule) || !Array.isArray(rule.matches) || !Array.isArray(rule.backends)) return false
    const isThere = rule.matches.some(
      (match: unknown) => isPlain(match) && isPlain(match.path) && match.path.type === 'Exact' && match.path.value === path,
    )
    return isThere && rule.backends.some((backend: unknown) => isPlain(backend) && backend.agent === agent)
  })
}

function agentRoute(agent: string, path: string): Plain {
  return { name: agent, rules: [{ matches: [exactly(path)], backends: [{ agent }] }] }
}

const exactly = (value: string): Plain => ({ path: { type: 'Exact', value } })

const defaultRoute: Plain = {
  name: 'default',
  rules: [{ matches: ['/mcp', '/sse', '/messages'].map(exactly), backends: [{ backend: 'default' }] }],
}

function mapValues(map: Plain, change: (value: unknown, name: string) => unknown): Plain {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value, name)]))
}
