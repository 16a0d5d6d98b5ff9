import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  assemble,
  attached,
  backend,
  conditionsOf,
  documentOf,
  gateway,
  gatewayStatus,
  ledTo,
  route,
  routeConditions,
  statusOf,
  toB,
} from './assemble-for-test.ts'
import { listAt, rawAt, valueAt } from './raw.ts'
import type { PolicyEffect } from './views.ts'

test('a rule leads to its one backend, and is refused with a reason wherever that is not certain', () => {
  const b = 'group: gateway.kgateway.dev, kind: Backend'
  const notThere = { refuse: { status: 500, reason: 'this route leads to something that is not there' } }
  const unsupported = { refuse: { status: 500, reason: 'this route asks for something that is not supported' } }
  const nowhere = { refuse: { status: 500, reason: 'this route leads nowhere' } }
  const good = ['Accepted=True Accepted', 'ResolvedRefs=True ResolvedRefs']
  const unresolved = (reason: string) => ['Accepted=True Accepted', `ResolvedRefs=False ${reason}`]
  const service = '---\napiVersion: v1\nkind: Service\nmetadata: { name: s }\n'
  const granted = `---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: { name: g, namespace: other }
spec: { from: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: ns }], to: [{ group: gateway.kgateway.dev, kind: Backend }] }
`
  const agent = `---
apiVersion: mcplex.dev/v1alpha1
kind: Agent
metadata: { name: a }
spec: { backendRefs: [{ kind: Backend, name: b }], tools: [one_*] }
`
  const rows: readonly [refs: string, more: string, fragment: unknown, conditions: readonly string[]][] = [
    [`{ ${b}, name: b }`, '', { backend: 'ns/b' }, good],
    [`{ ${b}, name: b, weight: 7 }`, '', { backend: 'ns/b' }, good],
    ['{ group: mcplex.dev, kind: Agent, name: a }', agent, { agent: 'ns/a' }, good],
    [`{ ${b}, name: b }, { ${b}, name: c, weight: 0 }`, backend('c'), { backend: 'ns/b' }, good],
    [`{ ${b}, name: b }, { ${b}, name: none, weight: 0 }`, '', { backend: 'ns/b' }, unresolved('BackendNotFound')],
    ['', '', nowhere, good],
    [`{ ${b}, name: b, weight: 0 }`, '', nowhere, good],
    [
      `{ ${b}, name: b }, { ${b}, name: c }`,
      backend('c'),
      unsupported,
      ['Accepted=False UnsupportedValue', 'ResolvedRefs=True ResolvedRefs'],
    ],
    [
      `{ ${b}, name: b, filters: [{ type: URLRewrite }] }`,
      '',
      unsupported,
      ['Accepted=False UnsupportedValue', 'ResolvedRefs=True ResolvedRefs'],
    ],
    [`{ ${b}, name: none }`, '', notThere, unresolved('BackendNotFound')],
    [`{ ${b}, name: b, namespace: other }`, backend('b', 'other'), notThere, unresolved('RefNotPermitted')],
    [`{ ${b}, name: none, namespace: other }`, '', notThere, unresolved('RefNotPermitted')],
    [`{ ${b}, name: b, namespace: other }`, backend('b', 'other') + granted, { backend: 'other/b' }, good],
    [`{ ${b}, name: none, namespace: other }`, granted, notThere, unresolved('BackendNotFound')],
    ['{ name: s, port: 80 }', service, notThere, unresolved('InvalidKind')],
    ['{ name: none, port: 80 }', '', notThere, unresolved('BackendNotFound')],
    ['{ group: example.com, kind: Thing, name: t }', '', notThere, unresolved('InvalidKind')],
    [
      `{ ${b}, name: d }`,
      '---\napiVersion: gateway.kgateway.dev/v1alpha1\nkind: Backend\nmetadata: { name: d }\nspec: { type: AWS }\n',
      notThere,
      unresolved('InvalidKind'),
    ],
    [
      `{ ${b}, name: e }`,
      '---\napiVersion: gateway.kgateway.dev/v1alpha1\nkind: Backend\nmetadata: { name: e }\nspec: { type: MCP, mcp: { targets: [] } }\n',
      notThere,
      unresolved('Invalid'),
    ],
  ]
  for (const [refs, more, fragment, conditions] of rows) {
    const assembled = assemble(gateway() + backend('b') + more + route(`${attached}, rules: [{ backendRefs: [${refs}] }]`))
    assert.deepEqual(ledTo(assembled), [fragment], refs)
    assert.deepEqual(routeConditions(assembled), conditions, refs)
  }
})

