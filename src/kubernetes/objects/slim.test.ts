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
        spec: { type: 'ClusterIP', ports: [{ port: 80 }], externalIPs: ['192.0.2.1'], ipFamilies: ['IPv4'], sessionAffinity: 'None' },
        status: { loadBalancer: {}, conditions: [] },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata,
        spec: { type: 'ClusterIP', ports: [{ port: 80 }], externalIPs: ['192.0.2.1'], ipFamilies: ['IPv4'] },
        status: { loadBalancer: {} },
      },
    ],
    [
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { ...metadata, generation: 7, annotations: { at: 'now' }, labels: { a: 'b' }, ownerReferences: [] },
        addressType: 'IPv4',
        ports: [
          { name: 'web', port: 80, protocol: 'TCP', appProtocol: 'http' },
          { name: 'admin', port: 81, protocol: 'TCP' },
        ],
        endpoints: [
          { addresses: ['10.0.0.2'], conditions: { ready: true, serving: true, terminating: false }, nodeName: 'n', targetRef: {} },
          { addresses: ['10.0.0.1', '10.0.0.0'], conditions: { ready: false } },
          { addresses: ['10.0.0.3'], zone: 'z', hints: {} },
        ],
      },
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { ...metadata, labels: { a: 'b' } },
        addressType: 'IPv4',
        ports: [
          { name: 'admin', port: 81, protocol: 'TCP' },
          { name: 'web', port: 80, protocol: 'TCP' },
        ],
        endpoints: [
          { addresses: ['10.0.0.1', '10.0.0.0'], conditions: { ready: false } },
          { addresses: ['10.0.0.2'], conditions: { ready: true, serving: true, terminating: false } },
          { addresses: ['10.0.0.3'], conditions: {} },
        ],
      },
    ],
    [
      { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, ports: null, endpoints: null },
      { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, ports: [], endpoints: [] },
    ],
    [
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata,
        addressType: 7,
        ports: [7],
        endpoints: [null, { addresses: 7 }],
      },
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata,
        addressType: 7,
        ports: [{}],
        endpoints: [
          { addresses: [], conditions: {} },
          { addresses: [], conditions: {} },
        ],
      },
    ],
  ]
  for (const [given, kept] of rows) assert.deepEqual(slim(given), kept)
})

test('an EndpointSlice whose endpoints and ports are in another order is the same', () => {
  const ports = [
    { name: 'web', port: 80 },
    { name: 'admin', port: 81 },
  ]
  const endpoints = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((address) => ({ addresses: [address], conditions: { ready: true } }))
  const slice = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, addressType: 'IPv4', ports, endpoints }
  assert.deepEqual(slim({ ...slice, ports: ports.toReversed(), endpoints: endpoints.toReversed() }), slim(slice))
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
