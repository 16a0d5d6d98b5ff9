import { createHash } from 'node:crypto'
import { type Catalog, type CatalogServer, createCatalog, type SelectionPatterns } from '../../catalog/catalog.ts'
import { auditOn, type Config, durationMs, type Listener, type Route, type Rule } from '../../config/config.ts'
import type { Implementation, SealedSessions, Sealer } from '../../era/era.ts'
import { anonymous, type Buffers, type Head, type JsonLimits, refuse, ServerBuffers } from '../../mcp/mcp.ts'
import type { Audit, AuditSettings, Log, Metrics } from '../../observe/observe.ts'
import type { ListenerPolicy } from '../../policy/policy.ts'
import { planUpstream, type Upstream, type UpstreamStatus } from '../../upstream/upstream.ts'
import { type AuthenticatorsAndAudits, createAuthenticatorsAndAudits } from './authenticators-and-audits.ts'
import { createCallerViews } from './caller-views.ts'
import { type Endpoint, edgeOf, type Gate, type Target } from './endpoint.ts'
import { createFindListener } from './find-listener.ts'
import { createGate, isOpen } from './gates.ts'
import { createJudges, listenerPolicies } from './policies.ts'
import { compileRoutes, findRoute, type RouteEntry } from './route-table.ts'

export interface CompiledListener {
  readonly listener: Listener
  readonly policies: readonly ListenerPolicy[]
  readonly gates: ReadonlyMap<Rule, Gate>
  /** The audit log of requests that match no rule. */
  readonly audit: Audit | undefined
}

/** A compiled Config: immutable. The next one takes over every upstream whose settings are the same. */
export interface Snapshot {
  readonly config: Config
  readonly digest: string
  readonly json: JsonLimits
  readonly upstreams: ReadonlyMap<string, { readonly digest: string; readonly upstream: Upstream }>
  readonly agents: ReadonlyMap<string, Catalog>
  /** The views that routes lead to. */
  readonly catalogs: readonly Catalog[]
  readonly endpoints: ReadonlyMap<string, Endpoint>
  /** Authenticators and audit logs, which the next snapshot takes over where their settings are the same. */
  readonly kept: AuthenticatorsAndAudits
  /** The audit log of requests that match no listener. */
  readonly audit: Audit | undefined
  readonly listeners: readonly CompiledListener[]
  /** The listener for a request, among those that share its socket: by the host name. */
  listenerFor(head: Head, host: string): CompiledListener | undefined
  routeFor(listener: CompiledListener, head: Head, host: string): RouteEntry<Target> | undefined
  /** An endpoint as its caller sees it in this snapshot; undefined where it no longer exists, or the caller would not be let in. */
  reenter(to: Endpoint): Endpoint | undefined
  /** The paths of a listener's routes, to be suggested where nothing matched. */
  paths(listener: string): readonly string[]
}

export interface SnapshotDeps {
  /** Counts what is held of all servers. */
  readonly buffers: Buffers
  readonly info: Implementation
  readonly now: () => number
  readonly random: () => number
  readonly log: Log
  readonly metrics: Metrics
  readonly sessions: SealedSessions
  readonly cursors: Sealer
  readonly secret: (reference: string) => string
  /** Milliseconds since 1970. */
  readonly wallNow: () => number
  readonly openAudit: (settings: AuditSettings) => Audit
  /** The key of digests in audit records, where the document has none. */
  readonly processKey: Uint8Array
  /** Whether the log says that a server is ready for the first time. */
  readonly logsFirstReadiness: () => boolean
  /** Called when any list or state of a server has changed. */
  readonly onChange: () => void
}

/** Compiles a Config. Throws where a secret has disappeared since it was parsed; the snapshot before then stays in force. */
export function compile(config: Config, deps: SnapshotDeps, previous: Snapshot | undefined): Snapshot {
  const opened: (() => void)[] = []
  try {
    return compileAll(config, deps, previous, (close) => opened.push(close))
  } catch (error) {
    for (const close of opened) close()
    throw error
  }
}

