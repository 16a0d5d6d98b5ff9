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
  /** At least one; any of them suffices. */
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

/** The Gateway API's HTTPRouteMatch: all that it names must hold. */
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

/** Where a rule leads: exactly one of `backend`, `agent`, `refuse` (and later `http`) is there. Weight 0 as the only one: no traffic. */
export interface RuleBackend {
  readonly backend?: string
  readonly agent?: string
  readonly refuse?: { readonly status: number; readonly reason?: string }
  readonly http?: HttpTarget
  readonly weight: number
}
