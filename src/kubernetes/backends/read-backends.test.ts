import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fragmentErrors } from '../fragments/fragments.ts'
import { readGateways } from '../gateways/gateways.ts'
import { createWorld, defaultSettings, isRaw, listAt, nothingObserved, type Raw, textAt } from '../objects/objects.ts'
import type { Policies, PolicyEffect } from '../policies/policies.ts'
import type { PolicyPlace } from '../policies/policy-effect.ts'
import { readRoutes } from '../routes/routes.ts'
import { readUses } from '../targets/targets.ts'
import type { BackendView } from './backend-view.ts'
import { readBackends } from './read-backends.ts'

const settings = defaultSettings('1.0.0')
const object = (kind: string, apiVersion: string, key: string, rest: Raw, metadata: Raw = {}): Raw => {
  const [namespace, name] = key.split('/')
  return { apiVersion, kind, metadata: { ...metadata, name, namespace, generation: 3 }, ...rest }
}
const backend = (targets: readonly unknown[], mcp: Raw = {}): Raw =>
  object('Backend', 'gateway.kgateway.dev/v1alpha1', 'ns/b', { spec: { type: 'MCP', mcp: { targets, ...mcp } } })
const agentgatewayBackend = (targets: readonly unknown[], spec: Raw = {}, mcp: Raw = {}): Raw =>
  object('AgentgatewayBackend', 'agentgateway.dev/v1alpha1', 'ns/a', { spec: { mcp: { targets, ...mcp }, ...spec } })
const target = (name: string, rest: Raw = {}): Raw => ({ name, static: { host: `${name}.example`, port: 80, ...rest } })
const mcpPort = (name: string | undefined, port = 80, appProtocol = 'kgateway.dev/mcp'): Raw => ({ name, port, appProtocol })
const service = (key: string, ports: readonly Raw[] = [mcpPort('http')], metadata: Raw = {}, spec: Raw = {}): Raw =>
  object('Service', 'v1', key, { spec: { ports, ...spec } }, metadata)
const slice = (key: string, endpoints: unknown): Raw =>
  object(
    'EndpointSlice',
    'discovery.k8s.io/v1',
    `${key}-x1`,
    { endpoints },
    { labels: { 'kubernetes.io/service-name': key.split('/')[1] } },
  )
const namespace = (name: string, labels: Raw = {}): Raw => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
const up = [{ conditions: { ready: true } }]

const noEffect: PolicyEffect = { closed: undefined, requestTimeout: undefined, server: {} }
const policiesAt = (effects: Readonly<Record<string, Partial<PolicyEffect>>>): Policies => ({
  at: (place: PolicyPlace) => ({
    ...noEffect,
    ...effects[[place.kind, place.key, 'target' in place ? place.target : ''].join(' ').trim()],
  }),
  policed: new Set(),
  statuses: [],
  wanted: [],
})

function read(objects: readonly unknown[], effects: Readonly<Record<string, Partial<PolicyEffect>>> = {}) {
  const world = createWorld(objects)
  const routes = readRoutes(world, readGateways(world, settings).gateways, settings)
  // As if a route led to each of them.
  const uses = { ...readUses(world, routes, settings), isServing: () => true }
  return readBackends(world, uses, policiesAt(effects), nothingObserved)
}

function only(objects: readonly unknown[], effects?: Readonly<Record<string, Partial<PolicyEffect>>>): BackendView {
  const { all } = read(objects, effects)
  const [view] = all
  assert.equal(all.length, 1)
  assert.ok(view)
  if (view.fragment !== undefined) assert.deepEqual(fragmentErrors({ backends: { [view.name]: view.fragment } }), [])
  return view
}

/** `Type=Status Reason: message`, a line each. */
function told({ status }: BackendView): readonly string[] {
  assert.equal(status.kind, 'whole')
  return listAt(status.kind === 'whole' ? status.status : {}, 'conditions').map((one) => {
    assert.equal(isRaw(one) && one['observedGeneration'], 3)
    return `${textAt(one, 'type')}=${textAt(one, 'status')} ${textAt(one, 'reason')}: ${textAt(one, 'message')}`
  })
}

