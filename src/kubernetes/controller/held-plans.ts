import { nameKey, type ObjectRef, refKey } from '../objects/objects.ts'
import type { GatewayPlan } from '../provision/provision.ts'

/** Decides which Gateways' documents must not be written yet, as it is not known whether what they depend on exists. */
export interface HeldPlans {
  /** The plans that must wait, by `ns/name` of their Gateways. */
  held(plans: readonly GatewayPlan[]): ReadonlySet<string>
}

/** What the decision needs. */
export interface HeldOptions {
  /** Whether it is still unknown if an object exists. */
  readonly isAwaited: (ref: ObjectRef) => boolean
  /** Milliseconds, from any origin. */
  readonly now: () => number
}

/** How long a Gateway, which several may share, waits at most for what its first document depends on. */
const firstPatienceMs = 60_000
/** How long it waits at most for what objects begin to refer to later. */
const patienceMs = 15_000

interface Waiting {
  /** What this process's first document depends on and is not known yet. */
  readonly first: ReadonlySet<string>
  /** When it began to wait; undefined where it does not. */
  readonly sinceMs: number | undefined
}

/**
 * The first document that a process writes for a Gateway may take away what the process before wrote, so it waits long for what it depends
 * on. Later documents wait a while for what is new. After that they are written without it: one of several who share a Gateway must not
 * keep the changes of the others from being served.
 */
export function createHeldPlans({ isAwaited, now }: HeldOptions): HeldPlans {
  /** By `ns/name` of the Gateways in the last plans. */
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
