import assert from 'node:assert/strict'
import { test } from 'node:test'
import { slim, slimToMetadata } from './slim.ts'

const metadata = { name: 'n', namespace: 'ns', resourceVersion: '7' }
const managedFields = [{ manager: 'someone', operation: 'Update', subresource: 'status' }]
const lastApplied = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' }

test('what no translation reads is not kept', () => {
  const rows: readonly [given: object, kept: object][] = [
    [
      { apiVersion: 'v1', kind: 'Secret', metadata: { ...metadata, managedFields, annotations: lastApplied }, data: { a: 'b' } },
      { apiVersion: 'v1', kind: 'Secret', metadata: { ...metadata, statusManagers: ['someone'] }, data: { a: 'b' } },
    ],
    [
      { apiVersion: 'x/v1', kind: 'Thing', metadata: { ...metadata, annotations: { ...lastApplied, a: 'b' } }, spec: 1, status: 2 },
      { apiVersion: 'x/v1', kind: 'Thing', metadata: { ...metadata, annotations: { a: 'b' } }, spec: 1, status: 2 },
    ],
    [
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { ...metadata, labels: { a: 'b' }, annotations: { c: 'd' } },
        spec: { finalizers: [] },
      },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { ...metadata, labels: { a: 'b' } } },
    ],
    [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata,
        spec: { type: 'ClusterIP', ports: [{ port: 80 }], externalIPs: ['192.0.2.1'], sessionAffinity: 'None', ipFamilies: ['IPv4'] },
        status: { loadBalancer: {}, conditions: [] },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata,
        spec: { type: 'ClusterIP', ports: [{ port: 80 }], externalIPs: ['192.0.2.1'] },
        status: { loadBalancer: {} },
      },
    ],
    ...[
      [null, false],
      [
        [
          { addresses: ['10.0.0.1'], conditions: { ready: false } },
          { addresses: ['10.0.0.2'], conditions: { ready: true } },
        ],
        true,
      ],
      [[{ addresses: ['10.0.0.3'] }], true],
      [[{ addresses: ['10.0.0.3'], conditions: { ready: false } }], false],
    ].map(([endpoints, ready]): [object, object] => [
      { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { ...metadata, annotations: { at: 'now' } }, endpoints },
      { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, endpoints: [{ conditions: { ready } }] },
    ]),
  ]
  for (const [given, kept] of rows) assert.deepEqual(slim(given), kept)
})

test('of a Gateway’s own Secret its content is not kept', () => {
  assert.deepEqual(slimToMetadata({ apiVersion: 'v1', kind: 'Secret', metadata, data: { a: 'b' } }), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
  })
})

test('what is no object is nothing', () => {
  for (const value of [undefined, null, 1, [], {}, { kind: 'Secret', metadata: {} }]) assert.equal(slim(value), undefined)
})
