import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listAt, nothingObserved, type Observations, textAt, valueAt } from '../objects/objects.ts'
import { assemble, conditionsOf, documentOf, gateway, gatewayStatus } from '../translation/assemble-for-test.ts'

test('a Gateway says what it waits for, and its addresses', () => {
  const service = (type: string, rest: string, uid = '"1"') => `---
apiVersion: v1
kind: Service
metadata: { name: gw, ownerReferences: [{ apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, name: gw, uid: ${uid}, controller: true }] }
spec: { type: ${type}, clusterIPs: [10.0.0.1] }
${rest}
`
  const balanced = 'status: { loadBalancer: { ingress: [{ ip: 192.0.2.1 }, { hostname: lb.example.com }] } }'
  const good = gateway()
  const bad = gateway('{ name: a, port: 1, protocol: TCP }')
  const fault: Observations = { ...nothingObserved, provisioning: new Map([['ns/gw', 'may not write Secrets: grant it']]) }
  const rows: readonly [objects: string, observed: Observations, conditions: readonly string[], addresses: unknown][] = [
    [good, nothingObserved, ['Accepted=True Accepted', 'Programmed=False AddressNotAssigned'], []],
    [good + service('LoadBalancer', ''), nothingObserved, ['Accepted=True Accepted', 'Programmed=False AddressNotAssigned'], []],
    [
      good + service('LoadBalancer', balanced, '"2"'),
      nothingObserved,
      ['Accepted=True Accepted', 'Programmed=False AddressNotAssigned'],
      [],
    ],
    [
      good + service('LoadBalancer', balanced),
      nothingObserved,
      ['Accepted=True Accepted', 'Programmed=False Pending'],
      [
        { type: 'IPAddress', value: '192.0.2.1' },
        { type: 'Hostname', value: 'lb.example.com' },
      ],
    ],
    [
      good + service('ClusterIP', ''),
      nothingObserved,
      ['Accepted=True Accepted', 'Programmed=False Pending'],
      [{ type: 'IPAddress', value: '10.0.0.1' }],
    ],
    [good, fault, ['Accepted=True Accepted', 'Programmed=False NoResources'], []],
    [bad, fault, ['Accepted=False ListenersNotValid', 'Programmed=False Invalid'], []],
    [gateway(''), nothingObserved, ['Accepted=False ListenersNotValid', 'Programmed=False Invalid'], []],
    [
      gateway('{ name: a, port: 1, protocol: TCP }, { name: b, port: 80, protocol: HTTP }'),
      nothingObserved,
      ['Accepted=True ListenersNotValid', 'Programmed=False AddressNotAssigned'],
      [],
    ],
    [
      gateway(undefined, ', addresses: [{ value: 192.0.2.9 }]'),
      nothingObserved,
      ['Accepted=False UnsupportedAddress', 'Programmed=False Invalid'],
      [],
    ],
  ]
  for (const [objects, observed, conditions, addresses] of rows) {
    const assembled = assemble(objects, {}, observed)
    const status = gatewayStatus(assembled)
    assert.deepEqual(conditionsOf(status), conditions, objects)
    assert.deepEqual(valueAt(status, 'addresses'), addresses, objects)
    // One that isn't accepted gets nothing new, but what serves it still hears of revoked grants and closing policies.
    const made = (assembled.plans[0]?.objects ?? []).map(({ kind }) => kind)
    const isAccepted = conditions[0]?.startsWith('Accepted=True')
    assert.ok(documentOf(assembled) !== undefined, objects)
    if (isAccepted) assert.ok(made.includes('Secret') && made.includes('Deployment'), objects)
    else assert.deepEqual(made, ['Secret'], objects)
    // What is to be copied, such as a command, ends the message.
    assert.match(textAt(listAt(status, 'conditions')[1], 'message') ?? '', /^No authentication: whoever reaches it may use it; [^;]*[^.;]$/)
    for (const condition of listAt(status, 'conditions')) assert.equal(valueAt(condition, 'observedGeneration'), 3)
  }
})
