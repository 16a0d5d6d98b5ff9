import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readGateways } from '../gateways/gateways.ts'
import { createWorld, type Fault, type Settings } from '../objects/objects.ts'
import { readRoutes } from './read-routes.ts'

const settings: Settings = {
  controllerName: 'mcplex.dev/controller',
  classes: ['mcplex'],
  version: '1.0.0',
  image: 'mcplex',
  imagePullSecrets: [],
  clusterDomain: 'cluster.local',
}

const apiVersion = 'gateway.networking.k8s.io/v1'
const http = { name: 'http', port: 80, protocol: 'HTTP' }
const gateway = {
  apiVersion,
  kind: 'Gateway',
  metadata: { name: 'gw', namespace: 'apps' },
  spec: { gatewayClassName: 'mcplex', listeners: [http] },
}

/** The one route, attached to that Gateway but for what is written. */
function withSpec(spec: object) {
  const route = {
    apiVersion,
    kind: 'HTTPRoute',
    metadata: { name: 'route', namespace: 'apps' },
    spec: { parentRefs: [{ name: 'gw' }], ...spec },
  }
  const world = createWorld([gateway, route])
  const [view, ...more] = readRoutes(world, readGateways(world, settings).gateways, settings)
  assert.ok(view)
  assert.deepEqual(more, [])
  return view
}

const withRule = (rule: unknown) => withSpec({ rules: [rule] })
const reasons = (faults: readonly Fault[]) => faults.map((fault) => fault.reason)
const messages = (faults: readonly Fault[]) => faults.map((fault) => fault.message)
const anything = { path: { type: 'PathPrefix', value: '/' } }

