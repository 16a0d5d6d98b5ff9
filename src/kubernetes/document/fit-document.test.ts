import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../config/config.ts'
import { bytesWithin, escapeTexts, sizeWithin } from '../fragments/fragments.ts'
import { defaultSettings, isRaw, listAt, nameKey, type Raw, rawAt, refOf, textAt, valueAt } from '../objects/objects.ts'
import { translate } from '../translation/translation.ts'
import { documentLimit } from './fit-document.ts'

const gatewayApi = 'gateway.networking.k8s.io/v1'
const gateway: Raw = {
  apiVersion: gatewayApi,
  kind: 'Gateway',
  metadata: { name: 'gw', namespace: 'own' },
  spec: {
    gatewayClassName: 'mcplex',
    listeners: [{ name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } }],
  },
}
const backendKind = { group: 'gateway.kgateway.dev', kind: 'Backend' }
const agentKind = { group: 'mcplex.dev', kind: 'Agent' }

/** An HTTPRoute `ns/name` of the path `/name`. */
function route(
  key: string,
  to: Raw,
  more: { readonly match?: Raw; readonly hostnames?: readonly string[]; readonly timeout?: string } = {},
): Raw {
  const [namespace, name] = key.split('/')
  const matches = [{ path: { type: 'PathPrefix', value: `/${name}` }, ...more.match }]
  const timeouts = more.timeout === undefined ? {} : { timeouts: { request: more.timeout } }
  return {
    apiVersion: gatewayApi,
    kind: 'HTTPRoute',
    metadata: { name, namespace },
    spec: {
      parentRefs: [{ name: 'gw', namespace: 'own' }],
      ...(more.hostnames === undefined ? {} : { hostnames: more.hostnames }),
      rules: [{ matches, backendRefs: [to], ...timeouts }],
    },
  }
}

function backend(key: string, servers: readonly string[] = ['one'], path = '/mcp'): Raw {
  const [namespace, name] = key.split('/')
  const targets = servers.map((server) => ({ name: server, static: { host: 'one.example.com', port: 80, path } }))
  return {
    apiVersion: 'gateway.kgateway.dev/v1alpha1',
    kind: 'Backend',
    metadata: { name, namespace },
    spec: { type: 'MCP', mcp: { targets } },
  }
}

const agentSpec = (backendName: string, tools: readonly string[]): Raw => ({ backendRefs: [{ name: backendName }], tools })

/** A route and its own backend, which takes this much of a document. */
function heavy(key: string, kilobytes: number): readonly Raw[] {
  return [route(key, { ...backendKind, name: key.split('/')[1] }), backend(key, ['one'], `/${'x'.repeat(kilobytes * 1000)}`)]
}

/** A route whose match takes this much, to the backend `b` of its namespace. */
function wide(key: string, kilobytes: number): Raw {
  const headers = Array.from({ length: kilobytes }, (_, index) => ({ name: `h${index}`, value: 'x'.repeat(960) }))
  return route(key, { ...backendKind, name: 'b' }, { match: { headers } })
}

/** A route `ns/name` to a backend of that name, of so many servers on Services with so many pods each. */
function podded(key: string, servers: number, pods: number): readonly Raw[] {
  const [namespace = '', name = ''] = key.split('/')
  const names = Array.from({ length: servers }, (_, index) => `${name}-${index}`)
  const address = (index: number): string => `10.1.${100 + Math.floor(index / 100)}.${100 + (index % 100)}`
  return [
    route(key, { ...backendKind, name }),
    {
      ...backend(key),
      spec: {
        type: 'MCP',
        mcp: { targets: names.map((server) => ({ name: server, static: { host: `${server}.${namespace}.svc`, port: 80 } })) },
      },
    },
    ...names.flatMap((server, at) => [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: server, namespace },
        spec: { clusterIP: `10.2.${at}.1`, ports: [{ port: 80 }] },
      },
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: server, namespace, labels: { 'kubernetes.io/service-name': server } },
        addressType: 'IPv4',
        ports: [{ port: 8000, protocol: 'TCP' }],
        endpoints: Array.from({ length: pods }, (_, index) => ({ addresses: [address(index)], conditions: { ready: true } })),
      },
    ]),
  ]
}

interface Fitted {
  readonly document: unknown
  /** What the status of the Gateway says of `Accepted`. */
  readonly toldGateway: string
  /** Backends, of which each server has addresses of pods. */
  readonly balanced: readonly string[]
  /** Names of routes, by what becomes of what they match. */
  readonly served: readonly string[]
  readonly refused: readonly string[]
  /** What the status of a route says of `Accepted`. */
  readonly told: (key: string) => string
}

