import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { readGateways } from '../gateways/gateways.ts'
import { createWorld, type Settings } from '../objects/objects.ts'
import { readRoutes } from './read-routes.ts'

const settings: Settings = {
  controllerName: 'mcplex.dev/controller',
  classes: [],
  version: '1.0.0',
  image: 'mcplex',
  imagePullSecrets: [],
  clusterDomain: 'cluster.local',
}

const apiVersion = 'gateway.networking.k8s.io/v1'
const others = [
  { apiVersion, kind: 'GatewayClass', metadata: { name: 'mcplex' }, spec: { controllerName: settings.controllerName } },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'apps', labels: { a: 'b' } } },
]
const selector = { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }
const gateway = {
  apiVersion,
  kind: 'Gateway',
  metadata: { name: 'gw', namespace: 'apps' },
  spec: {
    gatewayClassName: 'mcplex',
    listeners: [
      {
        name: 'http',
        port: 80,
        protocol: 'HTTP',
        hostname: 'a.example',
        allowedRoutes: { kinds: [{ kind: 'HTTPRoute' }], namespaces: { from: 'Selector', selector } },
      },
      { name: 'tls', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'c', namespace: 'd' }] } },
    ],
  },
}
const match = {
  path: { type: 'Exact', value: '/a' },
  headers: [{ name: 'a', value: 'b' }],
  queryParams: [{ name: 'a', value: 'b' }],
  method: 'GET',
}
const route = {
  apiVersion,
  kind: 'HTTPRoute',
  metadata: { name: 'route', namespace: 'apps' },
  spec: {
    parentRefs: [{ name: 'gw', sectionName: 'http', port: 80 }],
    hostnames: ['a.example'],
    rules: [
      {
        name: 'one',
        matches: [match],
        timeouts: { request: '1s', backendRequest: '1s' },
        backendRefs: [{ name: 'b', weight: 2, filters: [] }],
        filters: [],
      },
    ],
  },
  status: { parents: [{ controllerName: settings.controllerName }] },
}

const nested: unknown = JSON.parse('['.repeat(5000) + ']'.repeat(5000))
const values: readonly unknown[] = [
  null,
  0,
  -1,
  1.5,
  true,
  '',
  '$',
  '${X}',
  [],
  {},
  [null],
  [[]],
  nested,
  JSON.parse('{"__proto__":{"a":1}}'),
]

/** Every copy of the value in which one place holds another value. */
function* variants(value: unknown, isWanted: (value: unknown, other: unknown) => boolean = () => true): Generator<unknown> {
  yield* values.filter((other) => isWanted(value, other))
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) for (const other of variants(item, isWanted)) yield value.with(index, other)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) for (const other of variants(member, isWanted)) yield { ...value, [name]: other }
  }
}

function read(objects: readonly unknown[]) {
  const world = createWorld(objects)
  const { gateways } = readGateways(world, settings)
  return readRoutes(world, gateways, settings)
}

/** What passes, and where; nothing where all is refused. */
const passing = (objects: readonly unknown[]) =>
  read([...others, ...objects]).flatMap(({ parents, rules }) =>
    parents.flatMap(({ gateway, listeners, hostnames }) =>
      gateway.listeners
        .filter(({ name, fragment }) => fragment !== undefined && listeners.includes(name))
        .map(({ fragment }) => ({
          fragment,
          hostnames,
          rules: rules.flatMap((rule) => (rule.faults.length === 0 && rule.matches.length > 0 ? [rule.matches] : [])),
        })),
    ),
  )

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'list'
  return value === null ? 'null' : typeof value
}

describe('any value in any place', () => {
  it('is read without an exception', () => {
    const objects = [...others, gateway, route]
    let count = 0
    for (const [index, object] of objects.entries()) {
      for (const variant of variants(object)) {
        read((objects as readonly unknown[]).with(index, variant))
        count++
      }
    }
    assert.ok(count > 500)
  })

  it('makes nothing wider where its type is wrong: what passes is as before, or less', () => {
    const before = passing([gateway, route])
    assert.equal(before.length, 1)
    let fewer = 0
    const isWrong = (value: unknown, other: unknown): boolean => other !== null && typeOf(value) !== typeOf(other)
    for (const object of [gateway, route]) {
      for (const spec of variants(object.spec, isWrong)) {
        const after = passing(object === gateway ? [{ ...gateway, spec }, route] : [gateway, { ...route, spec }])
        const isLess = after.every(({ rules }) => rules.length === 0)
        assert.ok(isLess || isDeepStrictEqual(after, before), `${JSON.stringify(spec).slice(0, 500)}: ${JSON.stringify(after)}`)
        fewer += Number(isLess)
      }
    }
    assert.ok(fewer > 200)
  })
})