describe('matches', () => {
  const carried: readonly (readonly [string, object, readonly unknown[]])[] = [
    ['nothing is everything', {}, [anything]],
    ['an empty list is everything', { matches: [] }, [anything]],
    ['an empty match is everything', { matches: [{}] }, [anything]],
    ['null is nothing', { matches: null, name: null, timeouts: null, filters: null, backendRefs: null }, [anything]],
    ['a path without a type is a prefix', { matches: [{ path: { value: '/a' } }] }, [{ path: { type: 'PathPrefix', value: '/a' } }]],
    ['an exact path', { matches: [{ path: { type: 'Exact', value: '/a' } }] }, [{ path: { type: 'Exact', value: '/a' } }]],
    [
      'a path with a dollar',
      { matches: [{ path: { type: 'Exact', value: '/${HOME}$$' } }] },
      [{ path: { type: 'Exact', value: '/${HOME}$$' } }],
    ],
    [
      'defaults as the API server writes them',
      {
        matches: [
          {
            path: { type: 'PathPrefix', value: '/' },
            headers: [{ type: 'Exact', name: 'a', value: 'b' }],
            queryParams: [{ type: 'Exact', name: 'c', value: 'd' }],
            method: 'POST',
          },
        ],
      },
      [{ ...anything, headers: [{ name: 'a', value: 'b' }], queryParams: [{ name: 'c', value: 'd' }], method: 'POST' }],
    ],
    [
      'each for itself',
      { matches: [{ method: 'GET' }, { method: 'PUT' }] },
      [
        { ...anything, method: 'GET' },
        { ...anything, method: 'PUT' },
      ],
    ],
    [
      'the first of equal headers, in any case',
      {
        matches: [
          {
            headers: [
              { name: 'X-Team', value: 'a' },
              { name: 'other', value: 'c' },
              { name: 'x-team', value: 'b' },
            ],
          },
        ],
      },
      [
        {
          ...anything,
          headers: [
            { name: 'X-Team', value: 'a' },
            { name: 'other', value: 'c' },
          ],
        },
      ],
    ],
    [
      'the first of equal parameters, in one case',
      {
        matches: [
          {
            queryParams: [
              { name: 'a', value: '1' },
              { name: 'A', value: '2' },
              { name: 'a', value: '3' },
            ],
          },
        ],
      },
      [
        {
          ...anything,
          queryParams: [
            { name: 'a', value: '1' },
            { name: 'A', value: '2' },
          ],
        },
      ],
    ],
    ['an empty list of headers is none', { matches: [{ headers: [], queryParams: [] }] }, [anything]],
  ]
  for (const [name, rule, matches] of carried) {
    it(name, () => {
      const view = withRule(rule)
      assert.deepEqual([view.rules[0]?.matches, view.rules[0]?.faults, view.parents[0]?.faults], [matches, [], []])
    })
  }

  const a = { path: { type: 'PathPrefix', value: '/a' } }
  const wild = { name: 'x', value: '.*', type: 'RegularExpression' }
  const exact = { name: 'y', value: 'z' }
  /** A match, where it is at fault, and what is refused in its stead. */
  const notCarried: readonly (readonly [string, unknown, string, object | undefined])[] = [
    ['a regular expression for a path', { path: { type: 'RegularExpression', value: '/.*' } }, '.path.type', undefined],
    ['one for a header', { ...a, headers: [wild] }, '.headers[0].type', a],
    ['one for a parameter', { ...a, queryParams: [wild] }, '.queryParams[0].type', a],
    [
      'one beside what can be carried',
      { ...a, method: 'POST', headers: [exact, wild], queryParams: [wild, exact] },
      '.headers[1].type',
      { ...a, method: 'POST', headers: [exact], queryParams: [exact] },
    ],
    ['one before an equal header, which does not count', { ...a, headers: [wild, { name: 'X', value: 'b' }] }, '.headers[0].type', a],
    ['one beside a path that is one too', { path: { type: 'RegularExpression', value: '/' }, headers: [wild] }, '.path.type', undefined],
    ['an unknown type', { path: { type: 'Suffix', value: '/a' } }, '.path.type', undefined],
    ['an unknown method', { ...a, method: 'BREW' }, '.method', a],
    ['an empty method', { ...a, method: '' }, '.method', a],
    ['a path that is none', { path: { value: 'a' } }, '.path.value', undefined],
    ['a path that is a text', { path: '/a' }, '.path', undefined],
    ['a path in a path', { path: { value: { value: '/a' } } }, '.path.value', undefined],
    ['a header without a value', { ...a, headers: [{ name: 'x' }] }, '.headers[0].value', a],
    ['headers that are a map', { ...a, headers: { x: 'b' } }, '.headers', a],
    ['a header that is a text', { ...a, headers: ['x'] }, '.headers[0]', a],
    ['what nobody knows', { ...a, cookies: [], 'path.of': 1 }, '.cookies', a],
    ['a text for a match', '/a', '', undefined],
  ]
  for (const [name, match, place, refusal] of notCarried) {
    it(`${name} can't be carried: what is left of that match is refused, and the others are carried`, () => {
      const { parents, rules } = withSpec({ rules: [{}, { matches: [{ path: { value: '/good' } }, match] }] })
      assert.deepEqual([parents[0]?.listeners, parents[0]?.faults], [['http'], []])
      assert.deepEqual(
        rules.map((one) => [one.matches, one.faults]),
        [
          [[anything], []],
          [[{ path: { type: 'PathPrefix', value: '/good' } }], []],
        ],
      )
      assert.deepEqual(rules[0]?.uncarried, [])
      const [uncarried, ...more] = rules[1]?.uncarried ?? []
      assert.deepEqual([uncarried?.place, uncarried?.refusal, more], ['spec.rules[1].matches[1]', refusal, []])
      assert.equal(uncarried?.faults[0]?.message.split(': ')[0], `spec.rules[1].matches[1]${place}`)
      assert.deepEqual(new Set(reasons(uncarried.faults)), new Set(['UnsupportedValue']))
    })
  }

  it('that are a map match nothing', () => {
    const [rule] = withRule({ matches: anything }).rules
    assert.deepEqual(
      [rule?.matches, rule?.uncarried.map(({ place, refusal }) => [place, refusal])],
      [[], [['spec.rules[0].matches', undefined]]],
    )
  })

  const wholes: readonly (readonly [string, object, string])[] = [
    ['a hostname that is none', { hostnames: ['a b'] }, 'spec.hostnames[0]'],
    ['a hostname that is a number', { hostnames: [4] }, 'spec.hostnames[0]'],
    ['a hostname that is an address', { hostnames: ['192.0.2.1'] }, 'spec.hostnames[0]'],
    ['a hostname with a port', { hostnames: ['a.example:80'] }, 'spec.hostnames[0]'],
    ['hostnames that are a text', { hostnames: 'a.example' }, 'spec.hostnames'],
    ['rules that are a map', { rules: {} }, 'spec.rules'],
    ['a rule that is a text', { rules: ['x'] }, 'spec.rules[0]'],
    ['what nobody knows, and no rule', { only: 'staff', rules: [] }, 'spec.only is not known to this version of mcplex'],
  ]
  for (const [name, spec, place] of wholes) {
    it(`${name} makes the route not accepted`, () => {
      const [parent] = withSpec(spec).parents
      assert.deepEqual(
        [parent?.listeners, parent?.faults[0]?.reason, parent?.faults[0]?.message.split(': ')[0]],
        [[], 'UnsupportedValue', place],
      )
    })
  }

  it('what nobody knows of the route is a fault of each rule, whose requests are still its own', () => {
    const { parents, rules } = withSpec({ only: 'staff', rules: [{}, { matches: [a] }] })
    assert.deepEqual(parents[0]?.listeners, ['http'])
    assert.deepEqual(
      rules.map((rule) => [rule.matches, messages(rule.faults)]),
      [[anything], [a]].map((matches) => [matches, ['spec.only is not known to this version of mcplex: leave it out']]),
    )
  })

  it('is told in the words that were written, dollars and all', () => {
    const { rules } = withRule({ matches: [{ path: { value: '${a}$b' } }] })
    assert.match(
      rules[0]?.uncarried[0]?.faults[0]?.message ?? '',
      /^spec\.rules\[0\]\.matches\[0\]\.path\.value: `\$\{a\}\$b` is not a path: write a path/,
    )
  })
})

