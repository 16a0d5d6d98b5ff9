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
const gateway = (listeners: readonly object[], name = 'gw', gatewayClassName = 'mcplex') => ({
  apiVersion,
  kind: 'Gateway',
  metadata: { name, namespace: 'apps' },
  spec: { gatewayClassName, listeners },
})
const http = { name: 'http', port: 80, protocol: 'HTTP' }
const ref = { name: 'gw' }
const route = (spec: unknown, namespace = 'apps', status: unknown = {}) => ({
  apiVersion,
  kind: 'HTTPRoute',
  metadata: { name: 'route', namespace },
  spec,
  status,
})

function read(...objects: readonly unknown[]) {
  const world = createWorld(objects)
  return readRoutes(world, readGateways(world, settings).gateways, settings)
}

function only(...objects: readonly unknown[]) {
  const [view, ...more] = read(...objects)
  assert.ok(view)
  assert.deepEqual(more, [])
  return view
}

const reasons = (faults: readonly Fault[]) => faults.map((fault) => fault.reason)
const messages = (faults: readonly Fault[]) => faults.map((fault) => fault.message)

describe('which routes are ours', () => {
  const cases: readonly (readonly [string, unknown, number | undefined])[] = [
    ['a parentRef by its name alone', { parentRefs: [ref] }, 1],
    ['all written out', { parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'apps', ...ref }] }, 1],
    ['null for what is absent', { parentRefs: [{ group: null, kind: null, namespace: null, sectionName: null, port: null, ...ref }] }, 1],
    ['one of two parents', { parentRefs: [{ name: 'other' }, ref] }, 1],
    [
      'two listeners of one Gateway',
      {
        parentRefs: [
          { ...ref, sectionName: 'http' },
          { ...ref, sectionName: 'x' },
        ],
      },
      2,
    ],
    ['a Gateway of another class', { parentRefs: [{ name: 'other' }] }, undefined],
    ['no such Gateway', { parentRefs: [{ name: 'none' }] }, undefined],
    ['another namespace', { parentRefs: [{ ...ref, namespace: 'else' }] }, undefined],
    ['a Service', { parentRefs: [{ group: '', kind: 'Service', ...ref }] }, undefined],
    ['the core group', { parentRefs: [{ group: '', ...ref }] }, undefined],
    ['a namespace that is a number', { parentRefs: [{ ...ref, namespace: 3 }] }, undefined],
    ['no parents', {}, undefined],
    ['parents that are no list', { parentRefs: ref }, undefined],
  ]
  for (const [name, spec, parents] of cases) {
    it(`${name}: ${parents ?? 'not'}`, () => {
      const [view] = read(gateway([http]), gateway([http], 'other', 'foreign'), route(spec))
      assert.equal(view?.parents.length, parents)
    })
  }

  it('those that were ours, so that their entry can go', () => {
    const entry = (controllerName: string) => ({ parents: [{ controllerName, parentRef: ref }] })
    const view = only(route({ parentRefs: [{ name: 'none' }], rules: [{ filters: [1] }] }, 'apps', entry(settings.controllerName)))
    assert.deepEqual([view.key, view.parents, view.rules], ['apps/route', [], []])
    assert.deepEqual(read(route({ parentRefs: [{ name: 'none' }] }, 'apps', entry('other.dev/x'))), [])
  })

  it('the parentRef stays as it was written', () => {
    const parentRef = { kind: 'Gateway', name: 'gw', port: 80, group: 'gateway.networking.k8s.io' }
    assert.deepEqual(only(gateway([http]), route({ parentRefs: [parentRef] })).parents[0]?.parentRef, parentRef)
  })
})