/** What becomes of these objects; every document is within the limit, and can be read as a text. */
function fit(objects: readonly Raw[]): Fitted {
  const { gateways, statuses } = translate([gateway, ...objects], defaultSettings('1.0.0'))
  const document = gateways[0]?.document
  const text = JSON.stringify(document)
  assert.ok(Buffer.byteLength(text) <= documentLimit.bytes, `${Buffer.byteLength(text)} bytes`)
  const isOfRefusal = (one: unknown): boolean => listAt(one, 'rules').every((rule) => isRaw(valueAt(listAt(rule, 'backends')[0], 'refuse')))
  const routes = listAt(document, 'routes')
  const refused = routes.filter(isOfRefusal)
  const ofRoutes = statuses.flatMap((one) => (one.kind === 'entries' && one.list === 'parents' ? [one] : []))
  const status = new Map(ofRoutes.map(({ object, entries }) => [nameKey(refOf(object)), entries[0]]))
  const ofGateway = statuses.find(({ object }) => object.kind === 'Gateway')
  const hasEndpoints = (server: unknown): boolean => listAt(server, 'http', 'endpoints').length > 0
  return {
    document,
    toldGateway: textAt(listAt(ofGateway?.kind === 'whole' ? ofGateway.status : {}, 'conditions')[0], 'message') ?? '',
    balanced: Object.entries(rawAt(document, 'backends')).flatMap(([name, one]) =>
      Object.values(rawAt(one, 'servers')).every(hasEndpoints) ? [name] : [],
    ),
    served: routes.filter((one) => !refused.includes(one)).map((one) => textAt(one, 'name') ?? ''),
    refused: refused.flatMap((one) =>
      listAt(one, 'rules').flatMap((rule) =>
        listAt(rule, 'matches').map((match) => `${textAt(one, 'name')?.split('/')[0]}${textAt(match, 'path', 'value')}`),
      ),
    ),
    told(key) {
      const accepted = listAt(status.get(key), 'conditions').find((one) => textAt(one, 'type') === 'Accepted')
      return `${textAt(accepted, 'status')} ${textAt(accepted, 'message')}`
    },
  }
}

function errorsIn(document: unknown): readonly unknown[] {
  return parseConfig(JSON.stringify(document), { env: {}, readFile: () => '' }).problems.filter(({ severity }) => severity === 'error')
}

test('what there is no room for is refused, and keeps nobody else from being served', () => {
  const rows: readonly (readonly [routes: readonly (readonly [key: string, kilobytes: number])[], refused: readonly string[]])[] = [
    [
      [
        ['evil/a', 400],
        ['evil/b', 400],
      ],
      [],
    ],
    // Of a namespace the youngest: of equal age, the last by name.
    [
      [
        ['evil/a', 400],
        ['evil/b', 400],
        ['evil/c', 400],
        ['own/r', 50],
      ],
      ['evil/c'],
    ],
    // Of namespaces, the one that takes most, whoever came last.
    [
      [
        ['evil/a', 400],
        ['evil/b', 300],
        ['good/a', 200],
        ['good/b', 200],
      ],
      ['evil/b'],
    ],
    // The Gateway's own last, however much it takes,
    [
      [
        ['evil/a', 100],
        ['evil/b', 100],
        ['own/a', 400],
        ['own/b', 450],
      ],
      ['evil/b'],
    ],
    // unless that alone is too much.
    [
      [
        ['good/a', 100],
        ['own/a', 400],
        ['own/b', 400],
        ['own/c', 400],
      ],
      ['own/c'],
    ],
  ]
  for (const [routes, refused] of rows) {
    const keys = routes.map(([key]) => key)
    const fitted = fit(routes.flatMap(([key, kilobytes]) => heavy(key, kilobytes)))
    assert.deepEqual(fitted.refused, refused)
    assert.deepEqual(
      fitted.served.toSorted(),
      keys.filter((key) => !refused.includes(key)),
    )
    for (const key of keys) assert.match(fitted.told(key), refused.includes(key) ? /^False .* larger than .* answered with 500/ : /^True /)
    const backends = Object.keys(rawAt(fitted.document, 'backends')).toSorted()
    assert.deepEqual(backends, fitted.served.toSorted(), 'what nothing leads to takes no room')
  }
})

test("a namespace whose refusals alone take too much is refused as a whole but for the largest, and takes nobody's room", () => {
  const fitted = fit([
    ...['evil', 'good'].map((namespace) => backend(`${namespace}/b`)),
    ...[wide('evil/a', 300), wide('evil/b', 500), wide('evil/c', 300), wide('good/a', 200), wide('good/b', 100)],
  ])
  assert.deepEqual(fitted.served, ['good/a', 'good/b'])
  assert.deepEqual(fitted.refused.toSorted(), ['evil/a', 'evil/c'])
  assert.match(fitted.told('evil/a'), /^False .* answered with 500/)
  assert.match(
    fitted.told('evil/b'),
    /^False .* not even room to refuse its requests, so they go where routes of other namespaces take them/,
  )
  assert.deepEqual(errorsIn(fitted.document), [])
})

