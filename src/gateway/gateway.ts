import type { Config } from '../config/config.ts'
import { createModernClient, type Implementation } from '../era/era.ts'
import { Buffers, type ChangeKind, changeKinds, type Exchange, type Reason } from '../mcp/mcp.ts'
import type { Audit, AuditSettings, Log, Metrics } from '../observe/observe.ts'
import type { Upstream, UpstreamStatus } from '../upstream/upstream.ts'
import { createClientCalls, createSuspendedCalls } from './calls/calls.ts'
import { type Asker, type Explanation, explain, type Question, type Showing, showTo } from './explain.ts'
import { type Readiness, readinessOf, waysOf } from './readiness.ts'
import { edgeEntry } from './request/request.ts'
import { anonymousToolCounts, compile, type Endpoint, type Snapshot, type SnapshotDeps, socketOf } from './route/route.ts'
import { createSeals, type Seals } from './seals.ts'
import { createServe } from './serve.ts'
import { createAsks, createClientStates, createLegacySessions, createWatchShares } from './sessions/sessions.ts'
import { createChangeStreams, createStreams, type Revisions } from './streams/streams.ts'

export type { Asker, Explanation, Question, Showing, Step } from './explain.ts'
export type { Readiness } from './readiness.ts'
export { socketOf } from './route/route.ts'

export interface GatewayDeps {
  /** Counts what is held of servers. Default: without a bound. */
  readonly buffers?: Buffers
  readonly info: Implementation
  readonly log: Log
  readonly metrics: Metrics
  /** performance.now() or alike. */
  readonly now: () => number
  /** Milliseconds since the epoch, by which sessions expire. Default Date.now. */
  readonly wallNow?: () => number
  readonly random: (bytes: number) => Uint8Array
  /** Gives a secret's value; throws where it is gone. */
  readonly secret: (reference: string) => string
  readonly openAudit: (settings: AuditSettings) => Audit
  /** Names of configured listeners whose sockets are not open. Sockets are opened by the `listen` folder. */
  readonly closedListeners?: () => readonly string[]
}

export interface EdgeRefusal {
  /** The socket that accepted it, in the form of `socketOf`; several listeners may share one. */
  readonly listener: string
  readonly requestId: string
  readonly reason: Reason
  /** The address of the connection. */
  readonly remote: string
  /** The HTTP status; 0 where the connection was closed without a reply. */
  readonly status: number
}

/** What `/status` says (docs/operation.md). */
export interface GatewayStatus {
  readonly configDigest: string
  readonly version: string
  readonly servers: readonly UpstreamStatus[]
  readonly agents: readonly {
    readonly name: string
    /** What it selects. */
    readonly tools: number
    /** What of that rules leave to a caller without a credential; undefined where none is let in. */
    readonly anonymousTools: number | undefined
  }[]
}

/** The running gateway: serves exchanges by its current snapshot, which `apply` replaces whole. */
export interface Gateway {
  serve(exchange: Exchange): Promise<void>
  /** Records a request that was refused before it became an exchange. */
  recordEdgeRefusal(refusal: EdgeRefusal): void
  /**
   * Puts a new Config in force. Throws, and changes nothing, where a secret is gone. Resolves with how many listening clients were told
   * that their lists have changed; clients of new servers are told later, when these have answered.
   */
  apply(config: Config): Promise<number>
  /** From now on a server's first readiness is logged. Until then the start of the process reports all servers at once. */
  logFirstReadiness(): void
  /** Resolves when every server has been heard of once, or is known to be down. */
  settled(): Promise<void>
  status(): GatewayStatus
  readiness(): Readiness
  /** The tools that an agent sees, as the JSON text of a `tools/list` result; undefined for an unknown agent. */
  toolsOf(agent: string): string | undefined
  /** Every layer that a call would pass, and what each says. */
  explain(question: Question): Promise<Explanation>
  /** The tools that a caller of an agent is shown. */
  showTo(asker: Asker): Promise<Showing>
  config(): Config
  /** Not ready from now on; requests are still served. */
  becomeUnready(): void
  /** Not ready from now on, and every event stream ends. */
  startDraining(): void
  close(graceMs: number): Promise<void>
}

