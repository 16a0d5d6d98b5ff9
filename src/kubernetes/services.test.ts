import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Raw } from './model.ts'
import { createServices } from './services.ts'
import { createWorld } from './world.ts'

const object = (apiVersion: string, kind: string, key: string, rest: Raw = {}): Raw => {
  const [namespace, name] = key.split('/')
  return { apiVersion, kind, metadata: { name, namespace }, ...rest }
}
const service = (key: string, spec: Raw = {}, status: Raw = {}): Raw => object('v1', 'Service', key, { spec, status })

const cluster = [
  service('ns/s', { clusterIP: '10.96.7.7', clusterIPs: ['10.96.7.7', 'fd00:0:0::7'], externalIPs: ['192.0.2.7'] }),
  service('ns/balanced', {}, { loadBalancer: { ingress: [{ ip: '192.0.2.8' }, { hostname: 'LB.example' }] } }),
  service('ns/one', { externalIPs: ['192.0.2.9'], clusterIP: '10.96.7.1' }),
  service('ns/two', { externalIPs: ['192.0.2.9'], clusterIP: 'None' }),
  service('edge/s'),
  service('edge/near-the-gateway'),
  service('other/hidden'),
]

test('the Service that a host leads to, in each spelling of its name and address', () => {
  const full = 's.ns.svc.cluster.local'
  const table: readonly (readonly [host: string, service: string | undefined, others?: readonly string[], written?: string])[] = [
    [full, 'ns/s'],
    ['S.ns.SVC.cluster.local.', 'ns/s'],
    ['s.ns.svc', 'ns/s'],
    ['s.ns.svc.cluster', 'ns/s'],
    ['pod-0.s.ns.svc', 'ns/s'],
    ['absent.ns.svc', 'ns/absent'],
    ['s.ns', 'ns/s', [], full],
    ['s', 'ns/s', [], full],
    ['%73', 'ns/s', [], full],
    ['s\u3002ns', 'ns/s', [], full],
    ['s.', undefined],
    ['near-the-gateway', undefined, ['edge/near-the-gateway']],
    ['hidden', undefined],
    ['pod-0.s', undefined, ['ns/s', 'edge/s']],
    ['s.example', undefined],
    ['10.96.7.7', 'ns/s'],
    ['10.96.7.1', 'ns/one'],
    ['10.6293255', 'ns/s'],
    ['0x0a600707', 'ns/s'],
    ['::ffff:10.96.7.7', 'ns/s'],
    ['fd00::0:7', 'ns/s'],
    ['192.0.2.7', 'ns/s'],
    ['192.0.2.8', 'ns/balanced'],
    ['lb.example', 'ns/balanced'],
    ['192.0.2.9', undefined, ['ns/one', 'ns/two']],
    ['192.0.2.10', undefined],
  ]
  const services = createServices(createWorld(cluster), 'cluster.local')
  for (const [host, leads, others = [], written = host] of table) {
    assert.deepEqual(services.behind(host, 'ns', ['edge']), { host: written, service: leads, others }, host)
  }
})

test('files without Services: each that a short host may mean', () => {
  const services = createServices(createWorld([]), 'cluster.local')
  assert.deepEqual(services.behind('s', 'ns', ['edge']), { host: 's', service: undefined, others: ['ns/s', 'edge/s'] })
  assert.deepEqual(services.behind('s.ns', 'far', ['edge']).others, ['ns/s', 'far/ns', 'edge/ns'])
})
