import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../objects/objects.ts'
import type { PolicyPlace } from './policy-effect.ts'
import { mergePolicies } from './policy-merge.ts'
import type { PolicyReading } from './policy-reading.ts'

const place: PolicyPlace = { kind: 'route', key: 'a/r' }

/** A policy of which so many fields close a route. */
function closing(name: string, fields: number): PolicyReading {
  const object: KubeObject = { apiVersion: 'agentgateway.dev/v1alpha1', kind: 'AgentgatewayPolicy', metadata: { namespace: 'a', name } }
  const faults = Array.from({ length: fields }, (_, index) => ({
    reason: 'Unsupported',
    message: `spec.traffic.field${index} is not enforced yet: remove it`,
    closes: true,
  }))
  const ref = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'a', name: 'r' }
  const target: PolicyReading['targets'][number] = { kind: 'HTTPRoute', ref, places: [place], ancestors: [], faults: [] }
  return { object, targets: [target], unserved: [], says: () => ({ faults, claims: [], wanted: [] }) }
}

test('a closed place says by which policies, in a text of bounded length', () => {
  const rows: readonly (readonly [policies: number, fields: number, begins: string, ends: string])[] = [
    [1, 1, 'AgentgatewayPolicy a/p0: spec.traffic.field0 is not', 'field0 is not enforced yet: remove it'],
    [2, 1, 'AgentgatewayPolicy a/p0: ', '; AgentgatewayPolicy a/p1: spec.traffic.field0 is not enforced yet: remove it'],
    [100, 1, 'AgentgatewayPolicy a/p0: ', '; and 74 more'],
    [1, 500, 'AgentgatewayPolicy a/p0: spec.traffic.field0 ', 'remove it; and 481 more'],
    [50, 500, 'AgentgatewayPolicy a/p0: spec.traffic.field0 ', 'remove it; and 481 more; and 49 more'],
  ]
  for (const [policies, fields, begins, ends] of rows) {
    const merged = mergePolicies(Array.from({ length: policies }, (_, index) => closing(`p${index}`, fields)))
    const { closed = '' } = merged.at(place)
    const what = `${policies} policies of ${fields} fields: ${closed.slice(0, 100)} … ${closed.slice(-100)}`
    assert.ok(closed.startsWith(begins) && closed.endsWith(ends), what)
    assert.ok(closed.length < 2100, `${closed.length} characters`)
  }
})