function compileAll(config: Config, deps: SnapshotDeps, previous: Snapshot | undefined, opened: (close: () => void) => void): Snapshot {
  // A closure over `previous` would keep all earlier snapshots alive.
  const upstreamsBefore = previous?.upstreams
  const keptBefore = previous?.kept
  const plans = new Map(
    Object.entries(config.backends).flatMap(([backendName, backend]) =>
      Object.entries(backend.servers).map(([name, server]) => {
        const agent = `${deps.info.name}/${deps.info.version}`
        return [
          `${backendName}/${name}`,
          { backendName, name, plan: planUpstream(backendName, name, server, config.limits, agent, deps.secret) },
        ] as const
      }),
    ),
  )
  const upstreams = new Map(
    [...plans].map(([key, { backendName, name, plan }]) => {
      const known = upstreamsBefore?.get(key)
      if (known?.digest === plan.digest) return [key, known] as const
      const upstream = plan.open(upstreamDeps(backendName, name, deps))
      opened(() => void upstream.close(0, true))
      return [key, { digest: plan.digest, upstream }] as const
    }),
  )
  const conflicts = new Map<string, number>()
  const agents = new Map<string, Catalog>()
  const endpoints = new Map<string, Endpoint>()
  const rules = new Map<string, Rule>()
  const catalogOf = (title: string, servers: readonly CatalogServer[], selection: SelectionPatterns | undefined) =>
    createCatalog(
      { title, servers, selection, cursors: deps.cursors },
      {
        conflicts(names) {
          conflicts.set(title, names.length)
          deps.metrics.setNameConflicts([...conflicts.values()].reduce((sum, count) => sum + count, 0))
          if (names.length > 0) deps.log.warn({ view: title, hidden: names }, 'names are hidden by equal ones of earlier servers')
        },
        selectsNothing: (patterns) =>
          deps.log.warn({ view: title, patterns, code: 'selects-nothing' }, 'patterns match nothing on a server that answers'),
      },
    )
  const serversOf = (backendNames: readonly string[], prefix: string | undefined): CatalogServer[] =>
    backendNames.flatMap((backendName) => {
      const backend = config.backends[backendName]
      const names = Object.keys(backend?.servers ?? {})
      const mode = prefix ?? (backendNames.length > 1 ? 'always' : (backend?.prefix ?? 'always'))
      const isPrefixed = mode === 'always' || (mode === 'conditional' && names.length > 1)
      return names.flatMap((name) => {
        const upstream = upstreams.get(`${backendName}/${name}`)?.upstream
        return upstream === undefined ? [] : [{ name, upstream, isPrefixed, isRequired: backend?.failure === 'closed' }]
      })
    })
  const backendCatalogs = new Map<string, Catalog>()
  for (const [name] of Object.entries(config.backends))
    backendCatalogs.set(name, catalogOf(`backend "${name}"`, serversOf([name], undefined), undefined))
  for (const [name, agent] of Object.entries(config.agents))
    agents.set(name, catalogOf(`agent "${name}"`, serversOf(agent.from, agent.prefix), agent))

  const targetOf = (route: Route, rule: Rule, index: number): Target => {
    const [to] = rule.backends
    if (to === undefined || to.weight === 0) return refusal(500, 'this route leads nowhere')
    if (to.refuse !== undefined) return refusal(to.refuse.status, to.refuse.reason ?? 'this route is broken')
    const name = index === 0 ? route.name : `${route.name}#${index}`
    const catalog = to.agent === undefined ? backendCatalogs.get(to.backend ?? '') : agents.get(to.agent)
    if (catalog === undefined) return refusal(500, 'this route leads to something that is not there')
    const own = to.agent === undefined ? config.backends[to.backend ?? '']?.instructions : config.agents[to.agent]?.instructions
    const target: Endpoint = {
      kind: 'catalog',
      name,
      catalog,
      agent: to.agent,
      backend: to.backend,
      instructions: own,
      requestMs: rule.timeouts.request === undefined ? undefined : durationMs(rule.timeouts.request),
      endpoint: edgeOf({ route: name, serverInfo: deps.info, sessions: deps.sessions }, catalog, own),
      caller: anonymous,
      entry: undefined,
    }
    endpoints.set(name, target)
    rules.set(name, rule)
    return target
  }
  const routes = compileRoutes(config, targetOf)
  const kept = createAuthenticatorsAndAudits(config, deps, keptBefore, opened)
  const judgeOf = createJudges()
  const views = createCallerViews()
  const auditOf = (listener: Listener) => {
    const audit = auditOn(config, { listener })
    return audit === undefined ? undefined : kept.audit(audit.settings)
  }
  const listeners = config.listeners.map((listener): CompiledListener => {
    const own = config.routes.filter((route) => route.listeners === undefined || route.listeners.includes(listener.name))
    const gates = own.flatMap((route) =>
      route.rules.map((rule) => [rule, createGate(config, listener, route, rule, kept, judgeOf, views)] as const),
    )
    return { listener, policies: listenerPolicies(config, listener), gates: new Map(gates), audit: auditOf(listener) }
  })
  // The addresses of upstreams that were taken over may have changed.
  for (const [key, { plan }] of plans) upstreams.get(key)?.upstream.setEndpoints(plan.endpoints)
  return {
    config,
    digest: createHash('sha256').update(JSON.stringify(config)).digest('hex').slice(0, 16),
    json: { depth: config.limits.depth, tokens: config.limits.tokens },
    upstreams,
    agents,
    catalogs: [...new Set([...endpoints.values()].map((target) => target.catalog))],
    endpoints,
    listeners,
    kept,
    audit: config.policies?.audit === undefined ? undefined : kept.audit(config.policies.audit),
    reenter(to) {
      const target = endpoints.get(to.name)
      const rule = rules.get(to.name)
      if (target === undefined || rule === undefined) return undefined
      const { entry } = to
      const gates = listeners
        .filter(({ listener }) => entry === undefined || listener.name === entry.listener)
        .flatMap((listener) => listener.gates.get(rule) ?? [])
      if (entry === undefined) return gates.every(isOpen) ? target : undefined
      const [gate] = gates
      return gate === undefined ? undefined : gate.reenter(target, to, entry)
    },
    listenerFor: createFindListener(listeners),
    routeFor: (listener, head, host) => findRoute(routes, listener.listener.name, host, head),
    paths: (listener) => [
      ...new Set(
        routes
          .filter((entry) => entry.route.listeners === undefined || entry.route.listeners.includes(listener))
          .map((entry) => entry.match.path.value)
          .filter((path) => !isEventPath(path)),
      ),
    ],
  }
}

