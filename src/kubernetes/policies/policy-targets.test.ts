import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Raw } from '../objects/objects.ts'
import {
  absent,
  backend,
  backendRef,
  basic,
  gateway,
  gatewayApi,
  inForce,
  listener,
  messageOf,
  object,
  places,
  policy,
  read,
  refused,
  route,
  service,
  settings,
  statusesOf,
  target,
  tcp,
  timeout,
} from './policies-for-test.ts'

describe('where a policy holds', () => {
  const table: readonly (readonly [target: Raw, holds: string, ancestor: string])[] = [
    [target('Gateway', 'gw'), 'gateway', 'Gateway a gw'],
    [target('Gateway', 'gw', { sectionName: 'http' }), 'listener', 'Gateway a gw http'],
    [target('Gateway', 'gw', { port: 81 }), 'other listener', 'Gateway a gw'],
    [target('HTTPRoute', 'r'), 'route', 'Gateway a gw'],
    [target('HTTPRoute', 'r', { sectionName: 'first' }), 'rule', 'Gateway a gw'],
    [target('AgentgatewayBackend', 'b'), 'backend', 'AgentgatewayBackend a b'],
    [target('AgentgatewayBackend', 'b', { sectionName: 't' }), 'target', 'AgentgatewayBackend a b t'],
    [target('Service', 'math'), 'service', 'Service a math'],
  ]
  for (const [ref, holds, ancestor] of table) {
    const isOfServers = ref['kind'] === 'AgentgatewayBackend' || ref['kind'] === 'Service'
    const what = isOfServers ? tcp : timeout

    it(`${JSON.stringify(ref)}: ${holds}, and nowhere else`, () => {
      const policies = read(policy('p', [ref], what))
      for (const [name, place] of Object.entries(places)) {
        const effect = policies.at(place)
        const expected = name !== holds ? undefined : isOfServers ? '1s' : '5s'
        assert.equal(isOfServers ? effect.server.connectTimeout : effect.requestTimeout, expected, name)
        assert.equal(effect.closed, undefined, name)
      }
      assert.deepEqual(statusesOf(policies), { p: { [ancestor]: inForce } })
    })

    it(`${JSON.stringify(ref)} with a field that restricts: ${holds} is closed`, () => {
      const policies = read(policy('p', [ref], isOfServers ? { backend: { extAuth: {} } } : basic))
      const closed = Object.entries(places).flatMap(([name, place]) => (policies.at(place).closed === undefined ? [] : [name]))
      assert.deepEqual(closed, [holds])
      assert.match(
        policies.at(places[holds] ?? { kind: 'gateway', key: '' }).closed ?? '',
        /^AgentgatewayPolicy a\/p: spec\.\S+ is not enforced yet/,
      )
      assert.deepEqual(statusesOf(policies), { p: { [ancestor]: refused } })
      assert.match(messageOf(policies, 'p', 'Accepted'), /nothing passes there: .*\b(gw|r|b|math)$/)
    })
  }

  it('is found by labels too, each target once', () => {
    const targetSelectors = [{ group: gatewayApi, kind: 'HTTPRoute', matchLabels: { team: 'x' } }]
    const policies = read(policy('p', [target('HTTPRoute', 'r')], { ...timeout, targetSelectors }))
    assert.equal(policies.at({ kind: 'route', key: 'a/r' }).requestTimeout, '5s')
    assert.deepEqual(statusesOf(policies), { p: { 'Gateway a gw': inForce } })
    assert.deepEqual(
      statusesOf(read(policy('q', [], { ...timeout, targetSelectors: [{ ...targetSelectors[0], matchLabels: { team: 'y' } }] }))),
      {},
    )
  })

  it('is its own namespace alone', () => {
    const policies = read({ ...policy('p', [target('Gateway', 'gw')], basic), metadata: { namespace: 'b', name: 'p' } })
    assert.equal(policies.at({ kind: 'gateway', key: 'a/gw' }).closed, undefined)
    assert.deepEqual(statusesOf(policies), { p: { 'Gateway b gw': absent } })
  })

  it('is a Service behind a host also where the Service is not among the objects', () => {
    const policies = read(policy('p', [target('Service', 'absent')], tcp))
    assert.equal(policies.at({ kind: 'service', key: 'a/absent' }).server.connectTimeout, '1s')
    assert.deepEqual(statusesOf(policies), { p: { 'Service a absent': inForce } })
  })

  it('is what an Agent leads to, if it may', () => {
    const agent = (namespace: string): Raw =>
      object(
        'mcplex.dev/v1alpha1',
        'Agent',
        'sre',
        { backendRefs: [{ kind: 'AgentgatewayBackend', namespace: 'a', name: 'unused' }] },
        { namespace },
      )
    const ofIdle = policy('p', [target('Service', 'idle')], tcp)
    assert.deepEqual(statusesOf(read(ofIdle, agent('a'))), { p: { 'Service a idle': inForce } })
    assert.deepEqual(statusesOf(read(ofIdle, agent('z'))), {})
  })
})

