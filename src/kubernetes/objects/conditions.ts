import type { KubeObject } from './object.ts'
import type { Raw } from './raw.ts'

/** A condition without its `observedGeneration` and `lastTransitionTime`, which are added later. */
export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  /** CamelCase. */
  readonly reason: string
  /** A sentence for people, with the remedy. */
  readonly message: string
}

/** Why an object, or a part of it, cannot do what it says. */
export interface Fault {
  /** The reason of the condition that reports it. */
  readonly reason: string
  /** A sentence that names the place, such as `spec.mcp.targets[2]`, and the remedy. */
  readonly message: string
}

/** Messages of conditions hold at most 32,768 characters (metav1.Condition). */
const maxMessage = 32_768

/** Conditions as they stand in a status: with the object's generation, and without times. */
export function conditionsOf(object: KubeObject, conditions: readonly Condition[]): readonly Raw[] {
  const { generation } = object.metadata
  return conditions.map(({ type, status, reason, message }) => ({
    type,
    status,
    reason,
    message: message.length > maxMessage ? `${message.slice(0, maxMessage - 1)}…` : message,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  }))
}

/** A condition that is True. */
export function isTrue(type: string, reason: string, message: string): Condition {
  return { type, status: 'True', reason, message }
}

/** A condition that is False. */
export function isFalse(type: string, reason: string, message: string): Condition {
  return { type, status: 'False', reason, message }
}

/** A condition that is True with `good` where there are no faults, else False with the first fault's reason and the messages of all. */
export function judged(type: string, faults: readonly Fault[], good: { readonly reason: string; readonly message: string }): Condition {
  const [first] = faults
  return first === undefined ? isTrue(type, good.reason, good.message) : isFalse(type, first.reason, messagesOf(faults))
}

/** The messages of all faults, each once, shortened as `joined` does it. */
export function messagesOf(faults: readonly Fault[]): string {
  return joined(faults.map((fault) => fault.message))
}

/** Bound of a joined text in characters: other texts quote it many times. */
const maxJoined = 4096

/**
 * Joins texts, each once: as many whole ones as fit into `max` characters, at least a part of the first, and the number of those left out.
 */
export function joined(texts: readonly string[], max = maxJoined): string {
  const [first = '', ...others] = new Set(texts)
  let text = first.length > max ? `${first.slice(0, max - 1)}…` : first
  for (const [index, other] of others.entries()) {
    if (text.length + other.length + 2 > max) return `${text}; and ${others.length - index} more`
    text += `; ${other}`
  }
  return text
}