test('many routes that hardly fit lose a few, and the refusals stand together', () => {
  const shapes: Readonly<Record<string, (index: number) => Raw>> = {
    'of many paths': (index) => route(`evil/r${index}`, { ...backendKind, name: 'b' }),
    'of many paths of one host': (index) => route(`evil/r${index}`, { ...backendKind, name: 'b' }, { hostnames: ['mcp.example.com'] }),
    'of many hosts': (index) =>
      route(`evil/r${index}`, { ...backendKind, name: 'b' }, { hostnames: [`h${index}.example.com`], match: { path: { value: '/mcp' } } }),
  }
  for (const [what, shape] of Object.entries(shapes)) {
    const one = bytesWithin(valueAt(fit([backend('evil/b'), shape(1000)]).document, 'routes'), 10_000)
    const count = Math.ceil(1_050_000 / one)
    const { served, document } = fit([backend('evil/b'), ...Array.from({ length: count }, (_, index) => shape(index))])
    assert.ok(served.length < count && served.length > count * 0.85, `${what}: ${served.length} of ${count}`)
    assert.equal(listAt(document, 'routes').length, served.length + 1, what)
    const last = listAt(document, 'routes').at(-1)
    const [hostnames, matches] = [listAt(last, 'hostnames'), listAt(last, 'rules').flatMap((rule) => listAt(rule, 'matches'))]
    assert.equal(Math.max(hostnames.length, matches.length), count - served.length, what)
    assert.equal(Math.min(hostnames.length || 1, matches.length), 1, what)
  }
})

test('refusals that stand together have the place of the youngest, so that what others have before it counts before it', () => {
  const born = (day: number, objects: readonly Raw[]): readonly Raw[] =>
    objects.map((one) => ({ ...one, metadata: { ...rawAt(one, 'metadata'), creationTimestamp: `2026-01-0${day}T00:00:00Z` } }))
  const { document, refused } = fit([
    ...born(1, [...heavy('evil/x', 450), ...heavy('evil/y', 450)]),
    ...born(2, heavy('good/a', 60)),
    ...born(3, heavy('evil/z', 10)),
    ...born(4, heavy('good/b', 60)),
  ])
  assert.deepEqual(refused, ['evil/z', 'evil/y'])
  assert.deepEqual(
    listAt(document, 'routes').map((one) => textAt(one, 'name')),
    ['evil/x', 'good/a', 'evil/z', 'good/b'],
  )
})

test('the limit holds to the byte for all that is written', () => {
  const name = (index: number): string => `${'n'.repeat(200)}${index}`
  const objects = (padding: number): readonly Raw[] => [
    ...Array.from({ length: 40 }, (_, index) => [
      backend(`evil/${name(index)}`, ['a', 'b', 'c'], `/$$${index}é`),
      route(`evil/${name(index)}`, { ...backendKind, name: name(index) }, { timeout: '90s' }),
    ]).flat(),
    { apiVersion: 'mcplex.dev/v1alpha1', kind: 'Agent', metadata: { name: 'a', namespace: 'evil' }, spec: agentSpec('p', ['*']) },
    route('evil/a', { ...agentKind, name: 'a' }, { hostnames: ['a.example.com'] }),
    backend('evil/p', ['one'], `/${'x'.repeat(padding)}`),
    ...[...heavy('evil/q', 400), ...heavy('evil/r', 400)],
  ]
  const small = Buffer.byteLength(JSON.stringify(fit(objects(1)).document))
  // In each of three holders a comma more is counted than is written.
  const full = 1 + documentLimit.bytes - 3 - small
  assert.deepEqual(fit(objects(full)).refused, [])
  assert.equal(Buffer.byteLength(JSON.stringify(fit(objects(full)).document)), documentLimit.bytes - 3)
  assert.ok(fit(objects(full + 4)).refused.length > 0)
})

test('a time limit that is written once a longer one is refused has room', () => {
  const servers = Array.from({ length: 256 }, (_, index) => index.toString(36))
  const objects = Array.from({ length: 45 }, (_, index) => {
    const to = { ...backendKind, name: `b${index}` }
    const long = route(`evil/a${index}`, to, { timeout: '00000h00002m00000s00000ms' })
    return [backend(`evil/b${index}`, servers), long, route(`evil/z${index}`, to, { timeout: '24h' })]
  }).flat()
  const { served } = fit(objects)
  assert.ok(served.length > 0 && served.every((name) => name.startsWith('evil/a')), served.join())
})

