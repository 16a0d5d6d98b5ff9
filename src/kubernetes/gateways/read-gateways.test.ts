import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createWorld, type Fault, type Settings } from '../objects/objects.ts'
import { readGateways } from './read-gateways.ts'

const settings: Settings = {
  controllerName: 'mcplex.dev/controller',
  classes: ['agentgateway', 'mcplex'],
  version: '1.0.0',
  image: 'mcplex',
  imagePullSecrets: [],
  clusterDomain: 'cluster.local',
}

const apiVersion = 'gateway.networking.k8s.io/v1'
const gatewayClass = (name: string, controllerName: string, more: object = {}) => ({
  apiVersion,
  kind: 'GatewayClass',
  metadata: { name, generation: 3 },
  spec: { controllerName, ...more },
})
const gateway = (spec: object, name = 'gw', gatewayClassName = 'mcplex') => ({
  apiVersion,
  kind: 'Gateway',
  metadata: { name, namespace: 'apps', uid: `uid-${name}` },
  spec: { gatewayClassName, ...spec },
})
const http = { name: 'http', port: 8080, protocol: 'HTTP' }
const namespace = (name: string, labels: object) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })

const read = (...objects: readonly unknown[]) => readGateways(createWorld(objects), settings)
const reasons = (faults: readonly Fault[]) => faults.map((fault) => fault.reason)

function only(...objects: readonly unknown[]) {
  const [view, ...more] = read(...objects).gateways
  assert.ok(view)
  assert.deepEqual(more, [])
  return view
}

/** The listeners of a Gateway that has these. */
const listenersOf = (listeners: unknown, ...objects: readonly unknown[]) => only(gateway({ listeners }), ...objects).listeners

function listenerOf(listener: object, ...objects: readonly unknown[]) {
  const [view] = listenersOf([{ ...http, ...listener }], ...objects)
  assert.ok(view)
  return view
}

describe('GatewayClasses', () => {
  it('are made where they are absent, and then not again', () => {
    assert.deepEqual(
      read().classes.map(({ metadata, spec }) => [metadata, spec]),
      ['agentgateway', 'mcplex'].map((name) => [
        { name, labels: { 'app.kubernetes.io/managed-by': 'mcplex.dev.controller' } },
        { controllerName: settings.controllerName, description: 'MCP servers behind one endpoint' },
      ]),
    )
    assert.deepEqual(read(gatewayClass('mcplex', settings.controllerName), gatewayClass('agentgateway', 'other.dev/x')).classes, [])
  })

  it('that are ours are accepted, whatever their name; those of others have no status from us', () => {
    const { classStatuses } = read(gatewayClass('custom', settings.controllerName), gatewayClass('mcplex', 'other.dev/x'))
    assert.deepEqual(
      classStatuses.map(({ object, ...status }) => [object.metadata.name, status]),
      [
        [
          'custom',
          {
            kind: 'whole',
            status: {
              conditions: [
                {
                  type: 'Accepted',
                  status: 'True',
                  reason: 'Accepted',
                  message: 'mcplex.dev/controller serves Gateways of this class',
                  observedGeneration: 3,
                },
              ],
            },
          },
        ],
      ],
    )
  })

  it('with parameters of another kind are not accepted, and neither are their Gateways', () => {
    const parametersRef = { group: 'x.dev', kind: 'Parameters', name: 'p' }
    const { classStatuses, gateways } = read(
      gatewayClass('mcplex', settings.controllerName, { parametersRef }),
      gateway({ listeners: [http] }),
    )
    assert.ok(JSON.stringify(classStatuses).includes('"reason":"InvalidParameters"'))
    assert.deepEqual(
      gateways.map((view) => reasons(view.faults)),
      [['InvalidParameters']],
    )
  })
})