test('only some rules that can not be done make a route partly invalid, and a document holds only backends that something leads to', () => {
  const rules = `rules: [{ ${toB} }, { matches: [{ path: { value: /x } }], filters: [{ type: CORS }], backendRefs: [{ group: gateway.kgateway.dev, kind: Backend, name: c }] }]`
  const assembled = assemble(gateway() + backend('b') + backend('c') + route(`${attached}, ${rules}`))
  assert.deepEqual(routeConditions(assembled), [
    'Accepted=True Accepted',
    'ResolvedRefs=True ResolvedRefs',
    'PartiallyInvalid=True UnsupportedValue',
  ])
  assert.deepEqual(Object.keys(rawAt(documentOf(assembled), 'backends')), ['ns/b'])
})

test('a policy that can not be enforced closes its place, and nothing beside it', () => {
  const closed = { closed: 'AgentgatewayPolicy ns/p: spec.traffic.x is not enforced yet' }
  const shut = { refuse: { status: 500, reason: 'this route is closed' } }
  const open = { backend: 'ns/b' }
  const objects =
    gateway('{ name: one, port: 80, protocol: HTTP }, { name: two, port: 81, protocol: HTTP }') +
    backend('b') +
    route(`${attached}, rules: [{ name: first, ${toB} }, { name: second, matches: [{ path: { value: /x } }], ${toB} }]`) +
    route(`parentRefs: [{ name: gw, sectionName: two }], rules: [{ ${toB} }]`, 'q')
  const rows: readonly [place: string, first: unknown, second: unknown, ofQ: unknown, closedListeners: unknown][] = [
    ['nowhere', open, open, open, undefined],
    ['route ns/r', shut, shut, open, undefined],
    ['route ns/r second', open, shut, open, undefined],
    ['gateway ns/gw two', open, open, undefined, ['two']],
    ['gateway ns/gw', undefined, undefined, undefined, ['one', 'two']],
  ]
  for (const [place, first, second, ofQ, closedListeners] of rows) {
    const assembled = assemble(objects, { [place]: closed })
    const [one, two] = ledTo(assembled)
    assert.deepEqual([one, two, ledTo(assembled, 'ns/q')[0]], [first, second, ofQ], place)
    const refusing = listAt(documentOf(assembled), 'routes').find((entry) => valueAt(entry, 'name') === 'ns/gw.closed')
    assert.deepEqual(valueAt(refusing, 'listeners'), closedListeners, place)
    const programmed = listAt(gatewayStatus(assembled), 'listeners').map((listener) => conditionsOf(listener)[1])
    const isClosed = (name: string) => Array.isArray(closedListeners) && closedListeners.includes(name)
    assert.deepEqual(
      programmed,
      ['one', 'two'].map((name) => (isClosed(name) ? 'Programmed=False Invalid' : 'Programmed=False Pending')),
      place,
    )
  }
})

test('a route that is called as the one that refuses does not open what is closed', () => {
  const assembled = assemble(gateway() + backend('b') + route(`${attached}, rules: [{ ${toB} }]`, 'gw.closed'), {
    'gateway ns/gw': { closed: 'for a reason' },
  })
  assert.deepEqual(
    listAt(documentOf(assembled), 'routes').map((one) => valueAt(one, 'name')),
    ['ns/gw.closed.closed'],
  )
})