/** Whether a path is one of the two that the HTTP+SSE transport of 2024-11-05 has beside an endpoint. */
export function isEventPath(path: string): boolean {
  return path.endsWith('/sse') || path.endsWith('/messages')
}

function refusal(status: number, text: string): Target {
  return { kind: 'refuse', status, refusal: refuse('broken-route', text) }
}

function upstreamDeps(backend: string, server: string, deps: SnapshotDeps) {
  const { log, metrics } = deps
  const repaired = new Set<string>()
  return {
    clientInfo: deps.info,
    now: deps.now,
    random: deps.random,
    buffers: new ServerBuffers(deps.buffers),
    events: {
      listChanged(status: UpstreamStatus) {
        metrics.setServer(server, { up: status.state === 'ready', tools: status.tools })
        deps.onChange()
      },
      stateChanged(status: UpstreamStatus, before: UpstreamStatus['state']) {
        metrics.setServer(server, { up: status.state === 'ready', tools: status.tools })
        if (status.state === 'down')
          log.warn({ backend, server, error: status.lastError, remedy: status.remedy, tools: status.tools }, 'server is down')
        else
          log[before === 'down' || deps.logsFirstReadiness() ? 'info' : 'debug'](
            { backend, server, era: status.era, version: status.version, tools: status.tools },
            'server is ready',
          )
        deps.onChange()
      },
      dropped: (reasons: readonly string[]) => log.warn({ backend, server, reasons }, 'parts of the server’s lists are left out'),
      repaired(tool: string) {
        metrics.countRepair(server)
        if (repaired.has(tool) || repaired.size >= maxRepairedTools) return
        repaired.add(tool)
        log.warn({ backend, server, tool }, 'the tool’s results are not valid MCP and get repaired')
      },
    },
  }
}

/** How many tools are logged, once each, because their results had to be repaired. */
const maxRepairedTools = 100
