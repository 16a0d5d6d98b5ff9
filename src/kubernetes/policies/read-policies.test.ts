import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { listAt, type Raw } from '../objects/objects.ts'
import {
  absent,
  aged,
  backend,
  backendRef,
  basic,
  gateway,
  gatewayApi,
  inForce,
  messageOf,
  object,
  places,
  policy,
  read,
  route,
  settings,
  statusesOf,
  target,
  tcp,
  timeout,
} from './policies-for-test.ts'

describe('several policies for one place', () => {
  const older = aged(2024, policy('older', [target('Service', 'math')], { backend: { tcp: { connectTimeout: '1s' } } }))
  const younger = aged(
    2025,
    policy('younger', [target('Service', 'math')], { backend: { tcp: { connectTimeout: '9s' }, http: { requestTimeout: '9s' } } }),
  )

  it('hold field by field, and the oldest has a field that several set', () => {
    for (const objects of [
      [older, younger],
      [younger, older],
    ]) {
      const policies = read(...objects)
      assert.deepEqual(policies.at({ kind: 'service', key: 'a/math' }).server, { connectTimeout: '1s', requestTimeout: '9s' })
      assert.deepEqual(statusesOf(policies), {
        older: { 'Service a math': inForce },
        younger: {
          'Service a math': ['Accepted=True:Accepted', 'Attached=True:Merged', 'PartiallyInvalid=True:Conflicted'],
        },
      })
      assert.match(messageOf(policies, 'younger', 'PartiallyInvalid'), /^spec\.backend\.tcp: AgentgatewayPolicy a\/older .*Service a\/math/)
    }
  })

  it('hold by name where they are of one age, and one that gets nothing is refused', () => {
    const policies = read(
      policy('q', [target('Gateway', 'gw')], { traffic: { timeouts: { request: '9s' } } }),
      policy('p', [target('Gateway', 'gw')], timeout),
    )
    assert.equal(policies.at({ kind: 'gateway', key: 'a/gw' }).requestTimeout, '5s')
    assert.deepEqual(statusesOf(policies), {
      p: { 'Gateway a gw': inForce },
      q: { 'Gateway a gw': ['Accepted=False:Conflicted', 'Attached=False:Overridden'] },
    })
  })

  it('are not in conflict with themselves', () => {
    const policies = read(policy('p', [target('Gateway', 'gw', { sectionName: 'http' }), target('Gateway', 'gw', { port: 80 })], timeout))
    assert.deepEqual(statusesOf(policies), { p: { 'Gateway a gw http': inForce, 'Gateway a gw': inForce } })
  })

  it('are closed by any of them', () => {
    const policies = read(older, aged(2026, policy('closing', [target('Service', 'math')], { backend: { tcp: {}, tunnel: {} } })))
    assert.match(policies.at({ kind: 'service', key: 'a/math' }).closed ?? '', /^AgentgatewayPolicy a\/closing: spec\.backend\.tunnel /)
  })
})

