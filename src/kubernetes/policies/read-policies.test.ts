import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readGateways } from '../gateways/gateways.ts'
import { createWorld, defaultSettings, listAt, nothingObserved, type Raw, textAt } from '../objects/objects.ts'
import { readRoutes } from '../routes/routes.ts'
import { readUses } from '../targets/targets.ts'
import type { Policies, PolicyPlace } from './policy-effect.ts'
import { readPolicies } from './read-policies.ts'

const settings = { ...defaultSettings('1.0.0'), controllerName: 'mcplex.dev/controller' }
const gatewayApi = 'gateway.networking.k8s.io'

const object = (apiVersion: string, kind: string, name: string, spec: Raw, metadata: Raw = {}): Raw => ({
  apiVersion,
  kind,
  metadata: { namespace: 'a', name, ...metadata },
  spec,
})
const listener = (name: string, port: number): Raw => ({ name, port, protocol: 'HTTP' })
const gateway = (name: string, className = 'mcplex'): Raw =>
  object(`${gatewayApi}/v1`, 'Gateway', name, { gatewayClassName: className, listeners: [listener('http', 80), listener('other', 81)] })
const route = (name: string, parents: readonly string[], backend: Raw, metadata?: Raw): Raw =>
  object(
    `${gatewayApi}/v1`,
    'HTTPRoute',
    name,
    { parentRefs: parents.map((parent) => ({ name: parent })), rules: [{ name: 'first', backendRefs: [backend] }] },
    metadata,
  )
const backendRef = (name: string): Raw => ({ group: 'agentgateway.dev', kind: 'AgentgatewayBackend', name })
const backend = (name: string, targets: readonly Raw[]): Raw =>
  object('agentgateway.dev/v1alpha1', 'AgentgatewayBackend', name, { mcp: { targets } })
const service = (name: string): Raw => object('v1', 'Service', name, { ports: [{ port: 80 }] })

const cluster: readonly Raw[] = [
  gateway('gw'),
  gateway('theirs', 'nginx'),
  route('r', ['gw'], backendRef('b'), { labels: { team: 'x' } }),
  route('foreign', ['theirs'], backendRef('unused')),
  backend('b', [
    { name: 't', static: { backendRef: { name: 'math' }, port: 80 } },
    { name: 'u', static: { host: 'absent.a.svc.cluster.local', port: 80 } },
  ]),
  backend('unused', [{ name: 't', static: { backendRef: { name: 'idle' }, port: 80 } }]),
  service('math'),
  service('idle'),
  service('plain'),
]

const groups: Readonly<Record<string, string>> = { Service: '', AgentgatewayBackend: 'agentgateway.dev' }
const target = (kind: string, name: string, part: Raw = {}): Raw => ({ group: groups[kind] ?? gatewayApi, kind, name, ...part })
const policy = (name: string, targetRefs: readonly Raw[], spec: Raw, more: Raw = {}): Raw => ({
  ...object('agentgateway.dev/v1alpha1', 'AgentgatewayPolicy', name, { targetRefs, ...spec }, { generation: 3 }),
  ...more,
})
const aged = (year: number, one: Raw): Raw => {
  const metadata = one['metadata'] as Raw
  return { ...one, metadata: { ...metadata, creationTimestamp: `${year}-01-01T00:00:00Z` } }
}

function read(...more: readonly unknown[]): Policies {
  const world = createWorld([...cluster, ...more])
  const { gateways } = readGateways(world, settings)
  const routes = readRoutes(world, gateways, settings)
  return readPolicies(world, gateways, routes, readUses(world, routes, settings), settings, nothingObserved)
}

