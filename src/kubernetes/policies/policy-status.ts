import { hasRules } from '../fields/fields.ts'
import {
  type Condition,
  compare,
  conditionsOf,
  type DesiredStatus,
  type Fault,
  isFalse,
  isTrue,
  listAt,
  messagesOf,
  type Raw,
  rawAt,
  refOf,
  textAt,
  titleOf,
} from '../objects/objects.ts'
import type { PolicyPlace } from './policy-effect.ts'
import { type MergedPolicies, titleOfPlace } from './policy-merge.ts'
import type { PolicyReading, PolicySaying } from './policy-reading.ts'
import type { PolicyTarget } from './policy-targets.ts'

/** The most entries of `status.ancestors`, those of all controllers together (Gateway API, PolicyStatus). */
const maxAncestors = 16

interface Entry {
  readonly ref: Raw
  readonly key: string
  readonly conditions: readonly Condition[]
}

/**
 * The status of a policy: an entry for each ancestor of ours. Undefined where it has none and none of ours is to be removed. Where there are
 * more than fit, those that are not Accepted come first.
 */
export function policyStatus(reading: PolicyReading, merged: MergedPolicies, controllerName: string): DesiredStatus | undefined {
  const { object } = reading
  const others = listAt(rawAt(object, 'status'), 'ancestors').filter((entry) => textAt(entry, 'controllerName') !== controllerName)
  const known = listAt(rawAt(object, 'status'), 'ancestors')
  const entries = entriesOf(reading, merged)
  if (entries.length === 0 && known.length === others.length) return undefined
  const room = Math.max(0, maxAncestors - others.length)
  const kept = [...entries].sort((one, other) => rank(one) - rank(other) || compare(one.key, other.key)).slice(0, room)
  return {
    kind: 'entries',
    object,
    list: 'ancestors',
    waitsFor: reading.targets.flatMap(({ kind }) => reading.says(kind).wanted),
    entries: kept
      .sort((one, other) => compare(one.key, other.key))
      .map(({ ref, conditions }) => ({ ancestorRef: ref, controllerName, conditions: conditionsOf(object, conditions) })),
  }
}

function rank({ conditions }: Entry): number {
  return conditions.some(({ type, status }) => type === 'Accepted' && status === 'False') ? 0 : 1
}

function entriesOf(reading: PolicyReading, merged: MergedPolicies): readonly Entry[] {
  const found = new Map<string, { readonly ref: Raw; readonly here: { target: PolicyTarget; detached: string | undefined }[] }>()
  for (const target of reading.targets) {
    for (const { ref, detached } of target.ancestors) {
      const key = JSON.stringify(ref)
      const entry = found.get(key) ?? { ref, here: [] }
      found.set(key, entry)
      entry.here.push({ target, detached })
    }
  }
  return [...found].map(([key, { ref, here }]) => ({ ref, key, conditions: conditionsAt(reading, here, merged) }))
}

function conditionsAt(
  { object, unserved, says }: PolicyReading,
  here: readonly { readonly target: PolicyTarget; readonly detached: string | undefined }[],
  merged: MergedPolicies,
): readonly Condition[] {
  const targets = here.map(({ target }) => target)
  const faults = targets.flatMap((target) => [...says(target.kind).faults, ...target.faults])
  const places = targets.flatMap((target) => target.places)
  const lost = places.flatMap((place) => merged.lostAt(object, place).map((one) => ({ ...one, place })))
  const claims = targets.reduce((sum, target) => sum + claimsIn(says(target.kind)) * target.places.length, 0)
  const conflicts = lost.map(({ field, to, place }): Fault => {
    const message = `${field}: ${titleOf(refOf(to))} sets it for ${titleOfPlace(place)} too, and goes first by age and name: keep one of the two`
    return { reason: 'Conflicted', message }
  })
  const isLost = lost.length > 0 && lost.length === claims
  const closing = faults.filter((fault) => fault.closes)
  const missing = faults.filter(({ reason }) => reason === 'TargetNotFound')
  // A target that does not exist makes the policy not Accepted only if none exists: elsewhere it is in force.
  const absent = places.length === 0 ? missing : []
  const pending = faults.filter(({ reason }) => reason === 'Pending')
  const partial = [
    ...faults.filter((fault) => !fault.closes && !absent.includes(fault) && !pending.includes(fault)),
    ...conflicts,
    ...unserved,
  ]
  const detached = here.flatMap((one) => one.detached ?? [])

  if (closing.length > 0 || absent.length > 0 || isLost) {
    const [first] = [...absent, ...closing, ...conflicts]
    const shut = closing.length === 0 ? '' : `; until that is done ${shutPlaces(places)}`
    const all = messagesOf([...absent, ...closing, ...partial])
    return [isFalse('Accepted', first?.reason ?? 'Invalid', `${all}${shut}`), notAttached(closing, absent, detached)]
  }
  const accepted = partial.length === 0 ? 'all of it is in force' : 'it is in force, except for what PartiallyInvalid names'
  const attached =
    detached.length === here.length
      ? isFalse('Attached', 'Pending', [...new Set(detached)].join('; '))
      : isTrue('Attached', lost.length === 0 ? 'Attached' : 'Merged', `it holds for ${listed(places)}`)
  const [first] = partial
  return [
    isTrue('Accepted', 'Accepted', pending.length === 0 ? accepted : `${accepted}; ${messagesOf(pending)}`),
    attached,
    ...(first === undefined ? [] : [isTrue('PartiallyInvalid', first.reason, messagesOf(partial))]),
  ]
}

/** How many fields a policy sets. Its rules count as one, which is never taken from another policy. */
function claimsIn({ claims, requestRules, itemRules }: PolicySaying): number {
  return claims.length + (hasRules(requestRules) || hasRules(itemRules) ? 1 : 0)
}

function notAttached(closing: readonly Fault[], absent: readonly Fault[], detached: readonly string[]): Condition {
  if (absent.length > 0) return isFalse('Attached', 'TargetNotFound', messagesOf(absent))
  const why = ['it is not in force: Accepted says why', ...new Set(detached)].join('; ')
  return closing.length > 0
    ? isFalse('Attached', 'Pending', why)
    : isFalse('Attached', 'Overridden', 'other policies set all that it sets: Accepted names them')
}

function shutPlaces(places: readonly PolicyPlace[]): string {
  return places.length === 0 ? 'it has no effect' : `nothing passes there: ${listed(places)}`
}

function listed(places: readonly PolicyPlace[]): string {
  return [...new Set(places.map(titleOfPlace))].join(', ')
}
