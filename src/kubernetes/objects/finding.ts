import { conditionsOf, type Fault, isFalse, isTrue, judged, messagesOf } from './conditions.ts'
import type { KubeObject } from './object.ts'
import type { Raw } from './raw.ts'
import { unknownMembers } from './unknown-members.ts'

/** Something that the status of a backend or agent tells. */
export interface Finding extends Fault {
  /** What is not done because of it: all that the object says, a part of that, or nothing. */
  readonly costs: 'all' | 'part' | 'nothing'
}

export function finding(costs: Finding['costs'], reason: string, message: string): Finding {
  return { costs, reason, message }
}

/** Members of an object that nobody reads: they may restrict, so what has them isn't served. `place` is the object's, such as `spec.mcp`. */
export function unknownFields(value: unknown, known: readonly string[], place: string, costs: 'all' | 'part'): readonly Finding[] {
  return unknownMembers(value, known).map((name) =>
    finding(costs, 'Unsupported', `${place}.${name} is not supported, and without it more might be let through than is meant: remove it`),
  )
}

/** Reasons of findings about a reference, which the condition ResolvedRefs tells of. */
const referenceReasons = new Set(['BackendNotFound', 'RefNotPermitted', 'InvalidKind'])

/**
 * What findings come to: the conditions Accepted, ResolvedRefs and, where a part is left out, PartiallyInvalid; and why nothing is served.
 * @param served what is served, as a sentence; undefined: nothing
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
