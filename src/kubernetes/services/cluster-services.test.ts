import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createWorld, type Raw } from '../objects/objects.ts'
import { createServices } from './cluster-services.ts'

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

const slice = (key: string, rest: Raw, name = 's-1'): Raw => {
  const [namespace, service] = key.split('/')
  const metadata = { namespace, name, labels: { 'kubernetes.io/service-name': service } }
  return { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, addressType: 'IPv4', ...rest }
}
const pod = (address: string, conditions?: Raw): Raw => ({ addresses: [address], conditions })
const web = { name: 'web', port: 8000, protocol: 'TCP' }
const host = 's.ns.svc.cluster.local'

/** What 's.ns' leads to on port 80, called `web`, where nothing else is said. */
function endpoints(slices: readonly unknown[], { spec = {}, at = host, port = 80 }: { spec?: Raw; at?: string; port?: number } = {}) {
  const known = service('ns/s', { ports: [{ name: 'web', port: 80, targetPort: 'http' }], clusterIP: '10.96.7.7', ...spec })
  return createServices(createWorld([known, ...slices]), 'cluster.local').endpointsBehind(at, 'ns/s', port)
}

describe('the pods behind a host', () => {
  test('are those that are ready, or may be, sorted, each once', () => {
    const [one, two] = ['10.1.0.1:8000', '10.1.0.2:8000']
    const rows: readonly (readonly [what: string, endpoints: unknown, expected: readonly string[]])[] = [
      ['ready', [pod('10.1.0.2', { ready: true }), pod('10.1.0.1', { ready: true })], [one, two]],
      ['not ready', [pod('10.1.0.1', { ready: false, serving: true, terminating: true }), pod('10.1.0.2', { ready: true })], [two]],
      ['not known', [pod('10.1.0.1'), pod('10.1.0.2', {}), { addresses: ['10.1.0.3'], conditions: null }], [one, two, '10.1.0.3:8000']],
      ['twice', [pod('10.1.0.1'), pod('10.1.0.1')], [one]],
      ['with a second address, of no meaning', [{ addresses: ['10.1.0.1', '10.1.0.9'] }], [one]],
      ['malformed', [null, 7, {}, { addresses: null }, { addresses: [null] }, pod('s.ns'), pod('010.1.0.1'), pod('10.1.0.2')], [two]],
      ['none', [], []],
      ['null', null, []],
      ['no list', { 0: pod('10.1.0.1') }, []],
    ]
    for (const [what, given, expected] of rows)
      assert.deepEqual(endpoints([slice('ns/s', { ports: [web], endpoints: given })]), expected, what)
    const several = [
      ['s-1', '10.1.0.2'],
      ['s-2', '10.1.0.1'],
      ['s-3', '10.1.0.2'],
    ].map(([name, address = '']) => slice('ns/s', { ports: [web], endpoints: [pod(address)] }, name))
    assert.deepEqual(endpoints(several), [one, two])
    assert.deepEqual(endpoints([slice('other/s', { ports: [web], endpoints: [pod('10.1.0.1')] })]), [])
    assert.deepEqual(endpoints([slice('ns/other', { ports: [web], endpoints: [pod('10.1.0.1')] })]), [])
  })

  test('have the port that the slice gives to the port of that name', () => {
    const unnamed = { spec: { ports: [{ port: 80 }] } }
    const rows: readonly (readonly [what: string, ports: unknown, expected: readonly number[], from?: Parameters<typeof endpoints>[1]])[] =
      [
        ['by name', [{ name: 'admin', port: 9000 }, web], [8000]],
        ['by no name', [{ port: 8000 }], [8000], unnamed],
        ['by an empty name', [{ name: '', port: 8000 }], [8000], unnamed],
        ['another name', [{ name: 'admin', port: 9000 }], []],
        ['a name where the Service has none', [web], [], unnamed],
        ['several of one name, as a Service is changed', [web, { name: 'web', port: 8001 }], [8000, 8001]],
        ['of another protocol', [{ ...web, protocol: 'UDP' }], []],
        ['any port', [{ name: 'web', port: null }], []],
        [
          'out of bounds',
          [
            { name: 'web', port: 0 },
            { name: 'web', port: 65_536 },
            { name: 'web', port: 80.5 },
            { name: 'web', port: '80' },
          ],
          [],
        ],
        ['null', null, []],
        ['malformed', [null, 7, {}], []],
        ['not a port of the Service', [web], [], { port: 8000 }],
        [
          'a port of the Service of two protocols',
          [web],
          [8000],
          {
            spec: {
              ports: [
                { name: 'dns', port: 80, protocol: 'UDP' },
                { name: 'web', port: 80 },
              ],
            },
          },
        ],
      ]
    for (const [what, ports, expected, from] of rows) {
      const found = endpoints([slice('ns/s', { ports, endpoints: [pod('10.1.0.1')] })], from)
      assert.deepEqual(
        found,
        expected.map((port) => `10.1.0.1:${port}`),
        what,
      )
    }
    const [old, young] = [8000, 8001].map((port) =>
      slice('ns/s', { ports: [{ ...web, port }], endpoints: [pod(`10.1.0.${port - 7999}`)] }, `s-${port}`),
    )
    assert.deepEqual(endpoints([old, young]), ['10.1.0.1:8000', '10.1.0.2:8001'])
  })

  test('of a headless Service have the port by its name too, else the one that is written', () => {
    const slices = [slice('ns/s', { ports: [web], endpoints: [pod('10.1.0.1')] })]
    const spec = { clusterIP: 'None' }
    assert.deepEqual(endpoints(slices, { spec }), ['10.1.0.1:8000'])
    assert.deepEqual(endpoints(slices, { spec, port: 9000 }), ['10.1.0.1:9000'])
    assert.deepEqual(endpoints(slices, { spec, port: 0 }), [])
    assert.deepEqual(endpoints(slices, { spec, at: 'pod-0.s.ns.svc' }), [])
  })

  test('are of one IP family: the first of the Service, where some are', () => {
    const four = slice('ns/s', { ports: [web], endpoints: [pod('10.1.0.1')] })
    const six = slice('ns/s', { addressType: 'IPv6', ports: [web], endpoints: [pod('FD00:0::1')] }, 's-2')
    const [of4, of6] = ['10.1.0.1:8000', '[fd00::1]:8000']
    assert.deepEqual(endpoints([four, six]), [of4])
    assert.deepEqual(endpoints([four, six], { spec: { ipFamilies: ['IPv6', 'IPv4'] } }), [of6])
    assert.deepEqual(endpoints([six]), [of6])
    assert.deepEqual(endpoints([four], { spec: { ipFamilies: ['IPv6'] } }), [of4])
    for (const addressType of [undefined, 'FQDN', 'IPv6', 7]) {
      assert.deepEqual(endpoints([slice('ns/s', { addressType, ports: [web], endpoints: [pod('10.1.0.1')] })]), [], String(addressType))
    }
  })

  test('are not those of a Service that only says of itself that the host leads to it', () => {
    const slices = [slice('ns/s', { ports: [web], endpoints: [pod('10.1.0.1')] })]
    const spec = { clusterIPs: ['10.96.7.7', 'fd00:96::7'], externalIPs: ['192.0.2.7'] }
    for (const at of [host, 's.ns.svc', 'S.ns.svc.cluster.local.', '10.96.7.7', '0x0a600707', 'fd00:96:0::7']) {
      assert.deepEqual(endpoints(slices, { spec, at }), ['10.1.0.1:8000'], at)
    }
    for (const at of ['192.0.2.7', 'lb.example', 'other.ns.svc', 's.other.svc', 's-0.s.ns.svc']) {
      assert.deepEqual(endpoints(slices, { spec, at }), [], at)
    }
  })
})

