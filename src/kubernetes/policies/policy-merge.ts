import { hasRules, joinRules } from '../fields/fields.ts'
import { joined, type KubeObject, type ObjectRef, refKey, refOf, titleOf } from '../objects/objects.ts'
import type { PolicyEffect, PolicyPlace } from './policy-effect.ts'
import type { PolicyReading } from './policy-reading.ts'

/** All policies together. */
export interface MergedPolicies {
  at(place: PolicyPlace): PolicyEffect
  /** The fields that a policy has for a place and that are taken from another policy instead. */
  lostAt(policy: KubeObject, place: PolicyPlace): readonly Lost[]
}

/** A field that is taken from another policy. */
export interface Lost {
  readonly field: string
  readonly to: KubeObject
}

/** What is gathered for one place. */
interface Gathered {
  /** For each policy that closes the place: which one, and why. */
  readonly closed: string[]
  /** All of them in one text, made when it is first asked for: each rule, listener and server of a place asks for it. */
  sentence?: string
  /** By field, the policy that it is taken from. */
  readonly owners: Map<string, KubeObject>
  effect: Omit<PolicyEffect, 'closed' | 'wanted'>
  readonly wanted: ObjectRef[]
}

const noEffect: Gathered['effect'] = { requestTimeout: undefined, server: {} }

/** The most characters of why a place is closed, and of why one policy closes it. */
const maxSentence = 2048
const maxReason = 1024

/**
 * Merges policies. Several for one place are merged field by field, though not deeper: a field that several have is taken from the first.
 * Rules add up. A place that any of them closes is closed.
 * @param readings the oldest first
 */
export function mergePolicies(readings: readonly PolicyReading[]): MergedPolicies {
  const byPlace = new Map<string, Gathered>()
  const lost = new Map<string, Lost[]>()
  for (const { object, targets, says } of readings) {
    const seen = new Set<string>()
    for (const { kind, places, faults } of targets) {
      const { faults: own, claims, wanted, requestRules, itemRules } = says(kind)
      const closing = [...own, ...faults].filter((fault) => fault.closes)
      const messages = closing.map(({ message }) => message)
      const why = closing.length === 0 ? undefined : `${titleOf(refOf(object))}: ${joined(messages, maxReason)}`
      for (const key of places.map(placeKey)) {
        const here: Gathered = byPlace.get(key) ?? { closed: [], owners: new Map(), effect: noEffect, wanted: [] }
        byPlace.set(key, here)
        if (why !== undefined) here.closed.push(why)
        if (seen.has(key)) continue
        seen.add(key)
        here.wanted.push(...wanted)
        here.effect = {
          ...here.effect,
          ...(hasRules(requestRules) ? { requestRules: joinRules([here.effect.requestRules, requestRules]) } : {}),
          ...(hasRules(itemRules) ? { itemRules: joinRules([here.effect.itemRules, itemRules]) } : {}),
        }
        for (const { field, effect } of claims) {
          const owner = here.owners.get(field)
          if (owner === undefined) {
            here.owners.set(field, object)
            here.effect = { ...here.effect, ...effect, server: { ...here.effect.server, ...effect.server } }
          } else {
            const lostKey = `${refKey(refOf(object))} ${key}`
            lost.set(lostKey, [...(lost.get(lostKey) ?? []), { field, to: owner }])
          }
        }
      }
    }
  }
  return {
    at: (place) => {
      const here = byPlace.get(placeKey(place))
      if (here === undefined) return { closed: undefined, ...noEffect }
      if (here.closed.length > 0) here.sentence ??= joined(here.closed, maxSentence)
      return { ...here.effect, closed: here.sentence, wanted: here.wanted }
    },
    lostAt: (policy, place) => lost.get(`${refKey(refOf(policy))} ${placeKey(place)}`) ?? [],
  }
}

function placeKey(place: PolicyPlace): string {
  return JSON.stringify([place.kind, place.key, partOf(place)])
}

function partOf(place: PolicyPlace): string | undefined {
  switch (place.kind) {
    case 'gateway':
      return place.listener
    case 'route':
      return place.rule
    case 'backend':
      return place.target
    case 'service':
      return undefined
  }
}

/** A place as messages name it, such as `listener http of Gateway ns/name`. */
export function titleOfPlace(place: PolicyPlace): string {
  const part = partOf(place)
  const { kind, part: word } = words[place.kind]
  return part === undefined ? `${kind} ${place.key}` : `${word} ${part} of ${kind} ${place.key}`
}

const words = {
  gateway: { kind: 'Gateway', part: 'listener' },
  route: { kind: 'HTTPRoute', part: 'rule' },
  backend: { kind: 'AgentgatewayBackend', part: 'target' },
  service: { kind: 'Service', part: '' },
} as const satisfies Record<PolicyPlace['kind'], { readonly kind: string; readonly part: string }>
