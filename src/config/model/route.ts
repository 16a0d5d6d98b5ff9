import type { HttpTarget } from './backend.ts'
import type { Policies } from './policies.ts'
import type { Duration } from './values.ts'

export interface Route {
  readonly name: string
  /** Names of listeners, at least one; absent: all of them. */
  readonly listeners?: readonly string[]
  /** Empty: any host. */
  readonly hostnames: readonly string[]
  readonly policies?: Policies
  readonly rules: readonly Rule[]
}

export interface Rule {
  /** At least one. A request must meet any one of them. */
  readonly matches: readonly Match[]
  readonly filters?: readonly unknown[]
  /** Exactly one for now. */
  readonly backends: readonly RuleBackend[]
  readonly timeouts: RuleTimeouts
  readonly policies?: Policies
}

export interface RuleTimeouts {
  readonly request?: Duration
  readonly backendRequest?: Duration
}

/** The HTTPRouteMatch of the Gateway API: a request must meet every condition in it. */
export interface Match {
  readonly path: PathMatch
  readonly headers: readonly ValueMatch[]
  readonly queryParams: readonly ValueMatch[]
  readonly method?: string
}

export interface PathMatch {
  readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression'
  readonly value: string
}

/** One header (its name in any case) or one query parameter. */
export interface ValueMatch {
  readonly type: 'Exact' | 'RegularExpression'
  readonly name: string
  readonly value: string
}

/**
 * Where a rule sends requests: exactly one of `backend`, `agent`, `refuse` (and later `http`) is set. If the only one has weight 0, there
 * is no traffic.
 */
export interface RuleBackend {
  readonly backend?: string
  readonly agent?: string
  readonly refuse?: { readonly status: number; readonly reason?: string }
  readonly http?: HttpTarget
  readonly weight: number
}