describe('Gateways', () => {
  it('are ours by their class, also by one that is yet to be made, in the order of their names', () => {
    const { gateways } = read(
      gatewayClass('mcplex', 'other.dev/x'),
      gatewayClass('custom', settings.controllerName),
      gateway({}, 'of-another', 'mcplex'),
      gateway({}, 'of-none', 'nothing'),
      gateway({}, 'zebra', 'agentgateway'),
      gateway({}, 'ape', 'custom'),
    )
    assert.deepEqual(
      gateways.map((view) => view.key),
      ['apps/ape', 'apps/zebra'],
    )
  })

  const faults: readonly (readonly [string, object, readonly string[]])[] = [
    ['without anything special', { infrastructure: { labels: { a: 'b' }, annotations: {} }, addresses: [] }, []],
    [
      'with parameters of another kind',
      { infrastructure: { parametersRef: { group: '', kind: 'ConfigMap', name: 'x' } } },
      ['InvalidParameters'],
    ],
    ['that asks for an address', { addresses: [{ type: 'IPAddress', value: '10.0.0.1' }] }, ['UnsupportedAddress']],
    ['that asks for any address', { addresses: [{ type: 'IPAddress' }, { value: '' }] }, []],
    ['with a member that nobody knows', { quota: 3, infrastructure: { zone: 'a' }, tls: { inner: {} } }, ['Invalid', 'Invalid', 'Invalid']],
    ['whose listeners are no list', { listeners: { http } }, ['Invalid']],
    ['with a listener that has no name', { listeners: [{ port: 80, protocol: 'HTTP' }, 7] }, ['Invalid', 'Invalid']],
    ['with two listeners of one name', { listeners: [http, { ...http, port: 81 }] }, ['Invalid']],
  ]
  for (const [name, spec, expected] of faults) {
    it(`${name}: ${expected.join(', ') || 'no fault'}`, () => {
      const view = only(gateway({ listeners: [http], ...spec }))
      assert.deepEqual(reasons(view.faults), expected)
      assert.deepEqual(view.remarks, [])
    })
  }

  it('say what has no effect', () => {
    const view = only(
      gateway({
        listeners: [http],
        tls: { backend: { clientCertificateRef: { name: 'x' } } },
        allowedListeners: { namespaces: { from: 'All' } },
        defaultScope: 'All',
      }),
    )
    assert.deepEqual(view.faults, [])
    assert.deepEqual(
      view.remarks.map(({ message }) => message.split(' ')[0]),
      ['spec.allowedListeners', 'spec.defaultScope', 'spec.tls.backend'],
    )
    assert.deepEqual(only(gateway({ allowedListeners: { namespaces: { from: 'None' } }, defaultScope: 'None' })).remarks, [])
  })

  it('that another controller has now are abandoned where something of ours is left; the rest is left alone', () => {
    const service = (name: string, uid = `uid-${name}`, by = 'mcplex.dev.controller', namespace = 'apps', controller = true) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name,
        namespace,
        labels: { 'app.kubernetes.io/managed-by': by, 'gateway.networking.k8s.io/gateway-name': name },
        ownerReferences: [{ apiVersion, kind: 'Gateway', name, uid, controller }],
      },
    })
    const { abandoned } = read(
      gatewayClass('foreign', 'other.dev/x'),
      ...['ours', 'classless'].flatMap((name) => [gateway({}, name, name === 'ours' ? 'mcplex' : 'gone'), service(name)]),
      ...['given', 'made-anew', 'of-others', 'elsewhere', 'untouched', 'shared', 'misnamed'].map((name) => gateway({}, name, 'foreign')),
      service('given'),
      { ...service('given'), metadata: { ...service('given').metadata, name: 'given-peers' } },
      service('made-anew', 'another-uid'),
      service('of-others', undefined, 'other.dev.x'),
      service('elsewhere', undefined, undefined, 'other'),
      service('deleted'),
      service('shared', undefined, undefined, undefined, false),
      { ...service('misnamed'), metadata: { ...service('misnamed').metadata, name: 'misnamed-peers' } },
    )
    assert.deepEqual(abandoned, [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'apps', name: 'given' }])
  })
})

