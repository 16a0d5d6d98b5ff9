import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../objects/objects.ts'
import { isPodAddress } from '../services/services.ts'
import { readProxyAddresses } from './proxy-addresses.ts'

const slice = (endpoints: unknown, addressType = 'IPv4'): KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'gw-peers-x', namespace: 'ns' },
  addressType,
  endpoints,
})
const at = (address: string, conditions?: unknown) => ({ addresses: [address], conditions })

test('pods are found in all slices, those that are not ready too, each once and in the order of their addresses', () => {
  const slices = [
    slice([at('10.0.0.2', { ready: true, serving: false }), at('10.0.0.1')]),
    slice([at('10.0.0.2', { ready: true, serving: true }), at('10.0.0.3', { ready: false })]),
    slice([at('fd00::1', { ready: true })], 'IPv6'),
  ]
  assert.deepEqual(readProxyAddresses(slices, isPodAddress), [
    { address: '10.0.0.1', isReady: true },
    { address: '10.0.0.2', isReady: true },
    { address: '10.0.0.3', isReady: false },
    { address: 'fd00::1', isReady: true },
  ])
})

test('none that is about to end, that is no address of a pod, or that is none at all', () => {
  const foreign = ['127.0.0.1', '::1', '0.0.0.0', '169.254.169.254', 'fe80::1', 'fe80::1%eth0', '224.0.0.1', 'ff02::1', '::ffff:127.0.0.1']
  const odd = ['host.example', '', '10.0.0.1:15000', '10.0.0.1/x']
  for (const address of [...foreign, ...odd]) assert.deepEqual(readProxyAddresses([slice([at(address)])], isPodAddress), [], address)
  assert.deepEqual(readProxyAddresses([slice([at('10.0.0.1', { terminating: true })])], isPodAddress), [])
  for (const endpoints of [null, undefined, 7, [null], [{ addresses: null }], [{ addresses: [7] }]]) {
    assert.deepEqual(readProxyAddresses([slice(endpoints)], isPodAddress), [])
  }
  assert.deepEqual(readProxyAddresses([slice([at('10.0.0.1')], 'FQDN')], isPodAddress), [])
})

test('of one Gateway at most a thousand', () => {
  const many = Array.from({ length: 1500 }, (_, index) => at(`10.0.${Math.floor(index / 100)}.${index % 100}`))
  assert.equal(readProxyAddresses([slice(many)], isPodAddress).length, 1000)
})