/** `Accepted=True:Accepted` and so on, by policy and then by what the entry is for. */
function statusesOf({ statuses }: Policies): Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> {
  return Object.fromEntries(
    statuses.map((status) => {
      assert.ok(status.kind === 'entries' && status.list === 'ancestors')
      const entries = status.entries.map((entry) => {
        assert.equal(entry['controllerName'], settings.controllerName)
        const ref = ['kind', 'namespace', 'name', 'sectionName'].flatMap((key) => textAt(entry, 'ancestorRef', key) ?? [])
        const conditions = listAt(entry, 'conditions').map(
          (one) => `${textAt(one, 'type')}=${textAt(one, 'status')}:${textAt(one, 'reason')}`,
        )
        return [ref.join(' '), conditions] as const
      })
      return [status.object.metadata.name, Object.fromEntries(entries)]
    }),
  )
}

function messageOf({ statuses }: Policies, name: string, type: string): string {
  const found = statuses.find((status) => status.object.metadata.name === name)
  const entries = found?.kind === 'entries' ? found.entries : []
  const conditions = entries.flatMap((entry) => listAt(entry, 'conditions'))
  return conditions.flatMap((one) => (textAt(one, 'type') === type ? (textAt(one, 'message') ?? '') : [])).join('\n')
}

const inForce = ['Accepted=True:Accepted', 'Attached=True:Attached']
const refused = ['Accepted=False:Unsupported', 'Attached=False:Pending']
const absent = ['Accepted=False:TargetNotFound', 'Attached=False:TargetNotFound']
const timeout = { traffic: { timeouts: { request: '5s' } } }
const basic = { traffic: { basicAuthentication: { users: [] } } }
const tcp = { backend: { tcp: { connectTimeout: '1s' } } }

const places: Readonly<Record<string, PolicyPlace>> = {
  gateway: { kind: 'gateway', key: 'a/gw' },
  listener: { kind: 'gateway', key: 'a/gw', listener: 'http' },
  'other listener': { kind: 'gateway', key: 'a/gw', listener: 'other' },
  route: { kind: 'route', key: 'a/r' },
  rule: { kind: 'route', key: 'a/r', rule: 'first' },
  backend: { kind: 'backend', key: 'a/b' },
  target: { kind: 'backend', key: 'a/b', target: 't' },
  service: { kind: 'service', key: 'a/math' },
}

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

