import type { Caller, Head, Item, Refusal } from '../mcp/mcp.ts'
import type { ListenerPolicyName, WayPolicyName } from './order.ts'

/** A policy of a listener, asked of every request before its route and its caller are known. */
export interface ListenerPolicy {
  readonly name: ListenerPolicyName
  /** Lets a request come in, with headers that go with its reply, or refuses it. */
  admit(head: Head): HeadVerdict
}

/** What is said of a request's head: a refusal, or headers that go with the reply. */
export type HeadVerdict = Refusal | { readonly kind: 'pass'; readonly headers: Readonly<Record<string, string>> }

/**
 * A policy on the way from a listener to what a route's rule leads to. It has the hooks that it needs; one that it lacks costs nothing. A hook
 * answers at once, and knows nothing of other policies.
 */
export interface Policy {
  readonly name: WayPolicyName
  /** Lets a caller come in, or refuses it, before the request's body is read. */
  admit?(asking: Asking): Word
  /** Hides entries of lists. What it hides is not there for calls, completions, subscriptions and change notices either. */
  readonly sight?: PolicySight
  /**
   * Lets pass, or refuses, the use of what is seen: a call, a read, a subscription.
   * @param args JSON text of the arguments; undefined where there are none
   */
  call?(asking: Asking, item: Item, method: string, args: string | undefined): Word
  /**
   * Explains what it says of an entry and its use: every place of the document that speaks of it, in the order asked, although one may
   * decide; nothing where only `admit` matters. @param args undefined: not known
   */
  explain(asking: Asking, item: Item, args: string | undefined): readonly LevelReading[]
}

/** What a policy lets callers see. */
export interface PolicySight {
  /** Whether a tool, prompt or resource is there for a caller. */
  sees(asking: Asking, item: Item): Verdict
  /** Whether anything of this kind on a server could be there for a caller. */
  reaches(asking: Asking, backend: string, server: string, kind: Item['kind']): boolean
  /** Whether what it says of one caller is the same for all of that caller's requests. */
  readonly isByCaller: boolean
}

/** Who asks, and by which request. */
export interface Asking {
  readonly caller: Caller
  readonly head: Head
}

/** What a policy says of a caller or a call. */
export type Word = Pass | Denied

export interface Pass {
  readonly kind: 'pass'
  /** What decided; undefined where nothing had to. */
  readonly by?: DecidingRule | undefined
}

export type Denied = Refusal & { readonly by?: DecidingRule | undefined }

export interface Verdict {
  readonly isAllowed: boolean
  /** Allowed as far as can be said without a call's arguments, which some rule wants to see. */
  readonly mayBeRefused: boolean
  /** What decided; undefined where nothing had to: no rule spoke of it. */
  readonly by: DecidingRule | undefined
}

export interface DecidingRule {
  /** The rule's path in the document, such as `policies.authorize.deny[0]`; of a level without one that holds, its `allow`. */
  readonly place: string
  /** The rule; undefined where it was the lack of one that holds. */
  readonly text: string | undefined
  readonly because: 'allowed' | 'denied' | 'not-allowed' | 'not-required' | 'error'
}

/** Nothing had to decide. */
export const unasked: Verdict = { isAllowed: true, mayBeRefused: false, by: undefined }

/** What one rule says in an explanation. */
export interface RuleReading {
  readonly place: string
  readonly text: string
  readonly says: 'holds' | 'does not hold' | 'error' | 'needs arguments'
  /** Of an error: why. */
  readonly why: string | undefined
}

/** What one place of the document says in an explanation. */
export interface LevelReading {
  readonly place: string
  /** False: this level is about other servers. */
  readonly isAsked: boolean
  readonly rules: readonly RuleReading[]
  readonly verdict: Verdict
}