/** How long calls to a server that was removed from the configuration may go on, unless its own time-out is longer. */
const retireMs = 60_000
const sweepMs = 30_000
const lookMs = 100

export function createGateway(first: Config, deps: GatewayDeps): Gateway {
  const word = () => Buffer.from(deps.random(12)).toString('base64url')
  const processName = word()
  const wallNow = deps.wallNow ?? Date.now
  const buffers = deps.buffers ?? new Buffers()
  const processKey = deps.random(32)
  const sealsFor = createSeals({ random: deps.random, secret: deps.secret, now: wallNow })
  let seals: Seals | undefined
  let snapshot: Snapshot | undefined
  let isSettled = false
  let isDraining = false
  let wasReady = false
  let logsFirstReadiness = false

  const current = (): Snapshot => {
    if (snapshot === undefined) throw new Error('no configuration has been applied')
    return snapshot
  }
  const sealed = (): Seals => {
    if (seals === undefined) throw new Error('no configuration has been applied')
    return seals
  }
  const changes = createChangeStreams(
    () => current().config.limits.streamsPerCaller,
    revisionsOf,
    wallNow,
    (err) => deps.log.error({ err }, 'a bug: please report it'),
  )
  const clients = createClientStates()
  const asks = createAsks(() => sealed().asks, processName)
  const suspendedCalls = createSuspendedCalls(processName, word)
  const calls = createClientCalls({ asks, suspendedCalls, clients, states: () => sealed().states, elicitationId: word })
  const shares = createWatchShares()
  /** Servers that were removed from the configuration and still have calls. */
  const retiring = new Set<Upstream>()
  const upstreamOf = (key: string) =>
    [...current().upstreams.values()].find(({ upstream }) => upstream.key === key)?.upstream ??
    [...retiring].find((upstream) => upstream.key === key)

  function endpointOf(to: Endpoint) {
    return current().reenter(to)
  }
  function revisionsOf(to: Endpoint): Revisions | undefined {
    const catalog = endpointOf(to)?.catalog
    if (catalog === undefined) return undefined
    return Object.fromEntries(changeKinds.map((kind) => [kind, catalog.revision(kind)])) as Record<ChangeKind, string>
  }
  /** The promise of the look that `lookSoon` has scheduled; undefined where none is. */
  let lookDue: PromiseWithResolvers<void> | undefined
  /**
   * Looks at all views once, after a moment in which further changes are gathered: logs name conflicts and patterns that match nothing, and
   * notifies clients whose lists have changed.
   */
  const lookSoon = (): Promise<void> => {
    if (lookDue !== undefined) return lookDue.promise
    const look = Promise.withResolvers<void>()
    lookDue = look
    setTimeout(() => {
      lookDue = undefined
      try {
        for (const catalog of current().catalogs) catalog.toolCount()
        look.resolve(changes.look())
      } catch (error) {
        deps.log.error({ err: error }, 'a bug: please report it')
        look.resolve()
      }
    }, lookMs).unref()
    return look.promise
  }
  const compileNext = (config: Config): Snapshot => {
    const next = sealsFor(config)
    const snapshotDeps: SnapshotDeps = {
      buffers,
      info: deps.info,
      now: deps.now,
      random: () => (deps.random(1)[0] ?? 0) / 256,
      log: deps.log,
      metrics: deps.metrics,
      sessions: next.sessions,
      cursors: next.cursors,
      secret: deps.secret,
      wallNow,
      openAudit: deps.openAudit,
      processKey,
      logsFirstReadiness: () => logsFirstReadiness,
      onChange: lookSoon,
    }
    const compiled = compile(config, snapshotDeps, snapshot)
    seals = next
    for (const { upstream } of compiled.upstreams.values()) deps.metrics.startServer(upstream.settings.name)
    return compiled
  }
  const retire = (old: Snapshot, next: Snapshot) => {
    for (const [key, { upstream }] of old.upstreams) {
      if (next.upstreams.get(key)?.upstream === upstream) continue
      retiring.add(upstream)
      const isLast = isAlone(old) && ![...next.upstreams.values()].some((other) => other.upstream.key === upstream.key)
      void upstream.close(Math.max(retireMs, upstream.settings.requestMs), isLast).finally(() => retiring.delete(upstream))
      const { name } = upstream.settings
      if (![...next.upstreams.values()].some((other) => other.upstream.settings.name === name)) deps.metrics.forgetServer(name)
    }
    for (const [key, authenticator] of old.kept.authenticators) if (!next.kept.authenticators.has(key)) authenticator.close()
    // Requests in flight are still recorded by the audit log with which they began.
    for (const [key, audit] of old.kept.audits) if (!next.kept.audits.has(key)) void audit.close(retireMs)
  }
  const settled = async () => {
    await Promise.all([...current().upstreams.values()].map(({ upstream }) => upstream.ensureFresh()))
    isSettled = true
  }
  const readiness = (): Readiness => {
    const closedListeners = deps.closedListeners?.() ?? []
    const found = readinessOf(waysOf(current()), { isStarting: !isSettled || !areKeysAsked, isDraining, wasReady, closedListeners })
    wasReady ||= found.isReady
    return found
  }

  snapshot = compileNext(first)
  const { authenticators } = snapshot.kept
  let areKeysAsked = authenticators.size === 0
  const keysAsked = Promise.all([...authenticators.values()].map((one) => one.asked())).then(() => {
    areKeysAsked = true
  })
  // `readiness` notes that the gateway has been ready; it is called here so that this is noted even where nobody asks for it.
  void Promise.all([settled(), keysAsked]).then(readiness)
  const sweeper = setInterval(() => {
    readiness()
    const isOver = isAlone(current())
    sealed().sessions.sweep((session) => {
      deps.metrics.observeSession(wallNow() - session.openedAtMs)
      changes.endSession(session.key)
      clients.end(session.key)
      for (const { upstream } of current().upstreams.values()) upstream.endSession(session, isOver)
    })
  }, sweepMs).unref()

  return {
    serve: createServe({
      snapshot: current,
      modernClient: createModernClient(deps.info),
      calls,
      sessions: createLegacySessions({ clients, asks, shares, now: deps.now, endpointOf }),
      streams: createStreams({ changes, clients, asks, metrics: deps.metrics, shares, calls, endpointOf }),
      upstreamOf,
      log: deps.log,
      metrics: deps.metrics,
      now: deps.now,
    }),
    recordEdgeRefusal(refusal) {
      const { listeners, audit } = current()
      const own = listeners.filter(({ listener }) => socketOf(listener) === refusal.listener).map((one) => one.audit)
      for (const one of new Set(own.length === 0 ? [audit] : own)) one?.write(edgeEntry(refusal))
    },
    apply(config) {
      const next = compileNext(config)
      const old = current()
      // A look that has begun already goes on with the new configuration: what it tells from here on counts too.
      const before = changes.toldCount
      snapshot = next
      retire(old, next)
      return lookSoon().then(() => changes.toldCount - before)
    },
    logFirstReadiness() {
      logsFirstReadiness = true
    },
    settled,
    status() {
      const anonymousTools = anonymousToolCounts(current())
      return {
        configDigest: current().digest,
        version: deps.info.version,
        servers: [...current().upstreams.values()].map(({ upstream }) => upstream.status()),
        agents: [...current().agents].map(([name, catalog]) => ({
          name,
          tools: catalog.toolCount(),
          anonymousTools: anonymousTools.get(name),
        })),
      }
    },
    readiness,
    toolsOf: (agent) => current().agents.get(agent)?.toolsText(),
    explain: (question) => explain(current(), question),
    showTo: (asker) => showTo(current(), asker),
    config: () => current().config,
    becomeUnready() {
      isDraining = true
    },
    startDraining() {
      isDraining = true
      changes.endAll()
      suspendedCalls.drain()
    },
    async close(graceMs) {
      clearInterval(sweeper)
      const all = [...[...current().upstreams.values()].map(({ upstream }) => upstream), ...retiring]
      await Promise.all(all.map((upstream) => upstream.close(graceMs, isAlone(current()))))
      const { authenticators, audits } = current().kept
      for (const authenticator of authenticators.values()) authenticator.close()
      await Promise.all([...audits.values()].map((audit) => audit.close(graceMs)))
    },
  }
}

/** Whether no other process can continue this one's sessions: without configured keys, each process seals them with a key of its own. */
function isAlone({ config }: Snapshot): boolean {
  return config.sessions.keys.length === 0
}