const good = (message: string): readonly string[] => [
  `Accepted=True Accepted: ${message}`,
  'ResolvedRefs=True ResolvedRefs: all references are resolved',
]

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

test('what the status says of the Service behind a target', () => {
  const host = (name: string): Raw => ({ name: 'x', static: { host: name, port: 80 } })
  const ref: Raw = { name: 'x', static: { port: 80, backendRef: { name: 's' } } }
  const near = host('s.ns.svc.cluster.local')
  const fresh = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 'other', namespace: 'ns' } }
  const missing = /^serves 1 server; spec\.mcp\.targets\[0\]\.static\.host: there is no Service ns\/s: create it, or name another$/
  const notReady = /^serves 1 server; spec\.mcp\.targets\[0\]\.static\.(?:host|backendRef): no pod of Service ns\/s is ready: look at/
  const clean = /^serves 1 server$/
  const table: readonly (readonly [what: string, target: Raw, objects: readonly Raw[], accepted: RegExp, resolved?: RegExp])[] = [
    ['files without Services', near, [], clean],
    ['no such Service', near, [service('ns/other')], missing],
    ['no such Service, by the short name', host('S.ns.svc'), [service('ns/other')], missing],
    ['no such Service, by a pod of it', host('s-0.s.ns.svc.cluster.local.'), [service('ns/other')], missing],
    ['another domain', host('s.ns.svc.example'), [service('ns/other')], clean],
    ['files without EndpointSlices', near, [service('ns/s')], clean],
    ['no EndpointSlice', near, [service('ns/s'), fresh], notReady],
    ['by name and namespace, as pods complete it', host('s.ns'), [service('ns/s'), fresh], notReady],
    ['name and namespace of none', host('s.com'), [service('ns/s'), fresh], clean],
    ['endpoints null', near, [service('ns/s'), slice('ns/s', null)], notReady],
    ['not ready', near, [service('ns/s'), slice('ns/s', [{ conditions: { ready: false } }])], notReady],
    ['ready', near, [service('ns/s'), slice('ns/s', [{ conditions: { ready: false } }, ...up])], clean],
    ['readiness not known', near, [service('ns/s'), slice('ns/s', [{ addresses: ['10.0.0.1'] }])], clean],
    ['the slice of another namespace', near, [service('ns/s'), slice('other/s', up)], notReady],
    ['no such port', near, [service('ns/s', [mcpPort('a', 81)])], /: Service ns\/s has no port 80: name one that it has \(81\)$/],
    ['a port of pods behind no address', near, [service('ns/s', [mcpPort('a', 81)], {}, { clusterIP: 'None' })], clean],
    [
      'a short host of no Service',
      host('s'),
      [service('ns/t')],
      /static\.host: s is looked up in the namespace of each Gateway: write <service>/,
    ],
    ['a short host in files without Services', host('s'), [], clean],
    ['backendRef', ref, [service('ns/s'), slice('ns/s', up)], clean],
    ['backendRef, not ready', ref, [service('ns/s'), fresh], notReady],
    ['backendRef, no such Service', ref, [], clean, /^ResolvedRefs=False BackendNotFound: .*backendRef: there is no Service ns\/s/],
    ['backendRef, of another namespace', ref, [service('other/s')], clean, /^ResolvedRefs=False BackendNotFound/],
  ]
  for (const [what, given, objects, accepted, resolved = /^ResolvedRefs=True/] of table) {
    const view = only([agentgatewayBackend([given]), ...objects])
    const conditions = told(view)
    assert.equal(Object.keys(view.fragment?.['servers'] ?? {}).length, 1, what)
    assert.match((conditions[0] ?? '').replace('Accepted=True Accepted: ', ''), accepted, what)
    assert.match(conditions[1] ?? '', resolved, what)
    assert.equal(conditions.length, 2, what)
  }
})

