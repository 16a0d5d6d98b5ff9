import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readGateways } from '../gateways/gateways.ts'
import { createWorld, defaultSettings, type Raw } from '../objects/objects.ts'
import { readRoutes } from '../routes/routes.ts'
import { readReachedBackends } from './reached-backends.ts'

const settings = defaultSettings('1.0.0')
const gatewayApi = 'gateway.networking.k8s.io'
const object = (apiVersion: string, kind: string, key: string, spec: Raw): Raw => {
  const [namespace, name] = key.split('/')
  return { apiVersion, kind, metadata: { namespace, name }, spec }
}
const gateway = (key: string, from = 'All'): Raw =>
  object(`${gatewayApi}/v1`, 'Gateway', key, {
    gatewayClassName: 'mcplex',
    listeners: [{ name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from } } }],
  })
const route = (name: string, parents: readonly string[], backendRef: Raw): Raw =>
  object(`${gatewayApi}/v1`, 'HTTPRoute', `ns/${name}`, {
    parentRefs: parents.map((namespace) => ({ namespace, name: 'gw' })),
    rules: [{ backendRefs: [backendRef] }],
  })
const toBackend = (name: string, more: Raw = {}): Raw => ({ group: 'gateway.kgateway.dev', kind: 'Backend', name, ...more })
const agent = (name: string, ...backendRefs: readonly Raw[]): Raw => object('mcplex.dev/v1alpha1', 'Agent', `ns/${name}`, { backendRefs })

test('from which namespaces of Gateways a backend is reached: by routes that attach, and by Agents', () => {
  const world = createWorld([
    gateway('edge/gw'),
    gateway('other/gw'),
    gateway('shut/gw', 'Same'),
    route('one', ['edge', 'shut'], toBackend('direct')),
    route('two', ['other'], toBackend('direct')),
    route('three', ['shut'], toBackend('unattached')),
    route('four', ['edge'], toBackend('ungranted', { namespace: 'far' })),
    route('five', ['other'], { group: 'mcplex.dev', kind: 'Agent', name: 'routed' }),
    agent('routed', { name: 'behind' }),
    agent('alone', { name: 'waiting' }, { name: 'ungranted', namespace: 'far' }),
  ])
  const leads = readReachedBackends(world, readRoutes(world, readGateways(world, settings).gateways, settings))
  assert.deepEqual(Object.fromEntries([...leads].map(([key, from]) => [key, [...from].sort()])), {
    'gateway.kgateway.dev/Backend/ns/direct': ['edge', 'other'],
    'mcplex.dev/Agent/ns/routed': ['other'],
    'gateway.kgateway.dev/Backend/ns/behind': ['other'],
    'gateway.kgateway.dev/Backend/ns/waiting': [],
  })
})