describe('what no route leads to yet', () => {
  const idle = backend('spare', [
    { name: 't', static: { host: 'rest', port: 80 } },
    { name: 'u', static: { host: 'unmade.a.svc', port: 80 } },
  ])
  const table: readonly (readonly [what: Raw, ancestor: string])[] = [
    [target('AgentgatewayBackend', 'spare'), 'AgentgatewayBackend a spare'],
    [target('AgentgatewayBackend', 'spare', { sectionName: 't' }), 'AgentgatewayBackend a spare t'],
    [target('Service', 'rest'), 'Service a rest'],
    [target('Service', 'unmade'), 'Service a unmade'],
  ]
  for (const [ref, ancestor] of table) {
    it(`${JSON.stringify(ref)}: the policy is told of, and that it waits`, () => {
      const objects = [idle, service('rest')]
      const good = read(...objects, policy('p', [ref], tcp))
      assert.deepEqual(statusesOf(good), { p: { [ancestor]: ['Accepted=True:Accepted', 'Attached=False:Pending'] } })
      assert.match(messageOf(good, 'p', 'Attached'), /^no route or Agent of mcplex leads to \S+ a\/(?:spare|rest|unmade) yet$/)
      const closing = read(...objects, policy('p', [ref], { backend: { extAuth: {} } }))
      assert.deepEqual(statusesOf(closing), { p: { [ancestor]: refused } })
      assert.match(messageOf(closing, 'p', 'Attached'), /no route or Agent of mcplex leads/)
    })
  }

  it('is not a Service that a short host means in the namespace of a Gateway that leads to it', () => {
    const { spec } = gateway('gw2') as { readonly spec: Raw }
    const listeners = [{ ...listener('http', 80), allowedRoutes: { namespaces: { from: 'All' } } }]
    const far = { ...gateway('gw2'), metadata: { namespace: 'edge', name: 'gw2' }, spec: { ...spec, listeners } }
    const used = backend('short', [{ name: 't', static: { host: 'side', port: 80 } }])
    const side = { ...service('side'), metadata: { namespace: 'edge', name: 'side' } }
    const ofSide = { ...policy('p', [target('Service', 'side')], tcp), metadata: { namespace: 'edge', name: 'p' } }
    const near = route('to-short', ['gw'], backendRef('short'))
    const leading = { ...near, spec: { ...(near['spec'] as Raw), parentRefs: [{ name: 'gw2', namespace: 'edge' }] } }
    assert.deepEqual(statusesOf(read(far, used, side, leading, ofSide)), { p: { 'Service edge side': inForce } })
    assert.deepEqual(statusesOf(read(far, used, side, near, ofSide)), {})
  })

  it('has its Secrets looked at later', () => {
    const spec = { backend: { auth: { secretRef: { name: 's' } }, tcp: { connectTimeout: '1s' } } }
    const policies = read(idle, policy('p', [target('AgentgatewayBackend', 'spare')], spec))
    assert.deepEqual(policies.wanted, [])
    assert.deepEqual(statusesOf(policies), { p: { 'AgentgatewayBackend a spare': ['Accepted=True:Accepted', 'Attached=False:Pending'] } })
    assert.match(
      messageOf(policies, 'p', 'Accepted'),
      /; spec\.backend\.auth: what it names is looked at once a route or an Agent of mcplex/,
    )
  })

  it('is left to others where they have written the status of the policy', () => {
    const by = (statusManagers: readonly string[], name = 'spare'): Raw => {
      const one = policy('p', [target('AgentgatewayBackend', name)], tcp)
      return { ...one, metadata: { ...(one['metadata'] as Raw), statusManagers } }
    }
    const told = ['p']
    const table: readonly (readonly [one: Raw, told: readonly string[]])[] = [
      [by([settings.controllerName]), told],
      [by([settings.controllerName, 'their.io/controller']), []],
      [by(['their.io/controller']), []],
      [by(['their.io/controller'], 'absent'), []],
      [by([], 'absent'), told],
      [by(['their.io/controller'], 'b'), told],
    ]
    for (const [one, expected] of table) assert.deepEqual(Object.keys(statusesOf(read(idle, one))), expected, JSON.stringify(one))
  })

  it("is left to others where another's route leads there", () => {
    const theirs = route('to-spare', ['theirs'], backendRef('spare'))
    assert.deepEqual(statusesOf(read(idle, service('rest'), theirs, policy('p', [target('Service', 'rest')], tcp))), {})
  })
})