test('a backendRef leads to the Service by its name; a headless one to the port of its pods; a name for outside is refused', () => {
  const ref = agentgatewayBackend([{ name: 'x', static: { port: 80, path: '/p', backendRef: { name: 's' } } }])
  const http = (objects: readonly Raw[]): unknown => only([ref, ...objects]).fragment?.['servers']
  const host = 's.ns.svc.cluster.local'
  assert.deepEqual(http([service('ns/s')]), { x: { http: { host, port: 80, path: '/p' } } })
  const headless = service('ns/s', [{ port: 80, targetPort: 8000 }], {}, { clusterIP: 'None' })
  assert.deepEqual(http([headless]), { x: { http: { host, port: 8000, path: '/p' } } })
  const external = only([ref, service('ns/s', [], {}, { type: 'ExternalName', externalName: 'metadata.google.internal' })])
  assert.equal(external.fragment, undefined)
  assert.match(external.unusable ?? '', /backendRef: Service ns\/s is an ExternalName: write its host into a static target/)
})

test('a host that is only another name for another is refused', () => {
  for (const externalName of ['t.far.svc.cluster.local', 'example.com', '127.0.0.1']) {
    const alias = service('ns/s', [], {}, { type: 'ExternalName', externalName })
    for (const host of ['s', 's.ns', 's.ns.svc.cluster.local', 'S.ns.svc.']) {
      const view = only([agentgatewayBackend([target('x', { host }), target('y')]), alias])
      assert.deepEqual(Object.keys(view.fragment?.['servers'] ?? {}), ['y'], host)
      assert.match(told(view)[2] ?? '', /Unsupported: \S+\[0\]\.static\.host: Service ns\/s is an ExternalName: write its host/)
    }
  }
})

test("the proxy's own pod is no server, in none of its spellings", () => {
  const own = '127.0.0.1 127.1.2.3 2130706433 0x7f.1 ::1 0:0::1 ::ffff:127.0.0.1 0.0.0.0 0 :: localhost LOCALHOST. a.localhost ip6-loopback'
  for (const host of own.split(' ')) {
    const view = only([agentgatewayBackend([target('x', { host }), target('y')])])
    assert.deepEqual(Object.keys(view.fragment?.['servers'] ?? {}), ['y'], host)
    assert.match(
      told(view)[2] ?? '',
      /Invalid: \S+\[0\]\.static\.host: \S+ is the proxy's own pod: write the name of the server's Service$/,
    )
  }
  for (const host of ['10.0.0.1', '128.0.0.1', 'localhost.example', 'notlocalhost', '::2', 'fd00::1']) {
    assert.deepEqual(Object.keys(only([agentgatewayBackend([target('x', { host })])]).fragment?.['servers'] ?? {}), ['x'], host)
  }
})

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

test('what nothing leads to has a status, and no servers for a document: its settings are not whole', () => {
  const world = createWorld([backend([target('x')])])
  const [view] = readBackends(world, readUses(world, [], settings), policiesAt({}), nothingObserved).all
  assert.ok(view)
  assert.deepEqual(view.fragment, { servers: {}, prefix: 'conditional' })
  assert.deepEqual(told(view), good('serves 1 server'))
})

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

test('where nothing is served, the status says why of each target', () => {
  const view = only([agentgatewayBackend([target('x', { protocol: 'SSE' }), { name: 'all', selector: { services: {} } }])])
  assert.match(told(view)[0] ?? '', /^Accepted=False Unsupported: spec\.mcp\.targets\[0\].*; spec\.mcp\.targets\[1\]\.selector selects no/)
})

test("a policy for an AgentgatewayBackend isn't one for the kgateway Backend of its name", () => {
  const view = only([backend([target('x')])], { 'backend ns/b': { closed: 'no' }, 'backend ns/b x': { closed: 'no' } })
  assert.deepEqual(Object.keys(view.fragment?.['servers'] ?? {}), ['x'])
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