describe('a listener', () => {
  it('of HTTP is one of the document', () => {
    const { fragment, supportedKinds, faults, isAcceptingRoutes } = listenerOf({ hostname: 'MCP.Example.com' })
    assert.deepEqual(faults, { Accepted: [], ResolvedRefs: [], Conflicted: [] })
    assert.deepEqual(
      JSON.stringify(fragment),
      '{"name":"http","address":"0.0.0.0","port":8080,"protocol":"HTTP","hostname":"mcp.example.com","insecure":true}',
    )
    assert.deepEqual(supportedKinds, [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute' }])
    assert.equal(isAcceptingRoutes, true)
    assert.deepEqual(Object.keys(listenerOf({ hostname: '' }).fragment ?? {}), ['name', 'address', 'port', 'protocol', 'insecure'])
  })

  const tls = { certificateRefs: [{ name: 'cert' }] }
  const notServed: readonly (readonly [string, object, readonly string[], RegExp])[] = [
    ['HTTPS', { protocol: 'HTTPS', tls }, ['UnsupportedProtocol'], /terminate TLS before mcplex/],
    ['TLS', { protocol: 'TLS', tls: { mode: 'Passthrough' } }, ['UnsupportedProtocol'], /write HTTP/],
    ['TCP', { protocol: 'TCP' }, ['UnsupportedProtocol'], /TCP is not served/],
    ['UDP', { protocol: 'UDP' }, ['UnsupportedProtocol'], /UDP is not served/],
    ['no protocol', { protocol: undefined }, ['UnsupportedProtocol'], /protocol/],
    ['the admin port', { port: 15_000 }, ['PortUnavailable'], /15000/],
    ["the peers' port", { port: 15_001 }, ['PortUnavailable'], /15001/],
    ['the health port', { port: 15_021 }, ['PortUnavailable'], /15021/],
    ['port 0', { port: 0 }, ['Invalid'], /listeners\[0\]\.port/],
    ['a port out of bounds', { port: 65_536 }, ['Invalid'], /listeners\[0\]\.port.*65535/],
    ['a port that is a text', { port: '80' }, ['Invalid'], /listeners\[0\]\.port/],
    ['a hostname that is a number', { hostname: 5 }, ['Invalid'], /listeners\[0\]\.hostname/],
    ['a hostname that is none', { hostname: 'a b' }, ['Invalid'], /listeners\[0\]\.hostname/],
    ['a hostname that is an address', { hostname: '192.0.2.1' }, ['Invalid'], /listeners\[0\]\.hostname: 192\.0\.2\.1 is an address/],
    ['a name that is none', { name: 'A_b' }, ['Invalid'], /listeners\[0\]\.name/],
    ['TLS of HTTP', { tls }, ['Invalid'], /listeners\[0\]\.tls/],
    ['a member that nobody knows', { quota: 1 }, ['UnsupportedValue'], /listeners\[0\]\.quota/],
    ['an unknown source of routes', { allowedRoutes: { namespaces: { from: 'Some' } } }, ['UnsupportedValue'], /namespaces\.from/],
    ['no selector', { allowedRoutes: { namespaces: { from: 'Selector' } } }, ['Invalid'], /namespaces\.selector/],
    ['allowedRoutes that are a text', { allowedRoutes: 'All' }, ['Invalid'], /allowedRoutes is not/],
    ['namespaces that are a list', { allowedRoutes: { namespaces: [] } }, ['Invalid'], /namespaces is not/],
    ['an unknown restriction', { allowedRoutes: { namespaces: { from: 'All', except: 'x' } } }, ['UnsupportedValue'], /namespaces\.except/],
  ]
  for (const [name, listener, expected, message] of notServed) {
    it(`with ${name} is not served: ${expected}`, () => {
      const { fragment, faults } = listenerOf(listener)
      assert.equal(fragment, undefined)
      assert.deepEqual(reasons(faults.Accepted), expected)
      assert.match(faults.Accepted[0]?.message ?? '', message)
      assert.deepEqual(faults.Conflicted, [])
    })
  }

  it('that asks for certificates of clients says so', () => {
    const listeners = [443, 444, 80].map((port) => ({
      name: `l${port}`,
      port,
      protocol: port === 80 ? 'HTTP' : 'HTTPS',
      tls: port === 80 ? null : tls,
    }))
    const validation = { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }] }
    const frontend = { default: { validation }, perPort: [{ port: 444, tls: {} }] }
    const views = only(gateway({ listeners, tls: { frontend } })).listeners
    assert.deepEqual(
      views.map((view) => reasons(view.faults.Accepted)),
      [['UnsupportedProtocol', 'UnsupportedValue'], ['UnsupportedProtocol'], []],
    )
  })
})

