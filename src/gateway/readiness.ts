import { isLoopback, type Rule } from '../config/config.ts'
import type { Audit, AuditSinkSettings } from '../observe/observe.ts'
import type { Authenticator } from '../policy/policy.ts'
import type { UpstreamStatus } from '../upstream/upstream.ts'
import type { Snapshot } from './route/route.ts'

/** What `/readyz` says (docs/operation.md, Readiness). */
export interface Readiness {
  readonly isReady: boolean
  /** Why it is not ready. */
  readonly reasons: readonly string[]
  /** What is wrong and does not make it unready: ways that refuse requests while others serve, and servers that are missing. */
  readonly degraded: readonly string[]
  /**
   * The entries of `reasons` and `degraded` that concern policies and listeners: whatever refuses requests or would lose records. The
   * start, the drain and missing servers are not among them.
   */
  readonly faults: readonly string[]
  /** Ways through listeners and routes on which every request is refused now. */
  readonly closedWays: number
}

/** The ways through a snapshot, and what stands on them. */
export interface Ways {
  readonly listeners: readonly { readonly listener: { readonly name: string }; readonly gates: ReadonlyMap<Rule, Barriers> }[]
  readonly audits: readonly Pick<Audit, 'isOpen' | 'faults'>[]
  readonly authenticators: readonly Pick<Authenticator, 'isShut' | 'faults'>[]
  readonly servers: readonly Pick<UpstreamStatus, 'backend' | 'name' | 'state' | 'lastError'>[]
}

/** The parts of a gate that may refuse every request. */
interface Barriers {
  readonly audit: Pick<Audit, 'isOpen' | 'faults'> | undefined
  readonly authenticator: Pick<Authenticator, 'isShut' | 'faults'> | undefined
}

export interface ReadinessState {
  readonly isStarting: boolean
  readonly isDraining: boolean
  /** Whether this process has been ready before. From then on a cause that all replicas share does not make it unready. */
  readonly wasReady: boolean
  /** Names of listeners that are not open although the configuration has them. */
  readonly closedListeners: readonly string[]
}

/**
 * A process is ready while some way through it serves requests. Where every way refuses them, it is unready if a cause is its own, so that
 * another replica may do better. Causes that all replicas share make it unready only if it has never been ready.
 */
export function readinessOf(ways: Ways, { isStarting, isDraining, wasReady, closedListeners }: ReadinessState): Readiness {
  const faults = [
    ...closedListeners.map((name) => `listener "${name}" is not open`),
    ...ways.audits.flatMap((audit) => audit.faults.map(({ text }) => `audit: ${text}`)),
    ...ways.authenticators.flatMap((authenticator) => authenticator.faults),
  ]
  const closures = ways.listeners.flatMap(({ listener, gates }) =>
    [...gates].filter(([rule]) => isServed(rule)).map(([, gate]) => closureOf(gate, closedListeners.includes(listener.name))),
  )
  const closedWays = closures.filter((closure) => closure !== undefined).length
  const isClosed = closedWays > 0 && closedWays === closures.length && (!wasReady || closures.includes('own'))
  const reasons = [...(isStarting ? ['starting'] : []), ...(isDraining ? ['draining'] : []), ...(isClosed ? faults : [])]
  const missing = ways.servers.filter(({ state }) => state !== 'ready')
  return {
    isReady: reasons.length === 0,
    reasons,
    degraded: [
      ...(isClosed ? [] : faults),
      ...missing.map((status) => `${status.backend}/${status.name}: ${status.lastError ?? status.state}`),
    ],
    faults,
    closedWays,
  }
}

export function waysOf({ listeners, kept, upstreams }: Snapshot): Ways {
  return {
    listeners,
    audits: [...kept.audits.values()],
    authenticators: [...kept.authenticators.values()],
    servers: [...upstreams.values()].map(({ upstream }) => upstream.status()),
  }
}

/**
 * Why a way refuses every request: because of this process (`own`), or of something that all replicas share (`elsewhere`). Undefined where
 * it does not refuse them.
 */
type Closure = 'own' | 'elsewhere' | undefined

function closureOf({ audit, authenticator }: Barriers, isListenerClosed: boolean): Closure {
  if (isListenerClosed) return 'own'
  if (audit?.isOpen === false) return audit.faults.some(({ sink }) => isOwnSink(sink)) ? 'own' : 'elsewhere'
  return authenticator?.isShut === true ? 'elsewhere' : undefined
}

/** Whether a sink belongs to this process or its machine alone. Other URLs are shared by all replicas. */
function isOwnSink(sink: AuditSinkSettings): boolean {
  return sink.kind !== 'http' || isLoopback(new URL(sink.url).hostname.replace(/^\[|\]$/g, ''))
}

/** Whether a rule leads to servers. A rule that only refuses does not make the process unready. */
function isServed({ backends: [to] }: Rule): boolean {
  return to !== undefined && to.weight !== 0 && to.refuse === undefined
}
