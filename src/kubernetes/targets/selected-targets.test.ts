import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agentgatewayBackend, backend, mcpPort, namespace, only, service, target, told } from '../backends/backends-for-test.ts'
import type { Raw } from '../objects/objects.ts'

test('a backend has at most 256 servers: static targets first, of selected ones the first', () => {
  const ports = Array.from({ length: 300 }, (_, index) => mcpPort(undefined, index + 1))
  const selector = (name: string): Raw => ({ name, selector: {} })
  const many = only([backend([selector('one'), selector('two'), target('x')]), service('ns/s', ports)])
  assert.deepEqual(Object.keys(many.fragment?.['servers'] ?? {}).slice(-2), ['s-255', 'x'])
  assert.equal(Object.keys(many.fragment?.['servers'] ?? {}).length, 256)
  assert.match(
    told(many)[2] ?? '',
    /targets\[0\]\.selector: 45 servers are more than a backend may have: .*; \S+\[1\]\.selector: 300 servers/,
  )

  const names = Array.from({ length: 258 }, (_, index) => `t${index}`)
  const list = only([backend(names.map((name) => target(name)))])
  assert.equal(Object.keys(list.fragment?.['servers'] ?? {}).length, 256)
  assert.match(
    told(list)[2] ?? '',
    /Invalid: spec\.mcp\.targets: a backend has at most 256 servers: move those from the 257th on to another/,
  )
})

test('selectors: which Services, which of their ports, under which name and path', () => {
  const labels = { labels: { app: 'mcp' } }
  const cluster = [
    namespace('ns', { team: 'a' }),
    namespace('far', { team: 'b' }),
    service(
      'ns/one',
      [mcpPort('http'), mcpPort(undefined, 81, 'agentgateway.dev/mcp'), { name: 'web', port: 82, appProtocol: 'http' }],
      labels,
    ),
    service('ns/two', [mcpPort('http')], {
      annotations: { 'kgateway.dev/mcp-path': '/old', 'agentgateway.dev/mcp-target-name': 'second' },
    }),
    service('far/three', [mcpPort('http')], {
      ...labels,
      annotations: { 'kgateway.dev/mcp-path': '/old', 'agentgateway.dev/mcp-path': '/new' },
    }),
    service('unknown/four'),
  ]
  const one = { 'one-http': 'one.ns.svc.cluster.local:80', 'one-81': 'one.ns.svc.cluster.local:81' }
  const two = { second: 'two.ns.svc.cluster.local:80/old' }
  const three = { 'three-http': 'three.far.svc.cluster.local:80/new' }
  const table: readonly (readonly [selector: Raw, servers: Readonly<Record<string, string>>])[] = [
    [{ service: {} }, { ...one, ...two }],
    [{ services: {} }, { ...one, ...two }],
    [{}, { ...one, ...two }],
    [{ service: { matchLabels: { app: 'mcp' } } }, one],
    [{ services: { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] } }, two],
    [{ namespaces: {} }, { ...one, ...two, ...three }],
    [{ namespace: { matchLabels: { team: 'b' } } }, three],
    [{ namespaces: { matchLabels: { team: 'b' } }, services: { matchLabels: { app: 'other' } } }, {}],
    [{ namespaces: { matchLabels: { 'kubernetes.io/metadata.name': 'far' } } }, three],
    [{ namespaces: { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] } }, three],
    [{ namespace: { matchLabels: { team: 'a' } }, namespaces: { matchLabels: { team: 'b' } } }, {}],
  ]
  for (const [selector, expected] of table) {
    const view = only([agentgatewayBackend([{ name: 'all', selector }]), ...cluster])
    const servers = Object.entries(view.fragment?.['servers'] ?? {}).map(([name, { http }]) => [
      name,
      `${http.host}:${http.port}${http.path ?? ''}`,
    ])
    assert.deepEqual(servers, Object.entries(expected), JSON.stringify(selector))
    if (servers.length === 0) assert.match(view.unusable ?? '', /^spec\.mcp\.targets\[0\]\.selector selects no Service port/)
  }
})

test('selectors: what can not be taken', () => {
  const all = { name: 'all', selector: { services: {} } }
  const table: readonly (readonly [objects: readonly Raw[], servers: readonly string[], condition: RegExp])[] = [
    [
      [service('ns/s', [mcpPort('old', 80, 'agentgateway.dev/mcp-sse'), mcpPort('new')])],
      ['s-new'],
      /PartiallyInvalid=True Unsupported: spec\.mcp\.targets\[0\]\.selector \(Service ns\/s, port old\): its appProtocol: SSE is not supported/,
    ],
    [[service('ns/s', [mcpPort('a')], {}, { type: 'ExternalName' }), service('ns/t')], ['t-http'], /Service ns\/s is an ExternalName/],
    [
      [service('ns/s', [mcpPort('a')], { annotations: { 'agentgateway.dev/mcp-target-name': 'My Server' } }), service('ns/t')],
      ['t-http'],
      /Service ns\/s, annotation agentgateway\.dev\/mcp-target-name: `My Server` is not a name: .*my-server/,
    ],
    [
      [service('ns/s', [mcpPort('a')], { annotations: { 'agentgateway.dev/mcp-path': 'no' } }), service('ns/t')],
      ['t-http'],
      /Service ns\/s, annotation agentgateway\.dev\/mcp-path: `no` is not a path/,
    ],
    [
      [service('ns/s', [mcpPort('a'), mcpPort('b', 81)], { annotations: { 'agentgateway.dev/mcp-target-name': 'same' } })],
      ['same'],
      /port b\): the name same is taken by spec\.mcp\.targets\[0\]\.selector \(Service ns\/s, port a\)/,
    ],
  ]
  for (const [objects, servers, condition] of table) {
    const view = only([agentgatewayBackend([all]), ...objects])
    assert.deepEqual(Object.keys(view.fragment?.['servers'] ?? {}), servers)
    assert.match(told(view)[2] ?? '', condition)
  }
  for (const selector of [{ services: { matchLabels: 7 } }, { services: {}, ports: {} }, 'all']) {
    const view = only([agentgatewayBackend([{ name: 'all', selector }]), service('ns/s')])
    assert.equal(view.fragment, undefined, JSON.stringify(selector))
    assert.match(view.unusable ?? '', /^spec\.mcp\.targets\[0\]\.selector/)
  }
})