describe('references to certificates', () => {
  const grant = (from: object, to: object) => ({
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    metadata: { name: 'grant', namespace: 'certs' },
    spec: { from: [from], to: [to] },
  })
  const byGateways = { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'apps' }
  const cases: readonly (readonly [string, unknown, readonly string[], unknown?])[] = [
    ['a Secret of its own namespace', [{ name: 'cert' }], []],
    ['defaults written out', [{ group: '', kind: 'Secret', namespace: 'apps', name: 'cert' }], []],
    ['none', [], ['InvalidCertificateRef']],
    ['another kind', [{ kind: 'ConfigMap', name: 'cert' }], ['InvalidCertificateRef']],
    ['another group', [{ group: 'x.dev', name: 'cert' }], ['InvalidCertificateRef']],
    ['no name', [{}], ['InvalidCertificateRef']],
    ['a text', ['cert'], ['InvalidCertificateRef']],
    ['another namespace', [{ name: 'cert', namespace: 'certs' }], ['RefNotPermitted']],
    ['another namespace with a grant', [{ name: 'cert', namespace: 'certs' }], [], grant(byGateways, { group: '', kind: 'Secret' })],
    [
      'a grant for another name',
      [{ name: 'cert', namespace: 'certs' }],
      ['RefNotPermitted'],
      grant(byGateways, { group: '', kind: 'Secret', name: 'x' }),
    ],
    [
      'a grant for routes',
      [{ name: 'cert', namespace: 'certs' }],
      ['RefNotPermitted'],
      grant({ ...byGateways, kind: 'HTTPRoute' }, { group: '', kind: 'Secret' }),
    ],
    ['one good, one bad', [{ name: 'cert' }, { name: 'cert', namespace: 'certs' }], ['RefNotPermitted']],
  ]
  for (const [name, certificateRefs, expected, object] of cases) {
    it(`${name}: ${expected.join(', ') || 'good'}`, () => {
      const { faults } = listenerOf({ protocol: 'HTTPS', tls: { certificateRefs } }, object)
      assert.deepEqual(reasons(faults.ResolvedRefs), expected)
    })
  }
})

it('certificates of TLS that passes through are not looked at', () => {
  const listener = { protocol: 'TLS', tls: { mode: 'Passthrough', certificateRefs: [{ name: 'cert', namespace: 'certs' }] } }
  assert.deepEqual(listenerOf(listener).faults.ResolvedRefs, [])
})

describe('kinds of routes', () => {
  const httpRoute = { kind: 'HTTPRoute' }
  const cases: readonly (readonly [string, string, unknown, number, readonly string[]])[] = [
    ['none written', 'HTTP', undefined, 1, []],
    ['an empty list', 'HTTP', [], 1, []],
    ['HTTPRoute', 'HTTP', [httpRoute], 1, []],
    ['HTTPRoute with its group on HTTPS', 'HTTPS', [{ ...httpRoute, group: 'gateway.networking.k8s.io' }], 1, []],
    ['GRPCRoute', 'HTTP', [{ kind: 'GRPCRoute' }], 0, ['InvalidRouteKinds']],
    ['both', 'HTTP', [{ kind: 'GRPCRoute' }, httpRoute], 1, ['InvalidRouteKinds']],
    ['HTTPRoute of another group', 'HTTP', [{ ...httpRoute, group: '' }], 0, ['InvalidRouteKinds']],
    ['HTTPRoute over TCP', 'TCP', [httpRoute], 0, ['InvalidRouteKinds']],
    ['none written, of TCP', 'TCP', undefined, 0, []],
    ['a text', 'HTTP', 'HTTPRoute', 0, ['InvalidRouteKinds']],
  ]
  for (const [name, protocol, kinds, supported, expected] of cases) {
    it(`${name}: ${supported} supported`, () => {
      const view = listenerOf({
        protocol,
        allowedRoutes: { kinds, namespaces: { from: 'All' } },
        ...(protocol === 'HTTPS' ? { tls: { certificateRefs: [{ name: 'c' }] } } : {}),
      })
      assert.equal(view.supportedKinds.length, supported)
      assert.equal(view.isAcceptingRoutes, supported > 0)
      assert.deepEqual(reasons(view.faults.ResolvedRefs), expected)
      assert.equal(view.refusal('apps') === undefined, supported > 0)
    })
  }
})

