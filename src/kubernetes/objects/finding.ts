import { conditionsOf, type Fault, isFalse, isTrue, judged, messagesOf } from './conditions.ts'
import type { KubeObject } from './object.ts'
import type { Raw } from './raw.ts'
import { unknownMembers } from './unknown-members.ts'

/** Something that the status of a backend or an Agent reports. */
export interface Finding extends Fault {
  /** How much of the object is not served because of it: all, a part, or nothing, where it is only worth knowing. */
  readonly costs: 'all' | 'part' | 'nothing'
}

/** A finding with its reason and message. */
export function finding(costs: Finding['costs'], reason: string, message: string): Finding {
  return { costs, reason, message }
}

/**
 * A finding for each member that mcplex does not know: it may be meant to restrict something, so what has it is not served. `place` is that
 * of the value, such as `spec.mcp`.
 */
export function unknownFields(value: unknown, known: readonly string[], place: string, costs: 'all' | 'part'): readonly Finding[] {
  return unknownMembers(value, known).map((name) =>
    finding(costs, 'Unsupported', `${place}.${name} is not supported, and without it more might be let through than is meant: remove it`),
  )
}

/** Reasons of findings about references, which the condition ResolvedRefs reports. */
const referenceReasons = new Set(['BackendNotFound', 'RefNotPermitted', 'InvalidKind'])

/**
 * The conditions that findings lead to: Accepted, ResolvedRefs and, where a part is left out, PartiallyInvalid. `unusable` says why nothing
 * is served, if so.
 * @param served what is served, as a sentence; undefined where nothing is
 */
export function judgeFindings(
  object: KubeObject,
  findings: readonly Finding[],
  served: string | undefined,
): { readonly conditions: readonly Raw[]; readonly unusable: string | undefined } {
  const costing = (costs: Finding['costs']): readonly Finding[] => findings.filter((one) => one.costs === costs)
  const [whole, parts] = [costing('all'), costing('part')]
  const isReference = ({ reason }: Finding): boolean => referenceReasons.has(reason)
  const resolved = judged('ResolvedRefs', findings.filter(isReference), { reason: 'ResolvedRefs', message: 'all references are resolved' })
  if (whole.length === 0 && served !== undefined) {
    const remarks = costing('nothing').filter((one) => !isReference(one))
    const accepted = isTrue('Accepted', 'Accepted', remarks.length === 0 ? served : `${served}; ${messagesOf(remarks)}`)
    const [first] = parts
    const partly = first === undefined ? [] : [isTrue('PartiallyInvalid', first.reason, messagesOf(parts))]
    return { conditions: conditionsOf(object, [accepted, resolved, ...partly]), unusable: undefined }
  }
  const blamed = whole.length > 0 ? whole : findings
  const unusable = messagesOf(blamed)
  const reasons = new Set(blamed.flatMap(({ costs, reason }) => (costs === 'nothing' ? [] : [reason])))
  const alone = ['Unsupported', 'Pending'].find((one) => reasons.size === 1 && reasons.has(one))
  const reason = reasons.size === 0 ? 'Pending' : (alone ?? 'Invalid')
  return { conditions: conditionsOf(object, [isFalse('Accepted', reason, unusable), resolved]), unusable }
}