test('of request time-outs the most specific holds; that of a listener only where the route is on no other', () => {
  const at = (text: string): Partial<PolicyEffect> => ({ requestTimeout: text })
  const all = { 'gateway ns/gw': at('1s'), 'gateway ns/gw one': at('2s'), 'route ns/r': at('3s'), 'route ns/r x': at('4s') }
  const { 'route ns/r x': _, ...noRule } = all
  const { 'route ns/r': __, ...noRoute } = noRule
  const on = (listener: string) => `parentRefs: [{ name: gw${listener} }]`
  const rows: readonly [effects: Readonly<Record<string, Partial<PolicyEffect>>>, own: string, parent: string, expected: unknown][] = [
    [{}, '', on(''), undefined],
    [all, ', timeouts: { request: 9s }', on(''), { request: '9s' }],
    [all, '', on(''), { request: '4s' }],
    [all, ', timeouts: { request: 0s }', on(''), undefined],
    [noRule, '', on(''), { request: '3s' }],
    [noRoute, '', on(', sectionName: one'), { request: '2s' }],
    [noRoute, '', on(', sectionName: two'), { request: '1s' }],
    [noRoute, '', on(''), { request: '1s' }],
  ]
  for (const [effects, own, parent, expected] of rows) {
    const listeners = '{ name: one, port: 80, protocol: HTTP }, { name: two, port: 81, protocol: HTTP }'
    const assembled = assemble(gateway(listeners) + backend('b') + route(`${parent}, rules: [{ name: x, ${toB}${own} }]`), effects)
    const [first] = listAt(documentOf(assembled), 'routes')
    assert.deepEqual(valueAt(listAt(first, 'rules')[0], 'timeouts'), expected, `${Object.keys(effects)}${own} ${parent}`)
  }
})

test('a route that no document can hold is left out and told so; the others are served', () => {
  const assembled = assemble(
    gateway() + backend('b') + route(`${attached}, rules: [{ ${toB} }]`, 'Bad_Name') + route(`${attached}, rules: [{ ${toB} }]`),
  )
  assert.deepEqual(ledTo(assembled), [{ backend: 'ns/b' }])
  assert.deepEqual(routeConditions(assembled, 'Bad_Name'), ['Accepted=False UnsupportedValue', 'ResolvedRefs=True ResolvedRefs'])
  assert.equal(valueAt(listAt(gatewayStatus(assembled), 'listeners')[0], 'attachedRoutes'), 1)
})

test('texts mean themselves: their dollars begin no reference', () => {
  const header = 'rules: [{ matches: [{ headers: [{ name: x, value: "${HOME}$$" }] }] }]'
  const assembled = assemble(gateway() + route(`${attached}, ${header}`))
  assert.match(JSON.stringify(documentOf(assembled)), /"value":"\$\$\{HOME\}\$\$\$\$"/)
})

test('Gateways of one name in two namespaces share nothing; a route of a third namespace is on each that lets it', () => {
  const named = (namespace: string, from: string) => `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: gw, namespace: ${namespace} }
spec: { gatewayClassName: mcplex, listeners: [{ name: http, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { from: ${from} } } }] }
`
  const third = `parentRefs: [{ name: gw, namespace: one }, { name: gw, namespace: two }], rules: [{ ${toB} }]`
  const assembled = assemble(
    named('one', 'All') +
      named('two', 'Same') +
      ['one', 'two', 'three'].map((namespace) => backend('b', namespace)).join('') +
      ['one', 'two'].map((namespace) => route(`${attached}, rules: [{ ${toB} }]`, 'r', namespace)).join('') +
      route(third, 'r', 'three'),
  )
  const namesIn = (key: string) => {
    const document = documentOf(assembled, key)
    return [listAt(document, 'routes').map((one) => valueAt(one, 'name')), Object.keys(rawAt(document, 'backends'))]
  }
  assert.deepEqual(namesIn('one/gw'), [
    ['one/r', 'three/r'],
    ['one/b', 'three/b'],
  ])
  assert.deepEqual(namesIn('two/gw'), [['two/r'], ['two/b']])
})

test('a route that names no Gateway of ours any more loses its entries', () => {
  const left = `${route('parentRefs: [{ name: theirs }]')}status: { parents: [{ parentRef: { name: gw }, controllerName: mcplex.dev/controller }] }\n`
  const status = statusOf(assemble(gateway() + left), 'HTTPRoute', 'r')
  assert.deepEqual(status?.kind === 'entries' && status.entries, [])
})
