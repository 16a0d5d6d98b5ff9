import { hasRules, joinRules } from '../fields/fields.ts'
import { joined, type KubeObject, type ObjectRef, refKey, refOf, titleOf } from '../objects/objects.ts'
import type { PolicyEffect, PolicyPlace } from './policy-effect.ts'
import type { PolicyReading } from './policy-reading.ts'

export interface MergedPolicies {
  at(place: PolicyPlace): PolicyEffect
  /** What a policy says for a place and another says in its stead. */
  lostAt(policy: KubeObject, place: PolicyPlace): readonly Lost[]
}

export interface Lost {
  readonly field: string
  readonly to: KubeObject
}

interface Spot {
  /** For each policy that closes it: which one, and why. */
  readonly closed: string[]
  /** All of them in one text, as soon as it was asked for: each rule, listener and server of a place asks again. */
  sentence?: string
  readonly owners: Map<string, KubeObject>
  effect: Omit<PolicyEffect, 'closed' | 'wanted'>
  readonly wanted: ObjectRef[]
}

const noEffect: Spot['effect'] = { requestTimeout: undefined, server: {} }

/** Characters of what is told of a place that policies close, and of each of these policies. */
const maxSentence = 2048
const maxReason = 1024

/**
 * Several policies for one place hold field by field, though not deeper; of two that set one field the first in this order has it. Rules
 * add up. What any of them closes is closed.
 * @param readings the oldest first
 */
export function mergePolicies(readings: readonly PolicyReading[]): MergedPolicies {
  const spots = new Map<string, Spot>()
  const lost = new Map<string, Lost[]>()
  for (const { object, targets, says } of readings) {
    const seen = new Set<string>()
    for (const { kind, places, faults } of targets) {
      const { faults: own, claims, wanted, requestRules, itemRules } = says(kind)
      const closing = [...own, ...faults].filter((fault) => fault.closes)
      const messages = closing.map(({ message }) => message)
      const why = closing.length === 0 ? undefined : `${titleOf(refOf(object))}: ${joined(messages, maxReason)}`
      for (const key of places.map(placeKey)) {
        const spot: Spot = spots.get(key) ?? { closed: [], owners: new Map(), effect: noEffect, wanted: [] }
        spots.set(key, spot)
        if (why !== undefined) spot.closed.push(why)
        if (seen.has(key)) continue
        seen.add(key)
        spot.wanted.push(...wanted)
        spot.effect = {
          ...spot.effect,
          ...(hasRules(requestRules) ? { requestRules: joinRules([spot.effect.requestRules, requestRules]) } : {}),
          ...(hasRules(itemRules) ? { itemRules: joinRules([spot.effect.itemRules, itemRules]) } : {}),
        }
        for (const { field, effect } of claims) {
          const owner = spot.owners.get(field)
          if (owner === undefined) {
            spot.owners.set(field, object)
            spot.effect = { ...spot.effect, ...effect, server: { ...spot.effect.server, ...effect.server } }
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
      const spot = spots.get(placeKey(place))
      if (spot === undefined) return { closed: undefined, ...noEffect }
      if (spot.closed.length > 0) spot.sentence ??= joined(spot.closed, maxSentence)
      return { ...spot.effect, closed: spot.sentence, wanted: spot.wanted }
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

/** A place as people call it: `listener http of Gateway ns/name`. */
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
