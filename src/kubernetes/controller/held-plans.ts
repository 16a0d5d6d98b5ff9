import { nameKey, type ObjectRef, refKey } from '../objects/objects.ts'
import type { GatewayPlan } from '../provision/provision.ts'

/** Which Gateways' documents are not written for now, as too little is known of what they depend on. */
export interface HeldPlans {
  /** Those of these plans that wait, by `ns/name`. */
  held(plans: readonly GatewayPlan[]): ReadonlySet<string>
}

export interface HeldOptions {
  /** Whether an answer about the object is still to come. */
  readonly isAwaited: (ref: ObjectRef) => boolean
  /** Milliseconds, from any origin. */
  readonly now: () => number
}

/** What the first document depends on holds back a Gateway, which others may share, for no longer than this. */
const firstPatienceMs = 60_000
/** So does what objects begin to name later. */
const patienceMs = 15_000

interface Waiting {
  /** What the first document of this process depends on, as far as it is not known; empty as soon as it has been. */
  readonly first: ReadonlySet<string>
  /** When it began to wait, for these or others; undefined: it doesn't. */
  readonly sinceMs: number | undefined
}

/**
 * The document of a Gateway that this process has not yet written may take away what the last process wrote: it waits long for what it
 * depended on at first. Later ones wait a while for what is new. Then they are written without it, as whoever shares the Gateway must not
 * keep all its changes from being served.
 */
export function createHeldPlans({ isAwaited, now }: HeldOptions): HeldPlans {
  /** By `ns/name`, of the last plans. */
  let waiting = new Map<string, Waiting>()

  function wait(plan: GatewayPlan): Waiting {
    const awaited = new Set((plan.waitsFor ?? []).filter(isAwaited).map(refKey))
    const known = waiting.get(nameKey(plan))
    const first = known === undefined ? awaited : new Set([...known.first].filter((key) => awaited.has(key)))
    return { first, sinceMs: awaited.size === 0 ? undefined : (known?.sinceMs ?? now()) }
  }

  return {
    held(plans) {
      const next = new Map(plans.map((plan) => [nameKey(plan), wait(plan)]))
      const isHeld = ({ first, sinceMs }: Waiting) =>
        sinceMs !== undefined && now() - sinceMs < (first.size > 0 ? firstPatienceMs : patienceMs)
      const held = new Set([...next].flatMap(([key, one]) => (isHeld(one) ? [key] : [])))
      waiting = next
      return held
    },
  }
}
