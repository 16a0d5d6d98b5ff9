import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type KubeObject, type Raw, refKey, refOf } from '../objects/objects.ts'
import type { GatewayPlan } from '../provision/provision.ts'
import { isPodAddress } from '../services/services.ts'
import { askedGateways, slimToToken } from './asked-gateways.ts'

const owner = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', name: 'front', uid: 'u', controller: true }
const metadata = {
  name: 'front-mcplex',
  namespace: 'shop',
  labels: { 'app.kubernetes.io/managed-by': 'mcplex.dev.controller' },
  ownerReferences: [owner],
}
const secret: KubeObject = { apiVersion: 'v1', kind: 'Secret', metadata }
const plan: GatewayPlan = { namespace: 'shop', name: 'front', document: { a: 1 }, digest: 'd', objects: [secret] }
const data = (token: string): Raw => ({ 'admin.token': Buffer.from(token).toString('base64'), 'sessions.keys': 'c2VjcmV0' })
const slice = (service: string, address: string, namespace = 'shop'): KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: `${service}-${address}`, namespace, labels: { 'kubernetes.io/service-name': service } },
  endpoints: [{ addresses: [address] }],
})

function asked(existing: unknown, slices: readonly KubeObject[] = []) {
  const kept = slimToToken(existing)
  const findSecret = (ref: Parameters<typeof refKey>[0]) => (kept !== undefined && refKey(ref) === refKey(refOf(kept)) ? kept : undefined)
  return askedGateways([plan], { slices, findSecret, isAskable: isPodAddress }).get('shop/front')
}

test('a Gateway’s proxies are behind its headless Service, and asked by the token of its Secret', () => {
  const slices = [slice('front-peers', '10.0.0.1'), slice('front', '10.0.0.2'), slice('front-peers', '10.0.0.3', 'other')]
  assert.deepEqual(asked({ ...secret, metadata: { ...metadata, resourceVersion: '7' }, data: data('t0ken') }, slices), {
    digest: 'd',
    document: { a: 1 },
    version: '7',
    token: 't0ken',
    addresses: [{ address: '10.0.0.1', isReady: true }],
  })
})

test('a Secret that is not ours gives no token, nor does one that holds none that a header could carry', () => {
  const others = [
    { ...metadata, ownerReferences: [{ ...owner, uid: 'another' }] },
    { ...metadata, labels: {} },
    { ...metadata, ownerReferences: [] },
  ]
  for (const other of others) assert.equal(asked({ ...secret, metadata: other, data: data('t0ken') })?.token, undefined)
  for (const token of ['', 'two\r\nlines', 'ä', 'x'.repeat(600)]) assert.equal(asked({ ...secret, data: data(token) })?.token, undefined)
  assert.equal(asked(undefined)?.token, undefined)
})

test('of a Secret nothing but its version and the token is kept', () => {
  const kept = slimToToken({
    ...secret,
    metadata: { ...metadata, annotations: { a: 'b' } },
    data: { ...data('t0ken'), 'config.json': 'e30=' },
  })
  assert.deepEqual(kept, { ...secret, token: 't0ken' })
})
