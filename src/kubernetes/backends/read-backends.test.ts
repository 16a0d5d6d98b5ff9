import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWorld, nothingObserved, type Raw, textAt } from '../objects/objects.ts'
import { readUses } from '../targets/targets.ts'
import {
  agentgatewayBackend,
  backend,
  good,
  mcpPort,
  namespace,
  object,
  only,
  policiesAt,
  read,
  service,
  settings,
  slice,
  target,
  told,
} from './backends-for-test.ts'
import { readBackends } from './read-backends.ts'

test('static targets become servers in their order, with nothing that was not written', () => {
  const view = only([
    backend([
      { name: 'math-mcp-server', static: { host: 'math.default.svc.cluster.local', port: 80, protocol: 'StreamableHTTP' } },
      { name: 'date', static: { host: '10.0.0.7', port: 8443, path: '/v1/mcp$' } },
    ]),
  ])
  assert.equal(
    JSON.stringify(view.fragment),
    JSON.stringify({
      servers: {
        'math-mcp-server': { http: { host: 'math.default.svc.cluster.local', port: 80 } },
        date: { http: { host: '10.0.0.7', port: 8443, path: '/v1/mcp$' } },
      },
      prefix: 'conditional',
    }),
  )
  assert.equal(view.name, 'ns/b')
  assert.equal(view.unusable, undefined)
  assert.deepEqual(told(view), good('serves 2 servers'))
  assert.deepEqual(view.status.kind === 'whole' && view.status.status['mcp'], { targets: 2 })
})

test('modes of an AgentgatewayBackend', () => {
  const table: readonly (readonly [mcp: Raw, fragment: Raw])[] = [
    [{}, { prefix: 'conditional' }],
    [{ prefixMode: 'Conditional', failureMode: 'FailOpen', sessionRouting: 'Stateful' }, { prefix: 'conditional' }],
    [{ prefixMode: 'Always' }, { prefix: 'always' }],
    [
      { prefixMode: 'Never', failureMode: 'FailClosed' },
      { prefix: 'never', failure: 'closed' },
    ],
    [{ sessionRouting: 'Stateless' }, { prefix: 'conditional' }],
  ]
  for (const [mcp, modes] of table) {
    const { fragment } = only([agentgatewayBackend([target('x')], {}, mcp)])
    assert.deepEqual(fragment, { servers: { x: { http: { host: 'x.example', port: 80 } } }, ...modes }, JSON.stringify(mcp))
  }
  const stateless = only([agentgatewayBackend([target('x')], {}, { sessionRouting: 'Stateless' })])
  assert.match(told(stateless)[2] ?? '', /^PartiallyInvalid=True Unsupported: spec\.mcp\.sessionRouting: Stateless/)
})

