import type { KubeObject } from './object.ts'
import type { Raw } from './raw.ts'

/** A condition without its time and generation, which the writer adds. */
export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  /** CamelCase. */
  readonly reason: string
  /** For people: names the object and the remedy. */
  readonly message: string
}

/** Something about an object that keeps it, or a part of it, from doing what it says. */
export interface Fault {
  /** Of the condition that tells of it. */
  readonly reason: string
  /** A sentence that names the place, such as `spec.mcp.targets[2]`, and the remedy. */
  readonly message: string
}

/** Messages of conditions hold at most 32,768 characters (metav1.Condition). */
const maxMessage = 32_768

/** Conditions as they stand in a status, for the generation of the object that was looked at; no times. */
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

export function isTrue(type: string, reason: string, message: string): Condition {
  return { type, status: 'True', reason, message }
}

export function isFalse(type: string, reason: string, message: string): Condition {
  return { type, status: 'False', reason, message }
}

/** True with `good` where there are no faults; else False with the first one's reason and all their messages, each once. */
export function judged(type: string, faults: readonly Fault[], good: { readonly reason: string; readonly message: string }): Condition {
  const [first] = faults
  return first === undefined ? isTrue(type, good.reason, good.message) : isFalse(type, first.reason, messagesOf(faults))
}

/** All messages, each once, as far as `joined` takes them. */
export function messagesOf(faults: readonly Fault[]): string {
  return joined(faults.map((fault) => fault.message))
}

/** What texts of many objects come to together: other texts hold it, many times over. */
const maxJoined = 4096

/** The texts, each once: as many whole ones as fit into so many characters, at least a part of the first, and how many more there are. */
export function joined(texts: readonly string[], max = maxJoined): string {
  const [first = '', ...others] = new Set(texts)
  let text = first.length > max ? `${first.slice(0, max - 1)}…` : first
  for (const [index, other] of others.entries()) {
    if (text.length + other.length + 2 > max) return `${text}; and ${others.length - index} more`
    text += `; ${other}`
  }
  return text
}