describe('what a policy asks for and does not get', () => {
  const table: readonly (readonly [name: string, policy: Raw, ancestor: string, conditions: readonly string[], message: RegExp])[] = [
    [
      'harmless fields',
      policy('p', [target('Gateway', 'gw')], { traffic: { timeouts: { request: '5s' }, cors: {} }, frontend: { accessLog: {} } }),
      'Gateway a gw',
      [...inForce, 'PartiallyInvalid=True:Unsupported'],
      /^spec\.traffic\.cors .*; spec\.frontend\.accessLog /,
    ],
    [
      'settings of servers for a route',
      policy('p', [target('HTTPRoute', 'r')], { backend: { tls: {} } }),
      'Gateway a gw',
      refused,
      /spec\.backend\.tls is not enforced yet: target the AgentgatewayBackend or the Service/,
    ],
    [
      'a time limit of servers for a route',
      policy('p', [target('HTTPRoute', 'r')], tcp),
      'Gateway a gw',
      [...inForce, 'PartiallyInvalid=True:Unsupported'],
      /^spec\.backend\.tcp\.connectTimeout has no effect here/,
    ],
    [
      'traffic for a Service',
      policy('p', [target('Service', 'math')], timeout),
      'Service a math',
      ['Accepted=False:Invalid', 'Attached=False:Pending'],
      /spec\.traffic is out of place: .*nothing passes there: Service a\/math/,
    ],
    [
      'one port of a Service',
      policy('p', [target('Service', 'math', { sectionName: '80' })], tcp),
      'Service a math 80',
      refused,
      /spec\.targetRefs\[0\]\.sectionName: .*leave it out/,
    ],
    [
      'to come before others of routes',
      policy('p', [target('Gateway', 'gw')], { ...timeout, strategy: { inheritance: 'Override' } }),
      'Gateway a gw',
      refused,
      /spec\.strategy\.inheritance is not enforced yet/,
    ],
    [
      'a missing Secret',
      policy('p', [target('AgentgatewayBackend', 'b')], { backend: { auth: { secretRef: { name: 's' } } } }),
      'AgentgatewayBackend a b',
      ['Accepted=False:Invalid', 'Attached=False:Pending'],
      /Secret a\/s, which does not exist: create it; .*AgentgatewayBackend a\/b/,
    ],
    ['a missing Gateway', policy('p', [target('Gateway', 'none')], basic), 'Gateway a none', absent, /there is no Gateway a\/none/],
    [
      'a missing listener',
      policy('p', [target('Gateway', 'gw', { sectionName: 'x' })], timeout),
      'Gateway a gw x',
      absent,
      /no listener x/,
    ],
    ['a missing rule', policy('p', [target('HTTPRoute', 'r', { sectionName: 'x' })], timeout), 'Gateway a gw', absent, /no rule x/],
    [
      'a missing target',
      policy('p', [target('AgentgatewayBackend', 'b', { sectionName: 'x' })], tcp),
      'AgentgatewayBackend a b x',
      absent,
      /no target x/,
    ],
    [
      'a rule that is there and one that is missing',
      policy(
        'p',
        ['first', 'x'].map((sectionName) => target('HTTPRoute', 'r', { sectionName })),
        timeout,
      ),
      'Gateway a gw',
      [...inForce, 'PartiallyInvalid=True:TargetNotFound'],
      /^spec\.targetRefs\[1\]: HTTPRoute a\/r has no rule x: correct the name$/,
    ],
    [
      'a rule that is closed and one that is missing',
      policy(
        'p',
        ['x', 'first'].map((sectionName) => target('HTTPRoute', 'r', { sectionName })),
        basic,
      ),
      'Gateway a gw',
      refused,
      /spec\.traffic\.basicAuthentication .*no rule x.*nothing passes there: rule first of HTTPRoute a\/r$/,
    ],
    [
      'targets without a name or labels',
      policy('p', [target('Gateway', 'gw'), { group: '', kind: 'Service' }], {
        ...timeout,
        targetSelectors: [
          { group: '', kind: 'Service' },
          { group: '', kind: 'Service', matchLabels: 7 },
        ],
      }),
      'Gateway a gw',
      [...inForce, 'PartiallyInvalid=True:Invalid'],
      /^spec\.targetRefs\[1\]\.name is missing: .*spec\.targetSelectors\[0\]\.matchLabels is missing: .*\[1\]\.matchLabels is not a map/,
    ],
    [
      'a kind that is not served',
      policy('p', [target('Gateway', 'gw'), target('GRPCRoute', 'g')], timeout),
      'Gateway a gw',
      [...inForce, 'PartiallyInvalid=True:Unsupported'],
      /^spec\.targetRefs\[1\] is of a kind that mcplex doesn't serve/,
    ],
  ]
  for (const [name, one, ancestor, conditions, message] of table) {
    it(name, () => {
      const policies = read(one)
      assert.deepEqual(statusesOf(policies), { p: { [ancestor]: conditions } })
      assert.match(messageOf(policies, 'p', conditions.length === 3 ? 'PartiallyInvalid' : 'Accepted'), message)
    })
  }

  it('one port of a Service: no port of it is called', () => {
    const policies = read(policy('p', [target('Service', 'math', { sectionName: '80' })], tcp))
    assert.match(policies.at({ kind: 'service', key: 'a/math' }).closed ?? '', /spec\.targetRefs\[0\]\.sectionName/)
  })

  it('a route that does not attach', () => {
    const lost = route('lost', ['gw'], backendRef('b'))
    const spec = { ...(lost['spec'] as Raw), parentRefs: [{ name: 'gw', sectionName: 'none' }] }
    const policies = read({ ...lost, spec }, policy('p', [target('HTTPRoute', 'lost')], timeout))
    assert.deepEqual(statusesOf(policies), { p: { 'Gateway a gw': ['Accepted=True:Accepted', 'Attached=False:Pending'] } })
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