describe('namespaces that routes may come from', () => {
  const selector = { matchLabels: { team: 'ops' } }
  const own = { matchLabels: { 'kubernetes.io/metadata.name': 'ops' } }
  const objects = [namespace('apps', {}), namespace('ops', { team: 'ops' }), namespace('dev', { team: 'dev' })]
  const cases: readonly (readonly [string, unknown, readonly string[]])[] = [
    ['nothing written', undefined, ['apps']],
    ['no `from`', {}, ['apps']],
    ['Same', { from: 'Same' }, ['apps']],
    ['All', { from: 'All' }, ['apps', 'ops', 'dev', 'unseen']],
    ['None', { from: 'None' }, []],
    ['Selector', { from: 'Selector', selector }, ['ops']],
    ['Selector by name', { from: 'Selector', selector: own }, ['ops']],
    ['Selector that all known ones meet', { from: 'Selector', selector: {} }, ['apps', 'ops', 'dev']],
    ['Selector that is not valid', { from: 'Selector', selector: { matchExpressions: [{ key: 'team', operator: 'Is' }] } }, []],
    ['a selector that is of no matter', { from: 'Same', selector }, ['apps']],
    ['what nobody knows', { from: 'Any' }, []],
  ]
  for (const [name, namespaces, expected] of cases) {
    it(`${name}: ${expected.join(', ') || 'none'}`, () => {
      const view = listenerOf({ allowedRoutes: { namespaces } }, ...objects)
      const taken = ['apps', 'ops', 'dev', 'unseen'].filter((one) => view.refusal(one) === undefined)
      assert.deepEqual(taken, expected)
      assert.equal(expected.length < 4 ? view.refusal('unseen')?.reason : 'NotAllowedByListeners', 'NotAllowedByListeners')
    })
  }
})

describe('conflicts among listeners', () => {
  const tls = { certificateRefs: [{ name: 'cert' }] }
  const cases: readonly (readonly [string, readonly object[], readonly (string | undefined)[]])[] = [
    ['other ports', [{ port: 80 }, { port: 81 }], [undefined, undefined]],
    ['other hostnames', [{ hostname: 'a.example' }, { hostname: '*.example' }, {}], [undefined, undefined, undefined]],
    ['the same port, all but the third', [{}, {}, { hostname: 'a.example' }], ['HostnameConflict', 'HostnameConflict', undefined]],
    ['hostnames in another case', [{ hostname: 'a.example' }, { hostname: 'A.example' }], ['HostnameConflict', 'HostnameConflict']],
    [
      'HTTP and HTTPS',
      [{}, { protocol: 'HTTPS', hostname: 'a.example', tls }, { port: 80 }],
      ['ProtocolConflict', 'ProtocolConflict', undefined],
    ],
    ['HTTP and TLS', [{ protocol: 'TLS', tls }, {}], ['ProtocolConflict', 'ProtocolConflict']],
    ['HTTP and TCP, which is not served at all', [{}, { protocol: 'TCP' }], [undefined, undefined]],
    ['ports that are none', [{ port: 'x' }, { port: 'x' }], [undefined, undefined]],
  ]
  for (const [name, listeners, expected] of cases) {
    it(`${name}: ${expected.map((reason) => reason ?? 'none').join(', ')}`, () => {
      const views = listenersOf(listeners.map((listener, index) => ({ ...http, name: `l${index}`, ...listener })))
      assert.deepEqual(
        views.map((view) => view.faults.Conflicted[0]?.reason),
        expected,
      )
      for (const view of views.filter(({ faults }) => faults.Conflicted.length > 0)) assert.equal(view.fragment, undefined)
    })
  }

  it('are told with the names of the others', () => {
    const [view] = listenersOf([http, { ...http, name: 'web' }])
    assert.match(view?.faults.Conflicted[0]?.message ?? '', /listener web \(HTTP\).*take another port or hostname/)
  })
})