it('a route that has not changed is read again, but not checked again', () => {
  let reads = 0
  const match = {
    get method() {
      reads++
      return 'GET'
    },
  }
  const spec = { parentRefs: [{ name: 'gw' }], rules: [{ matches: [match] }] }
  const route = { apiVersion, kind: 'HTTPRoute', metadata: { name: 'route', namespace: 'apps' }, spec }
  const readsOf = (object: unknown) => {
    reads = 0
    const world = createWorld([gateway, object])
    const views = readRoutes(world, readGateways(world, settings).gateways, settings)
    return { reads, rules: views.map((view) => view.rules) }
  }
  const first = readsOf(route)
  const again = readsOf({ ...route, status: {} })
  assert.deepEqual(again.rules, first.rules)
  assert.ok(again.reads < first.reads)
  assert.equal(readsOf({ ...route, spec: { ...spec } }).reads, first.reads)
})

describe('rules', () => {
  it('are one for everything where none is written, and none where the list is empty', () => {
    const rules = (spec: object) => withSpec(spec).rules
    assert.deepEqual(rules({}), [
      { place: 'spec.rules[0]', name: undefined, matches: [anything], uncarried: [], timeouts: {}, backendRefs: [], faults: [] },
    ])
    assert.deepEqual(rules({ rules: [] }), [])
  })

  it('have names, and refer to backends', () => {
    const { rules } = withRule({
      name: 'all',
      backendRefs: [
        { name: 'svc', port: 80 },
        { group: 'gateway.kgateway.dev', kind: 'Backend', namespace: 'ops', name: 'b', weight: 0 },
      ],
    })
    assert.deepEqual(
      [rules[0]?.name, rules[0]?.backendRefs],
      [
        'all',
        [
          {
            place: 'spec.rules[0].backendRefs[0]',
            ref: { group: '', kind: 'Service', namespace: 'apps', name: 'svc' },
            weight: 1,
            faults: [],
          },
          {
            place: 'spec.rules[0].backendRefs[1]',
            ref: { group: 'gateway.kgateway.dev', kind: 'Backend', namespace: 'ops', name: 'b' },
            weight: 0,
            faults: [],
          },
        ],
      ],
    )
  })

  const timeouts: readonly (readonly [unknown, object, readonly string[]])[] = [
    [{ request: '1h30m' }, { request: '1h30m' }, []],
    [{ request: '0s' }, { request: '0s' }, []],
    [{ request: '0h0ms' }, { request: '0h0ms' }, []],
    [{ request: '10' }, {}, ['spec.rules[0].timeouts.request']],
    [{ request: 10 }, {}, ['spec.rules[0].timeouts.request']],
    [{ answer: '1s' }, {}, ['spec.rules[0].timeouts.answer']],
    ['10s', {}, ['spec.rules[0].timeouts']],
    [{ backendRequest: 7 }, {}, []],
  ]
  for (const [written, expected, places] of timeouts) {
    it(`timeouts ${JSON.stringify(written)}`, () => {
      const { rules, parents } = withRule({ timeouts: written })
      assert.deepEqual([rules[0]?.timeouts, messages(rules[0]?.faults ?? []).map((message) => message.split(': ')[0])], [expected, places])
      assert.deepEqual([parents[0]?.listeners, rules[0]?.matches], [['http'], [anything]])
    })
  }

  const refused: readonly (readonly [string, object, string])[] = [
    [
      'filters',
      { filters: [{ type: 'URLRewrite', urlRewrite: {} }] },
      'spec.rules[0].filters[0]: URLRewrite is not applied yet: take it out',
    ],
    ['filters that are no list', { filters: { type: 'CORS' } }, 'spec.rules[0].filters is not a list'],
    ['backendRefs that are no list', { backendRefs: { name: 'b' } }, 'spec.rules[0].backendRefs is not a list'],
    ['what nobody knows', { authorize: true }, 'spec.rules[0].authorize is not known to this version of mcplex: leave it out'],
  ]
  for (const [name, rule, message] of refused) {
    it(`with ${name} are at fault, and the route is accepted`, () => {
      const { rules, parents } = withRule(rule)
      assert.deepEqual(
        [messages(rules[0]?.faults ?? []), rules[0]?.faults[0]?.reason, parents[0]?.listeners],
        [[message], 'UnsupportedValue', ['http']],
      )
    })
  }

  const refs: readonly (readonly [string, unknown, string])[] = [
    [
      'filters of its own',
      { name: 'b', filters: [{ type: 'RequestHeaderModifier' }] },
      '.filters[0]: RequestHeaderModifier is not applied yet: give servers their headers by policies.auth of an AgentgatewayBackend',
    ],
    ['no name', { kind: 'Backend' }, ' has no name: name a Backend'],
    ['a text', 'b', ' is not an object'],
    ['a kind that is no text', { kind: 1, name: 'b' }, ': group, kind and namespace must be texts'],
    ['a negative weight', { name: 'b', weight: -1 }, '.weight is not a whole number from 0 to 1000000'],
    ['a weight that is a text', { name: 'b', weight: '1' }, '.weight is not a whole number from 0 to 1000000'],
    ['what nobody knows', { name: 'b', subset: 'x' }, '.subset is not known to this version of mcplex: leave it out'],
  ]
  for (const [name, backendRef, message] of refs) {
    it(`a backendRef with ${name} is at fault`, () => {
      const [view] = withRule({ backendRefs: [backendRef] }).rules[0]?.backendRefs ?? []
      assert.deepEqual(messages(view?.faults ?? []), [`spec.rules[0].backendRefs[0]${message}`])
    })
  }

  it('say what has no effect', () => {
    const { remarks, rules } = withSpec({
      useDefaultGateways: 'All',
      rules: [{}, { timeouts: { request: '10s', backendRequest: '5s' }, retry: { attempts: 3 }, sessionPersistence: {} }],
    })
    assert.deepEqual(
      messages(remarks).map((message) => message.split(' ')[0]),
      ['spec.useDefaultGateways', 'spec.rules[1].timeouts.backendRequest', 'spec.rules[1].retry', 'spec.rules[1].sessionPersistence'],
    )
    assert.deepEqual([rules[1]?.faults, rules[1]?.timeouts], [[], { request: '10s' }])
    assert.deepEqual(withRule({ timeouts: { backendRequest: '0s' } }).remarks, [])
  })
})
