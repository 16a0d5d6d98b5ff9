import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Raw } from '../objects/objects.ts'
import { agentgatewayBackend, backend, namespace, object, only, read, service, target, told } from './backends-for-test.ts'

test('what a policy sets for a Service is for its own namespace, and for whom a ReferenceGrant there names', () => {
  const set = { 'service far/s': { server: { credentials: { header: { Authorization: 'secret' } } } } }
  const closed = { 'service far/s': { closed: 'closed by far/p' } }
  const cluster = [service('far/s'), namespace('far')]
  const selector = { name: 'x', selector: { namespaces: {} } }
  const grant = (kind: string, group: string, from = 'ns'): Raw =>
    object('ReferenceGrant', 'gateway.networking.k8s.io/v1beta1', 'far/g', {
      spec: { from: [{ group, kind, namespace: from }], to: [{ group: '', kind: 'Service' }] },
    })
  const ofAgentgateway = grant('AgentgatewayBackend', 'agentgateway.dev')
  const ofKgateway = grant('Backend', 'gateway.kgateway.dev')
  for (const [far, own] of [
    [target('x', { host: 's.far.svc' }), 'x'],
    [target('x', { host: 's.far.svc.cluster.local.' }), 'x'],
    [selector, 's-http'],
  ] as const) {
    for (const [make, right, wrong] of [
      [agentgatewayBackend, ofAgentgateway, ofKgateway],
      [backend, ofKgateway, ofAgentgateway],
    ] as const) {
      const objects = [make([far, target('y')]), ...cluster]
      const served = (more: readonly Raw[], effects: Parameters<typeof only>[1]) =>
        Object.keys(only([...objects, ...more], effects).fragment?.['servers'] ?? {}).sort()
      assert.deepEqual(served([], {}), [own, 'y'].sort())
      for (const more of [[], [wrong], [grant('AgentgatewayBackend', 'agentgateway.dev', 'third')]]) {
        const view = only([...objects, ...more], set)
        assert.doesNotMatch(JSON.stringify(view.fragment), /secret/)
        assert.deepEqual(Object.keys(view.fragment?.['servers'] ?? {}), ['y'])
        assert.match(
          told(view)[1] ?? '',
          /^ResolvedRefs=False RefNotPermitted: .*Service far\/s .*create a ReferenceGrant in far from \w+ \(/,
        )
      }
      assert.match(JSON.stringify(only([...objects, right], set).fragment), /"Authorization":"secret"/)
      assert.deepEqual(served([right], closed), ['y'])
      assert.deepEqual(served([], closed), ['y'])
    }
  }
})

test('how a server is reached: the nearer to it, the stronger, field by field', () => {
  const level = (name: string): Raw => ({ auth: { key: name }, tcp: { connectTimeout: '1s' } })
  const object = agentgatewayBackend([target('x', { host: 's.ns.svc', policies: { auth: { key: 'target' } } }), target('y')], {
    policies: level('backend'),
  })
  const credentials = (name: string): Raw => ({ header: { Authorization: `Bearer ${name}` } })
  const view = only([object], {
    'service ns/s': { server: { requestTimeout: '2s', connectTimeout: '9s', tls: {} } },
    'backend ns/a': { server: { requestTimeout: '3s', credentials: credentials('policy') } },
    'backend ns/a x': { server: { tls: { serverName: 'x' } } },
  })
  assert.deepEqual(view.fragment?.['servers'], {
    x: {
      http: { host: 's.ns.svc', port: 80, tls: { serverName: 'x' } },
      timeouts: { connect: '1s', request: '2s' },
      credentials: credentials('target'),
    },
    y: { http: { host: 'y.example', port: 80 }, timeouts: { connect: '1s', request: '3s' }, credentials: credentials('backend') },
  })
})

test('what policies close: the server that they are on, or the backend', () => {
  const closed = { closed: 'AgentgatewayPolicy ns/p: spec.backend.mcp is not enforced yet' }
  const two = agentgatewayBackend([target('x', { host: 's.ns.svc' }), target('y')])
  for (const place of ['service ns/s', 'backend ns/a x']) {
    const view = only([two], { [place]: closed })
    assert.deepEqual(view.fragment, { servers: { y: { http: { host: 'y.example', port: 80 } } }, prefix: 'always' })
    assert.equal(told(view)[2], `PartiallyInvalid=True Unsupported: spec.mcp.targets[0]: ${closed.closed}`)
  }
  const listeners = [{ name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } }]
  const gateway = object('Gateway', 'gateway.networking.k8s.io/v1', 'edge/gw', { spec: { gatewayClassName: 'mcplex', listeners } })
  const backendRefs = [{ group: 'agentgateway.dev', kind: 'AgentgatewayBackend', name: 'a' }]
  const route = object('HTTPRoute', 'gateway.networking.k8s.io/v1', 'ns/r', {
    spec: { parentRefs: [{ name: 'gw', namespace: 'edge' }], rules: [{ backendRefs }] },
  })
  const short = agentgatewayBackend([target('x', { host: 's' }), target('y')])
  for (const objects of [[], [service('edge/s')]]) {
    const view = only([short, gateway, route, ...objects], { 'service edge/s': closed })
    assert.deepEqual(Object.keys(view.fragment?.['servers'] ?? {}), ['y'])
    assert.match(told(view)[2] ?? '', /^PartiallyInvalid=True Unsupported: spec\.mcp\.targets\[0\]: AgentgatewayPolicy ns\/p/)
    const set = only([short, gateway, route, ...objects], { 'service edge/s': { server: { tls: {} } } })
    assert.deepEqual(Object.keys(set.fragment?.['servers'] ?? {}), ['y'])
    const elsewhere = only([short, gateway, ...objects], { 'service edge/s': closed })
    assert.deepEqual(Object.keys(elsewhere.fragment?.['servers'] ?? {}), ['x', 'y'], 'a Gateway that does not lead here')
    assert.match(told(set)[2] ?? '', /targets\[0\]: it may lead to Service edge\/s, for which there are policies: write the whole name/)
  }
  const whole = only([two], { 'backend ns/a': closed })
  assert.deepEqual([whole.fragment, whole.unusable], [undefined, closed.closed])
  const inline = only([agentgatewayBackend([target('x', { policies: { tunnel: { backendRef: {} } } }), target('y')])])
  assert.deepEqual(Object.keys(inline.fragment?.['servers'] ?? {}), ['y'])
  assert.match(told(inline)[2] ?? '', /spec\.mcp\.targets\[0\]\.static\.policies\.tunnel/)
})

test('Secrets that policies name are asked for; one that is missing closes its server alone', () => {
  const view = read([agentgatewayBackend([target('x', { policies: { auth: { secretRef: { name: 'key' } } } }), target('y')])])
  assert.deepEqual(view.wanted, [{ group: '', kind: 'Secret', namespace: 'ns', name: 'key' }])
  assert.deepEqual(Object.keys(view.all[0]?.fragment?.['servers'] ?? {}), ['y'])
})

test('a backend whose servers would fill a document serves nothing', () => {
  const withCa = (bytes: number) => only([agentgatewayBackend(targets)], { 'backend ns/a': { server: { tls: { ca: 'x'.repeat(bytes) } } } })
  const targets = [target('one'), target('two'), target('three')]
  assert.notEqual(withCa(100_000).fragment, undefined)
  const { unusable, fragment } = withCa(200_000)
  assert.equal(fragment, undefined)
  assert.match(unusable ?? '', /more than 512 KiB of a configuration: give them fewer certificates/)
})