test('an address that no pod has is told, whatever its slice says of it', () => {
  const strayOf = (rest: Raw) => createServices(createWorld([service('ns/s'), slice('ns/s', rest)]), 'cluster.local').strayOf('ns/s')
  const stray = (address: string, conditions?: Raw): Raw => ({ ports: [web], endpoints: [pod('10.1.0.1'), pod(address, conditions)] })
  assert.equal(strayOf(stray('169.254.169.254')), '169.254.169.254')
  assert.equal(strayOf(stray('169.254.169.254', { ready: false })), '169.254.169.254')
  assert.equal(strayOf({ ...stray('::ffff:127.0.0.1'), addressType: 'IPv6', ports: null }), '127.0.0.1')
  assert.equal(strayOf({ endpoints: [{ addresses: ['10.1.0.1', 'fe80::1', '127.0.0.1'] }] }), '127.0.0.1')
  assert.equal(strayOf(stray('10.1.0.2')), undefined)
  assert.equal(strayOf({ endpoints: null }), undefined)
})

test('Services are remembered whose slices were looked at', () => {
  const slices = ['ns/s', 'ns/one', 'ns/two'].map((key) => slice(key, {}))
  const services = createServices(createWorld([...cluster, ...slices]), 'cluster.local')
  assert.deepEqual(services.looked, new Set())
  services.strayOf('ns/one')
  services.endpointsBehind('two.ns.svc', 'ns/two', 80)
  assert.deepEqual(services.looked, new Set(['ns/one', 'ns/two']))
})
