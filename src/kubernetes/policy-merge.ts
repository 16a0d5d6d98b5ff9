import { messagesOf } from './conditions.ts'
import type { KubeObject } from './model.ts'
import type { PolicyReading } from './policy-reading.ts'
import type { PolicyEffect, PolicyPlace, ServerSettings } from './views.ts'
import { refKey, refOf, titleOf } from './world.ts'

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
  readonly closed: string[]
  readonly owners: Map<string, KubeObject>
  requestTimeout?: string
  server: ServerSettings
}

/**
 * Several policies for one place hold field by field, though not deeper; of two that set one field the first in this order has it. What
 * any of them closes is closed.
 * @param readings the oldest first
 */
export function mergePolicies(readings: readonly PolicyReading[]): MergedPolicies {
  const spots = new Map<string, Spot>()
  const lost = new Map<string, Lost[]>()
  for (const { object, targets, says } of readings) {
    const seen = new Set<string>()
    for (const { kind, places, faults } of targets) {
      const { faults: own, claims } = says(kind)
      const closing = [...own, ...faults].filter((fault) => fault.closes)
      for (const key of places.map(placeKey)) {
        const spot: Spot = spots.get(key) ?? { closed: [], owners: new Map(), server: {} }
        spots.set(key, spot)
        if (closing.length > 0) spot.closed.push(`${titleOf(refOf(object))}: ${messagesOf(closing)}`)
        if (seen.has(key)) continue
        seen.add(key)
        for (const { field, effect } of claims) {
          const owner = spot.owners.get(field)
          if (owner === undefined) {
            spot.owners.set(field, object)
            if (effect.requestTimeout !== undefined) spot.requestTimeout = effect.requestTimeout
            spot.server = { ...spot.server, ...effect.server }
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
      const closed = [...new Set(spot?.closed)].join('; ')
      return { closed: closed === '' ? undefined : closed, requestTimeout: spot?.requestTimeout, server: spot?.server ?? {} }
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