describe('what is not ours', () => {
  const foreign = [
    target('Gateway', 'theirs'),
    target('HTTPRoute', 'foreign'),
    target('AgentgatewayBackend', 'unused'),
    target('Service', 'plain'),
    target('GRPCRoute', 'any'),
  ]
  const entry = (controllerName: string, name: string): Raw => ({ ancestorRef: { kind: 'Gateway', name }, controllerName, conditions: [] })

  for (const ref of foreign) {
    it(`${JSON.stringify(ref)}: no entry, and none is left`, () => {
      const others = { status: { ancestors: [entry('their.io/controller', 'theirs')] } }
      assert.deepEqual(statusesOf(read(policy('p', [ref], basic, others))), {})
      const stale = { status: { ancestors: [entry('their.io/controller', 'theirs'), entry(settings.controllerName, 'gw')] } }
      assert.deepEqual(statusesOf(read(policy('p', [ref], basic, stale))), { p: {} })
    })
  }

  it('is a backend of another namespace, until a ReferenceGrant says otherwise', () => {
    const far = { namespace: 'c', name: 'far' }
    const objects = [
      { ...backend('far', []), metadata: far },
      route('to-far', ['gw'], { ...backendRef('far'), namespace: 'c' }),
      { ...policy('p', [target('AgentgatewayBackend', 'far')], tcp), metadata: { namespace: 'c', name: 'p' } },
    ]
    const grant = object(
      `${gatewayApi}/v1beta1`,
      'ReferenceGrant',
      'g',
      {
        from: [{ group: gatewayApi, kind: 'HTTPRoute', namespace: 'a' }],
        to: [{ group: 'agentgateway.dev', kind: 'AgentgatewayBackend' }],
      },
      { namespace: 'c' },
    )
    assert.deepEqual(statusesOf(read(...objects)), {
      p: { 'AgentgatewayBackend c far': ['Accepted=True:Accepted', 'Attached=False:Pending'] },
    })
    assert.deepEqual(statusesOf(read(...objects, grant)), { p: { 'AgentgatewayBackend c far': inForce } })
  })

  it('is a route that has left us, and what it leads to', () => {
    const status = { parents: [{ parentRef: { name: 'gw' }, controllerName: settings.controllerName, conditions: [] }] }
    const left = { ...route('left', ['theirs'], backendRef('unused')), status }
    assert.deepEqual(
      statusesOf(read(left, policy('p', [target('HTTPRoute', 'left')], timeout), policy('q', [target('Service', 'idle')], tcp))),
      {},
    )
    assert.deepEqual(statusesOf(read(left, policy('p', [target('HTTPRoute', 'left', { sectionName: 'x' })], timeout))), {})
  })

  it('has its Secrets to itself, unless something of ours leads to what needs them', () => {
    const auth = { backend: { auth: { secretRef: { name: 's' } } } }
    const wanted = (name: string) => read(policy('p', [target('Service', name)], auth)).wanted.map((ref) => ref.name)
    assert.deepEqual([wanted('plain'), wanted('idle'), wanted('math')], [[], [], ['s']])
    const named = read(route('direct', ['gw'], { name: 'plain', port: 80 }), policy('p', [target('Service', 'plain')], auth))
    assert.deepEqual(
      named.wanted.map((ref) => ref.name),
      ['s'],
    )
  })

  it('keeps its places in the status: all entries together are at most 16', () => {
    const others = { status: { ancestors: Array.from({ length: 10 }, (_, index) => entry('their.io/controller', `g${index}`)) } }
    const gateways = Array.from({ length: 9 }, (_, index) => gateway(`gw${index}`))
    const refs = [...gateways.map((_, index) => target('Gateway', `gw${index}`)), target('Gateway', 'zz')]
    const found = statusesOf(read(...gateways, policy('p', refs, timeout, others)))['p'] ?? {}
    assert.equal(Object.keys(found).length, 6)
    assert.deepEqual(found['Gateway a zz'], absent)
  })

  it('a condition is about the generation that was looked at', () => {
    const [status] = read(policy('p', [target('Gateway', 'gw')], timeout)).statuses
    const entries = status?.kind === 'entries' ? status.entries : []
    assert.deepEqual(
      entries.flatMap((one) => listAt(one, 'conditions')).map((one) => (one as Raw)['observedGeneration']),
      [3, 3],
    )
  })
})

describe('any objects at all', () => {
  const words = fc.constantFrom('Gateway', 'HTTPRoute', 'Service', 'gw', 'r', 'b', 'math', '', gatewayApi, 'agentgateway.dev', '5s')
  const keys = fc.constantFrom(
    'targetRefs',
    'targetSelectors',
    'group',
    'kind',
    'name',
    'sectionName',
    'port',
    'matchLabels',
    'traffic',
    'timeouts',
    'request',
    'backend',
    'tls',
    'auth',
    'key',
    'secretRef',
    'location',
    'header',
    'credentials',
    'caCertificateRefs',
    'mtlsCertificateRef',
    '__proto__',
    'constructor',
  )
  const anything = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      words,
      fc.constant(null),
      fc.integer(),
      fc.boolean(),
      fc.string(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(keys, tie('value'), { maxKeys: 5 }),
    ),
  })).value

  it('are read without an exception, and their order is of no matter', () => {
    fc.assert(
      fc.property(anything, anything, anything, (spec, status, other) => {
        const refs = [target('Gateway', 'gw'), target('Service', 'math'), target('AgentgatewayBackend', 'b')]
        const one = { ...policy('one', [], {}), spec, status }
        const two = policy('two', refs, { traffic: other, backend: other, frontend: other })
        const forwards = read(one, two)
        const backwards = read(two, one)
        assert.deepEqual(forwards.statuses, backwards.statuses)
        for (const place of Object.values(places)) assert.deepEqual(forwards.at(place), backwards.at(place))
      }),
      { numRuns: 300 },
    )
  })
})
