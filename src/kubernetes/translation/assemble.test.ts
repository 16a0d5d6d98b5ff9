import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePlain } from '../../config/config.ts'
import { longestRequests } from '../document/longest-requests.ts'
import { listAt, rawAt, valueAt } from '../objects/objects.ts'
import type { PolicyEffect } from '../policies/policies.ts'
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
    [`{ ${b}, name: b, weight: 7 }, { ${b}, name: b }, { ${b}, name: b, namespace: ns }`, '', { backend: 'ns/b' }, good],
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
  const rules = `rules: [{ ${toB} }, { matches: [{ path: { value: /x } }], filters: [{ type: URLRewrite }], backendRefs: [{ group: gateway.kgateway.dev, kind: Backend, name: c }] }]`
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
    ['ns/gw.closed.2'],
  )
})

test('of request time-outs the most specific holds', () => {
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
  ]
  for (const [effects, own, parent, expected] of rows) {
    const listeners = '{ name: one, port: 80, protocol: HTTP }, { name: two, port: 81, protocol: HTTP }'
    const assembled = assemble(gateway(listeners) + backend('b') + route(`${parent}, rules: [{ name: x, ${toB}${own} }]`), effects)
    const [first] = listAt(documentOf(assembled), 'routes')
    assert.deepEqual(valueAt(listAt(first, 'rules')[0], 'timeouts'), expected, `${Object.keys(effects)}${own} ${parent}`)
  }
})

test('a route on listeners with different time-outs is one route for each of these, under a name that no other has', () => {
  const at = (text: string): Partial<PolicyEffect> => ({ requestTimeout: text })
  const names = ['one', 'two', 'three', 'four']
  const listeners = names.map((name, index) => `{ name: ${name}, port: ${80 + index}, protocol: HTTP }`).join(', ')
  const both = `[{ name: x, matches: [{ path: { value: /x } }], ${toB} }, { ${toB} }]`
  const effects = { 'gateway ns/gw two': at('2s'), 'gateway ns/gw four': at('2s'), 'gateway ns/gw three': at('3s') }
  const split = (more: Readonly<Record<string, Partial<PolicyEffect>>>, others = '') => {
    const assembled = assemble(gateway(listeners) + backend('b') + route(`${attached}, rules: ${both}`) + others, { ...effects, ...more })
    return listAt(documentOf(assembled), 'routes')
      .filter((one) => listAt(one, 'rules').length === 2)
      .map((one) => [
        valueAt(one, 'name'),
        valueAt(one, 'listeners'),
        listAt(one, 'rules').map((rule) => valueAt(rule, 'timeouts', 'request')),
      ])
  }
  const groups = (third: string, of: (usual: string | undefined) => readonly unknown[]) => [
    ['ns/r', ['one'], of(undefined)],
    ['ns/r.two', ['two', 'four'], of('2s')],
    [third, ['three'], of('3s')],
  ]
  assert.deepEqual(
    split({}),
    groups('ns/r.three', (usual) => [usual, usual]),
  )
  assert.deepEqual(
    split({ 'route ns/r x': at('9s') }),
    groups('ns/r.three', (usual) => ['9s', usual]),
  )
  assert.deepEqual(split({ 'route ns/r': at('9s') }), [['ns/r', names, ['9s', '9s']]])
  const other = route(`${attached}, rules: [{ matches: [{ path: { value: /y } }], ${toB} }]`, 'r.three')
  assert.deepEqual(
    split({}, other),
    groups('ns/r.three.2', (usual) => [usual, usual]),
  )
})

test('servers get as long as the rules that lead to them give requests, unless their own settings say it', () => {
  const agent = `---
apiVersion: mcplex.dev/v1alpha1
kind: Agent
metadata: { name: a }
spec: { backendRefs: [{ kind: Backend, name: b }, { kind: AgentgatewayBackend, name: own }], tools: ["*"] }
`
  const own = `---
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: { name: own }
spec: { mcp: { targets: [{ name: said, static: { host: a.example.com, port: 80, policies: { http: { requestTimeout: 7s } } } }, { name: not, static: { host: b.example.com, port: 80, policies: { tcp: { connectTimeout: 1s } } } }] } }
`
  const toA = 'backendRefs: [{ group: mcplex.dev, kind: Agent, name: a }]'
  const rule = (request: string, to: string) => `{ matches: [{ path: { value: /${request} } }], timeouts: { request: ${request} }, ${to} }`
  const rows: readonly [rules: string, b: unknown, said: unknown, not: unknown][] = [
    [`{ ${toB} }, { ${toA} }`, undefined, '7s', undefined],
    [`${rule('5s', toA)}, ${rule('1m', toB)}`, undefined, '7s', undefined],
    [`${rule('5m', toB)}, ${rule('2m', toB)}, ${rule('1m', toA)}`, '5m', '7s', undefined],
    [`${rule('61s', toA)}, { ${toB} }`, '61s', '7s', '61s'],
    [`${rule('5m', toA)}, ${rule('0s', toB)}`, '24h', '7s', '5m'],
    [`${rule('99999h', toA)}`, '24h', '7s', '24h'],
    [
      `{ matches: [{ path: { type: RegularExpression, value: /x } }], timeouts: { request: 5m }, ${toB} }, { ${toA} }`,
      undefined,
      '7s',
      undefined,
    ],
    [
      `{ filters: [{ type: URLRewrite }], timeouts: { request: 5m }, ${toB} }, { matches: [{ path: { value: /a } }], ${toA} }`,
      undefined,
      '7s',
      undefined,
    ],
  ]
  for (const [rules, ...expected] of rows) {
    const assembled = assemble(gateway() + backend('b') + own + agent + route(`${attached}, rules: [${rules}]`))
    const request = (name: string, server: string) =>
      valueAt(documentOf(assembled), 'backends', name, 'servers', server, 'timeouts', 'request')
    assert.deepEqual([request('ns/b', 'one'), request('ns/own', 'said'), request('ns/own', 'not')], expected, rules)
  }
  const connect = assemble(gateway() + own + backend('b') + agent + route(`${attached}, rules: [${rule('5m', toA)}]`))
  const timeouts = valueAt(documentOf(connect), 'backends', 'ns/own', 'servers', 'not', 'timeouts')
  assert.deepEqual(timeouts, { connect: '1s', request: '5m' })
})

test('the time that servers have where nobody says it is what is compared with', () => {
  const document = { 'mcplex.dev/version': '1', backends: { 'ns/b': { servers: { s: { http: { host: 'a.example', port: 80 } } } } } }
  const { config } = parsePlain(document, { env: {}, readFile: () => '' })
  const usual = config?.backends['ns/b']?.servers['s']?.timeouts.request ?? ''
  const request = (text: string) => longestRequests([{ backends: ['ns/b'], request: text }]).get('ns/b')
  assert.deepEqual([request(usual), request(`${usual}1ms`)], [undefined, `${usual}1ms`])
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