test('a target that can not be served is left out and named with its place; the others are served under the names that they had', () => {
  const table: readonly (readonly [target: unknown, condition: RegExp])[] = [
    [target('bad', { protocol: 'SSE' }), /Unsupported: spec\.mcp\.targets\[1\]\.static\.protocol: SSE .*Streamable HTTP$/],
    [target('bad', { protocol: 'WS' }), /Invalid: spec\.mcp\.targets\[1\]\.static\.protocol is not known/],
    [
      target('bad', { host: '169.254.169.254' }),
      /Invalid: spec\.mcp\.targets\[1\]\.static\.host: `169\.254\.169\.254` leads to a link-local/,
    ],
    [target('bad', { host: 'metadata.google.internal' }), /targets\[1\]\.static\.host: /],
    [target('bad', { host: 'http://x' }), /targets\[1\]\.static\.host: .* is not a host: write a host name/],
    [target('bad', { port: 0 }), /targets\[1\]\.static\.port: `0` is out of bounds/],
    [target('bad', { port: '80' }), /targets\[1\]\.static\.port is not a number/],
    [target('bad', { path: 'mcp' }), /targets\[1\]\.static\.path: `mcp` is not a path: write a path that begins with/],
    [target('bad', { path: ['/'] }), /targets\[1\]\.static\.path is not a text/],
    [target('bad', { path: '/a?$b' }), /`\/a\?\$b` is not a path/],
    [target('bad', { weight: 1 }), /Unsupported: spec\.mcp\.targets\[1\]\.static\.weight is not supported/],
    [{ ...target('bad'), filter: {} }, /targets\[1\]\.filter is not supported/],
    [{ name: 'bad' }, /targets\[1\]: write exactly one of static and selector/],
    [{ ...target('bad'), selector: {} }, /targets\[1\]: write exactly one of static and selector/],
    [{ name: 'bad', static: { port: 80 } }, /targets\[1\]\.static: write exactly one of host and backendRef/],
    [target('bad', { backendRef: { name: 's' } }), /targets\[1\]\.static: write exactly one of host and backendRef/],
    [{ name: 'bad', static: { port: 80, backendRef: { namespace: 'other', name: 's' } } }, /backendRef\.namespace is not supported/],
    [{ name: 'bad', static: { port: 80, backendRef: {} } }, /backendRef\.name is missing/],
    [{ static: { host: 'x', port: 80 } }, /targets\[1\]\.name is missing/],
    [target('Bad_Name'), /targets\[1\]\.name: `Bad_Name` is not a name: .*: bad-name$/],
    [target('ok'), /targets\[1\]\.name: an earlier target is called ok too: rename one/],
    [7, /targets\[1\]\.name is missing/],
  ]
  for (const [wrong, condition] of table) {
    const view = only([backend([target('ok'), wrong])])
    assert.deepEqual(view.fragment, { servers: { ok: { http: { host: 'ok.example', port: 80 } } }, prefix: 'always' }, String(condition))
    const [accepted, resolved, partly] = told(view)
    assert.deepEqual([accepted, resolved], good('serves 1 server'))
    assert.match(partly ?? '', condition)
    assert.match(partly ?? '', /^PartiallyInvalid=True /)
    const alone = only([backend([wrong])])
    if (textAt(wrong, 'name') === 'ok') continue
    assert.equal(alone.fragment, undefined)
    assert.match(alone.unusable ?? '', /targets\[0\]/)
    assert.match(told(alone)[0] ?? '', /^Accepted=False (?:Invalid|Unsupported): spec\.mcp\.targets\[0\]/)
  }
})

test('what may restrict the whole backend and is not known here closes it', () => {
  const table: readonly (readonly [object: Raw, condition: RegExp])[] = [
    [backend([]), /Invalid: spec\.mcp\.targets lists nothing/],
    [backend([target('x')], { guard: {} }), /Unsupported: spec\.mcp\.guard is not supported/],
    [backend([target('x')], { failureMode: 'Maybe' }), /Invalid: spec\.mcp\.failureMode is not known: write one of FailOpen, FailClosed/],
    [agentgatewayBackend([target('x')], {}, { prefixMode: 'Sometimes' }), /Invalid: spec\.mcp\.prefixMode is not known/],
    [agentgatewayBackend([target('x')], { ai: {} }), /Unsupported: spec\.ai is not supported/],
    [
      agentgatewayBackend([target('x')], { policies: { mcp: { authorization: { action: 'Allow' } } } }),
      /Invalid: .*spec\.policies\.mcp\.authorization\.policy\.matchExpressions lists nothing/,
    ],
    [
      object('Backend', 'gateway.kgateway.dev/v1alpha1', 'Ns/b', { spec: { type: 'MCP', mcp: { targets: [target('x')] } } }),
      /is not a name/,
    ],
  ]
  for (const [wrong, condition] of table) {
    const view = only([wrong])
    assert.equal(view.fragment, undefined, String(condition))
    assert.match(told(view)[0] ?? '', condition)
    assert.equal(`Accepted=False ${/^Accepted=False (\w+)/.exec(told(view)[0] ?? '')?.[1]}: ${view.unusable}`, told(view)[0])
    assert.deepEqual(view.status.kind === 'whole' && view.status.status['mcp'], { targets: 0 })
  }
})

test('only backends for MCP are read; two of one name have different names in documents', () => {
  const { all, find } = read([
    backend([target('x')]),
    object('Backend', 'gateway.kgateway.dev/v1alpha1', 'ns/static', { spec: { type: 'Static', static: {} } }),
    object('AgentgatewayBackend', 'agentgateway.dev/v1alpha1', 'ns/b', { spec: { mcp: { targets: [target('x')] } } }),
    object('AgentgatewayBackend', 'agentgateway.dev/v1alpha1', 'ns/b.agentgatewaybackend', { spec: { mcp: { targets: [target('x')] } } }),
    object('AgentgatewayBackend', 'agentgateway.dev/v1alpha1', 'ns/ai', { spec: { ai: {} } }),
  ])
  assert.deepEqual(all.map(({ ref, name }) => `${ref.kind} ${ref.name}: ${name}`).sort(), [
    'AgentgatewayBackend b.agentgatewaybackend: ns/b.agentgatewaybackend',
    'AgentgatewayBackend b: ns/b.agentgatewaybackend.agentgatewaybackend',
    'Backend b: ns/b',
  ])
  assert.equal(find({ group: 'gateway.kgateway.dev', kind: 'Backend', namespace: 'ns', name: 'static' }), undefined)
  assert.equal(find({ group: 'gateway.kgateway.dev', kind: 'Backend', namespace: 'ns', name: 'b' })?.name, 'ns/b')
})

