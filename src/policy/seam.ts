import type { Caller, Head, Item, Refusal } from '../mcp/mcp.ts'
import type { ListenerPolicyName, WayPolicyName } from './order.ts'

/** A policy that a listener asks about every request, before its route and its caller are known. */
export interface ListenerPolicy {
  readonly name: ListenerPolicyName
  /** Admits a request, with headers for its reply, or refuses it. */
  admit(head: Head): HeadVerdict
}

/** The decision about a request's head: a refusal, or headers that go with the reply. */
export type HeadVerdict = Refusal | { readonly kind: 'pass'; readonly headers: Readonly<Record<string, string>> }

/**
 * A policy on the way from a listener to the backend or agent that a route's rule leads to. It has only the hooks that it needs; an absent
 * one costs nothing. Hooks are synchronous and know nothing of other policies.
 */
export interface Policy {
  readonly name: WayPolicyName
  /** Admits a caller or refuses it, before the request's body is read. */
  admit?(asking: Asking): Decision
  /**
   * Hides entries of lists from a caller. What is hidden does not exist for that caller's calls, completions, subscriptions and change
   * notifications either.
   */
  readonly sight?: PolicySight
  /**
   * Allows or refuses the use of an item that the caller sees: a call, a read, a subscription.
   * @param args JSON text of the arguments; undefined where there are none
   */
  call?(asking: Asking, item: Item, method: string, args: string | undefined): Decision
  /**
   * Explains what it says of an entry and its use: every place of the document that speaks of it, in the order asked, although one may
   * decide; nothing where only `admit` matters. @param args undefined: not known
   */
  explain(asking: Asking, item: Item, args: string | undefined): readonly LevelReading[]
}

/** Which items a policy lets callers see. */
export interface PolicySight {
  /** Whether a caller sees a tool, prompt or resource. */
  sees(asking: Asking, item: Item): Verdict
  /** Whether a caller might see any item of this kind on a server. */
  reaches(asking: Asking, backend: string, server: string, kind: Item['kind']): boolean
  /** Whether its decisions are the same for all requests of a caller. */
  readonly isByCaller: boolean
}

/** A caller and the head of the request that is being decided on. */
export interface Asking {
  readonly caller: Caller
  readonly head: Head
}

/** The decision of a policy about a caller or a call. */
export type Decision = Pass | Denied

export interface Pass {
  readonly kind: 'pass'
  /** The rule that decided; undefined where no rule applied. */
  readonly by?: DecidingRule | undefined
}

export type Denied = Refusal & { readonly by?: DecidingRule | undefined }

export interface Verdict {
  readonly isAllowed: boolean
  /** Allowed so far, but some rule depends on the call's arguments. */
  readonly mayBeRefused: boolean
  /** The rule that decided; undefined where no rule applied. */
  readonly by: DecidingRule | undefined
}

export interface DecidingRule {
  /** The rule's path in the document, such as `policies.authorize.deny[0]`; where no allow of a level holds, the path of its `allow`. */
  readonly place: string
  /** The rule's text; undefined where the lack of an allow decided. */
  readonly text: string | undefined
  readonly because: 'allowed' | 'denied' | 'not-allowed' | 'not-required' | 'error'
}

/** The verdict where no rule applied. */
export const unasked: Verdict = { isAllowed: true, mayBeRefused: false, by: undefined }

/** The result of one rule, for an explanation. */
export interface RuleReading {
  readonly place: string
  readonly text: string
  readonly says: 'holds' | 'does not hold' | 'error' | 'needs arguments'
  /** Why, where `says` is `error`. */
  readonly why: string | undefined
}

/** The results of the rules at one place of the document, for an explanation. */
export interface LevelReading {
  readonly place: string
  /** Whether the level applies; false: it is about other servers. */
  readonly isAsked: boolean
  readonly rules: readonly RuleReading[]
  readonly verdict: Verdict
}