test('a document can be read as a text, of which the parts are counted', () => {
  const patterns = Array.from({ length: 1024 }, () => '*')
  const objects = Array.from({ length: 67 }, (_, index) => [
    {
      apiVersion: 'mcplex.dev/v1alpha1',
      kind: 'Agent',
      metadata: { name: `a${index}`, namespace: 'evil' },
      spec: { ...agentSpec('b', patterns), prompts: patterns, resources: patterns },
    },
    route(`evil/r${index}`, { ...agentKind, name: `a${index}` }),
  ]).flat()
  const { document, served, refused, told } = fit([backend('evil/b'), ...heavy('good/a', 10), ...objects])
  assert.deepEqual(errorsIn(document), [])
  assert.ok(served.includes('good/a') && served.length > 60 && refused.length > 0)
  assert.match(told(refused[0] ?? ''), /^False .* would have more than 199000 values, .* answered with 500/)
})

test('bytes are counted as the document has them, and no further than the limit', () => {
  const parts = [{ a: 'x$"\u0000é', b: [1, true, 'y', []], 'k"': {} }, 'text', 17, [], { a: { b: ['$$', '${', '\u007f\\'] } }]
  for (const part of parts) {
    assert.equal(bytesWithin(part, 1_000_000), Buffer.byteLength(JSON.stringify(escapeTexts(part))))
  }
  const huge = Array.from({ length: 1000 }, () => 'x'.repeat(1000))
  const counted = bytesWithin(huge, 10_000)
  assert.ok(counted > 10_000 && counted < 20_000, String(counted))
  assert.equal(sizeWithin(parts, 1000).parts, 18)
})

test('what routes share is counted once', () => {
  const routes = Array.from({ length: 20 }, (_, index) => route(`evil/r${index}`, { ...backendKind, name: 'b' }))
  const { served, refused } = fit([backend('evil/b', ['one'], `/${'x'.repeat(200_000)}`), ...routes])
  assert.deepEqual([served.length, refused], [20, []])
})

test('before a route loses its place, the namespace that takes most does without addresses of pods, where they are most first', () => {
  const rows: readonly (readonly [objects: readonly Raw[], refused: readonly string[], balanced: readonly string[]])[] = [
    [[...podded('own/a', 100, 64), ...podded('own/b', 10, 64), ...heavy('good/c', 400)], [], ['own/a', 'own/b']],
    [[...podded('own/a', 250, 64), ...podded('own/b', 10, 64), ...heavy('own/c', 400), ...heavy('own/d', 300)], [], ['own/b']],
    // Also the Gateway's own namespace, where that takes most.
    [[...podded('own/a', 250, 64), ...heavy('own/c', 300), ...podded('good/b', 10, 64), ...heavy('good/d', 400)], [], ['good/b']],
    // Nobody does without because of what others write.
    [
      [...podded('good/a', 50, 64), ...podded('own/b', 50, 64), ...heavy('evil/a', 450), ...heavy('evil/b', 450), ...heavy('evil/c', 450)],
      ['evil/c', 'evil/b'],
      ['good/a', 'own/b'],
    ],
    // What is left is too much all the same.
    [[...podded('own/a', 250, 64), ...heavy('own/b', 450), ...heavy('own/c', 450), ...heavy('own/d', 450)], ['own/d'], []],
  ]
  for (const [at, [objects, refused, balanced]] of rows.entries()) {
    const fitted = fit(objects)
    assert.deepEqual([fitted.refused.toSorted(), fitted.balanced.toSorted()], [refused.toSorted(), balanced], `row ${at}`)
    assert.deepEqual(errorsIn(fitted.document), [])
    const names = Object.keys(rawAt(fitted.document, 'backends'))
    const alone = names.filter((name) => name === 'own/a' && !balanced.includes(name))
    assert.match(
      fitted.toldGateway,
      alone.length === 0 ? /^all its listeners are served$/ : /no room for the addresses of the pods behind own\/a:/,
    )
  }
})

test('however many pods there are, a backend of many servers is served', () => {
  const { document, served } = fit(podded('own/a', 256, 64).map((one) => longAddresses(one)))
  assert.deepEqual([served, errorsIn(document)], [['own/a'], []])
})

/** With addresses as long as they get. */
function longAddresses(object: Raw): Raw {
  if (object['kind'] === 'Service') return { ...object, spec: { ...rawAt(object, 'spec'), ipFamilies: ['IPv6'], clusterIP: 'fd00::1' } }
  if (object['kind'] !== 'EndpointSlice') return object
  const long = (index: number): string => `fd12:3456:789a:bcde:f012:3456:789a:${(4096 + index).toString(16)}`
  const endpoints = listAt(object, 'endpoints').map((_, index) => ({ addresses: [long(index)], conditions: { ready: true } }))
  return { ...object, addressType: 'IPv6', endpoints }
}