describe('attachment', () => {
  const all = { namespaces: { from: 'All' } }
  const listeners = [
    { name: 'any', port: 80, protocol: 'HTTP' },
    { name: 'wild', port: 80, protocol: 'HTTP', hostname: '*.Example.com' },
    { name: 'exact', port: 81, protocol: 'HTTP', hostname: 'mcp.example.com' },
    { name: 'open', port: 82, protocol: 'HTTP', allowedRoutes: all },
    { name: 'tls', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'none' }] } },
    { name: 'tcp', port: 90, protocol: 'TCP' },
    { name: 'grpc', port: 91, protocol: 'HTTP', allowedRoutes: { kinds: [{ kind: 'GRPCRoute' }] } },
  ]
  const cases: readonly (readonly [string, object, object, readonly string[] | string, (readonly string[])?, string?])[] = [
    ['all that take it', {}, {}, ['any', 'wild', 'exact', 'open', 'tls']],
    ['one by its name', { sectionName: 'exact' }, {}, ['exact']],
    ['an empty name is none', { sectionName: '', port: 80 }, {}, ['any', 'wild']],
    ['by port', { port: 80 }, {}, ['any', 'wild']],
    ['by name and port', { sectionName: 'wild', port: 80 }, {}, ['wild']],
    ['a name with another port', { sectionName: 'wild', port: 81 }, {}, 'NoMatchingParent'],
    ['no such name', { sectionName: 'nope' }, {}, 'NoMatchingParent'],
    ['no such port', { port: 8080 }, {}, 'NoMatchingParent'],
    ['a name that is no text', { sectionName: ['any'] }, {}, 'NoMatchingParent'],
    ['a port that is no number', { port: '80' }, {}, 'NoMatchingParent'],
    ['a member that nobody knows', { section: 'any' }, {}, 'UnsupportedValue'],
    ['one that is not served takes it all the same', { sectionName: 'tls' }, {}, ['tls']],
    ['one of another protocol', { sectionName: 'tcp' }, {}, 'NotAllowedByListeners'],
    ['one for other kinds', { sectionName: 'grpc' }, {}, 'NotAllowedByListeners'],
    ['a host', {}, { hostnames: ['MCP.example.com'] }, ['any', 'wild', 'exact', 'open', 'tls'], ['mcp.example.com']],
    ['a wildcard', { sectionName: 'exact' }, { hostnames: ['*.com'] }, ['exact'], ['*.com']],
    ['a narrower wildcard', { sectionName: 'wild' }, { hostnames: ['*.a.example.com'] }, ['wild'], ['*.a.example.com']],
    ['only hosts in common', { sectionName: 'wild' }, { hostnames: ['a.example.com', 'a.example.net'] }, ['wild'], ['a.example.com']],
    ['hosts of either', { port: 81 }, { hostnames: ['other.example.com', 'mcp.example.com'] }, ['exact'], ['mcp.example.com']],
    ['no host in common', { sectionName: 'wild' }, { hostnames: ['example.com'] }, 'NoMatchingListenerHostname'],
    ['the host of another listener', { port: 81 }, { hostnames: ['a.example.com'] }, 'NoMatchingListenerHostname'],
    ['another namespace', {}, {}, ['open'], [], 'ops'],
    ['another namespace than one takes', { sectionName: 'any' }, {}, 'NotAllowedByListeners', [], 'ops'],
  ]
  for (const [name, parent, spec, expected, hostnames = [], namespace = 'apps'] of cases) {
    it(`${name}: ${expected}`, () => {
      const view = only(gateway(listeners), route({ parentRefs: [{ ...ref, namespace: 'apps', ...parent }], ...spec }, namespace))
        .parents[0]
      assert.ok(view)
      assert.deepEqual(
        [view.listeners, reasons(view.faults).slice(0, 1), view.hostnames],
        typeof expected === 'string' ? [[], [expected], []] : [expected, [], hostnames],
      )
    })
  }

  it('that fails names the Gateway, and what there is', () => {
    const faultOf = (parent: object, spec: object = {}) =>
      only(gateway(listeners.slice(0, 2)), route({ parentRefs: [{ ...ref, ...parent }], ...spec })).parents[0]?.faults[0]?.message
    assert.equal(
      faultOf({ sectionName: 'nope', port: 80 }),
      'Gateway apps/gw has no listener with sectionName "nope" and port 80; its listeners: any (port 80), wild (port 80)',
    )
    assert.equal(
      faultOf({ sectionName: 'wild' }, { hostnames: ['a.example'] }),
      'no listener of Gateway apps/gw has a hostname in common with a.example (wild has *.example.com): change spec.hostnames',
    )
    const refused = only(gateway(listeners.slice(0, 1)), route({ parentRefs: [{ ...ref, namespace: 'apps' }] }, 'ops')).parents[0]
    assert.deepEqual(messages(refused?.faults ?? []), [
      'listener any of Gateway apps/gw takes no routes of ops (allowedRoutes.namespaces.from is Same): change that, or move the route',
    ])
    assert.equal(
      only(gateway([]), route({ parentRefs: [ref] })).parents[0]?.faults[0]?.message,
      'Gateway apps/gw has no listener; its listeners: none',
    )
  })
})