test('what nothing leads to has a status, and no servers for a document: its settings are not whole', () => {
  const world = createWorld([backend([target('x')])])
  const [view] = readBackends(world, readUses(world, [], settings), policiesAt({}), nothingObserved).all
  assert.ok(view)
  assert.deepEqual(view.fragment, { servers: {}, prefix: 'conditional' })
  assert.deepEqual(told(view), good('serves 1 server'))
})

test('a static target keeps its name, whatever a Service calls itself; names of other namespaces give way', () => {
  const near = { name: 'near', selector: { namespaces: {} } }
  const cluster = [namespace('ns'), namespace('far'), service('ns/s'), service('far/s'), service('far/t')]
  const both = only([agentgatewayBackend([near]), ...cluster])
  assert.deepEqual(Object.keys(both.fragment?.['servers'] ?? {}), ['s-http', 's-http-far', 't-http'])
  assert.match(told(both)[0] ?? '', /\(Service far\/s, port http\): called s-http-far, as another namespace has a s-http too/)

  const beside = only([agentgatewayBackend([target('s-http', { host: 's.ns.svc' }), near]), ...cluster])
  assert.deepEqual(Object.keys(beside.fragment?.['servers'] ?? {}), ['s-http', 's-http-far', 't-http'])

  const claims = service('ns/s', [mcpPort('http')], { annotations: { 'agentgateway.dev/mcp-target-name': 'github' } })
  for (const github of [target('github'), target('github', { protocol: 'SSE' })]) {
    const view = only([agentgatewayBackend([near, github, target('x')]), namespace('ns'), claims])
    const served = textAt(github, 'static', 'protocol') === 'SSE' ? ['x'] : ['github', 'x']
    assert.deepEqual(Object.keys(view.fragment?.['servers'] ?? {}), served)
    assert.match(told(view)[2] ?? '', /\(Service ns\/s, port http\): the name github is taken by a static target/)
  }
})

test('where nothing is served, the status says why of each target', () => {
  const view = only([agentgatewayBackend([target('x', { protocol: 'SSE' }), { name: 'all', selector: { services: {} } }])])
  assert.match(told(view)[0] ?? '', /^Accepted=False Unsupported: spec\.mcp\.targets\[0\].*; spec\.mcp\.targets\[1\]\.selector selects no/)
})

test("a policy for an AgentgatewayBackend isn't one for the kgateway Backend of its name", () => {
  const view = only([backend([target('x')])], { 'backend ns/b': { closed: 'no' }, 'backend ns/b x': { closed: 'no' } })
  assert.deepEqual(Object.keys(view.fragment?.['servers'] ?? {}), ['x'])
})

test('whatever stands in the objects, something is said and nothing thrown', () => {
  const odd: readonly unknown[] = [null, 0, '', 'x', [], [null], {}, { a: 1 }, true, { __proto__: { a: 1 } }, { constructor: 1 }]
  for (const value of odd) {
    const views = read([
      object('Backend', 'gateway.kgateway.dev/v1alpha1', 'ns/1', { spec: value }),
      object('Backend', 'gateway.kgateway.dev/v1alpha1', 'ns/2', { spec: { type: 'MCP', mcp: value } }),
      object('Backend', 'gateway.kgateway.dev/v1alpha1', 'ns/3', { spec: { type: 'MCP', mcp: { targets: value } } }),
      backend([value, { name: value, static: value }, { name: 'x', static: { host: value, port: value, path: value } }]),
      agentgatewayBackend(
        [
          { name: 'x', selector: value },
          { name: 'y', selector: { services: value, namespaces: value } },
        ],
        { policies: value },
      ),
      service('ns/s', [{ name: value, port: value, appProtocol: value }]),
      object('Service', 'v1', 'ns/t', { spec: value }),
      slice('ns/s', value),
    ])
    for (const view of views.all) assert.equal(view.fragment === undefined, view.unusable !== undefined)
  }
})
