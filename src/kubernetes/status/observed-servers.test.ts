import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type DesiredStatus,
  defaultSettings,
  listAt,
  nameKey,
  type Observations,
  type ProxyReport,
  type Raw,
  rawAt,
  type ServerReport,
  textAt,
  valueAt,
} from '../objects/objects.ts'
import { type Translation, translate } from '../translation/translation.ts'

const settings = defaultSettings('1.0.0')
const gatewayApi = 'gateway.networking.k8s.io/v1'
const metadata = (name: string): Raw => ({ name, namespace: 'ns', uid: name, generation: 1 })
const gateway = (name: string): Raw => ({
  apiVersion: gatewayApi,
  kind: 'Gateway',
  metadata: metadata(name),
  spec: { gatewayClassName: 'mcplex', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
})
const service = (name: string): Raw => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { ...metadata(name), ownerReferences: [{ apiVersion: gatewayApi, kind: 'Gateway', name, uid: name, controller: true }] },
  status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
})
const route = (name: string, gateways: readonly string[], ref: Raw): Raw => ({
  apiVersion: gatewayApi,
  kind: 'HTTPRoute',
  metadata: metadata(name),
  spec: {
    parentRefs: gateways.map((one) => ({ name: one })),
    rules: [{ matches: [{ path: { type: 'PathPrefix', value: `/${name}` } }], backendRefs: [ref] }],
  },
})
const backend = (name: string, servers: readonly string[]): Raw => ({
  apiVersion: 'gateway.kgateway.dev/v1alpha1',
  kind: 'Backend',
  metadata: metadata(name),
  spec: { type: 'MCP', mcp: { targets: servers.map((one) => ({ name: one, static: { host: `${one}.example`, port: 80 } })) } },
})
const toBackend = (name: string) => ({ group: 'gateway.kgateway.dev', kind: 'Backend', name })
const objects: readonly Raw[] = [
  ...['one', 'two'].flatMap((name) => [gateway(name), service(name)]),
  route('both', ['one', 'two'], toBackend('shared')),
  route('own', ['two'], toBackend('own')),
  route('agent', ['two'], { group: 'mcplex.dev', kind: 'Agent', name: 'agent' }),
  backend('shared', ['a', 'b']),
  backend('own', ['c']),
  {
    apiVersion: 'mcplex.dev/v1alpha1',
    kind: 'Agent',
    metadata: metadata('agent'),
    spec: { backendRefs: [{ name: 'shared' }], tools: ['a_*'] },
  },
]
const plans = translate(objects, settings).gateways
const digestOf = (key: string): string => plans.find((plan) => nameKey(plan) === key)?.digest ?? ''

const server = (name: string, more: Partial<ServerReport> = {}): ServerReport => ({
  backend: 'ns/shared',
  name,
  state: 'ready',
  era: 'modern',
  tools: 1,
  lastError: undefined,
  ...more,
})
const report = (servers: readonly ServerReport[], more: Partial<ProxyReport> = {}): ProxyReport => ({
  digest: digestOf('ns/one'),
  version: '1.0.0',
  refused: undefined,
  servers,
  agents: [],
  ...more,
})
const observe = (proxies: Readonly<Record<string, readonly ProxyReport[]>>, more: Partial<Observations> = {}): Observations => ({
  provisioning: new Map(),
  forbidden: new Set(),
  proxies: new Map(Object.entries(proxies)),
  ...more,
})

function statusIn({ statuses }: Translation, kind: string, name: string): Raw {
  const found = statuses.find(({ object }) => object.kind === kind && object.metadata.name === name)
  return found?.kind === 'whole' ? found.status : {}
}

const stateOf = (translation: Translation, name: string): unknown =>
  listAt(statusIn(translation, 'Backend', 'shared'), 'mcp', 'servers').find((one) => textAt(one, 'name') === name)

const readyOf = (status: Raw): string => {
  const ready = listAt(status, 'conditions').find((one) => textAt(one, 'type') === 'Ready')
  return `${textAt(ready, 'status')} ${textAt(ready, 'reason')}`
}

/** The objects as they are when the statuses have been written. */
function written(given: readonly Raw[], statuses: readonly DesiredStatus[]): readonly Raw[] {
  return given.map((object) => {
    const desired = statuses.find(
      (one) => one.object.kind === object['kind'] && one.object.metadata.name === valueAt(object, 'metadata', 'name'),
    )
    return desired?.kind === 'whole' ? { ...object, status: { ...rawAt(object, 'status'), ...desired.status } } : object
  })
}

test('what the proxies of all Gateways say counts, of the servers that each leads to', () => {
  const proxies = {
    'ns/one': [report([server('a', { tools: 2 }), server('b')])],
    'ns/two': [report([server('a', { tools: 3 }), server('b', { state: 'down', lastError: 'gone' }), server('c', { backend: 'ns/own' })])],
  }
  const translation = translate(objects, settings, observe(proxies))
  assert.deepEqual(stateOf(translation, 'a'), { name: 'a', state: 'ready', era: 'modern', tools: 3 })
  assert.deepEqual(stateOf(translation, 'b'), { name: 'b', state: 'down', era: 'modern', tools: 1, lastError: 'gone' })
  assert.equal(readyOf(statusIn(translation, 'Backend', 'shared')), 'False ServersDown')
  assert.equal(readyOf(statusIn(translation, 'Backend', 'own')), 'True ServersReady')
  // The first Gateway does not lead there.
  const strange = observe({
    'ns/one': [report([server('c', { backend: 'ns/own', state: 'down' })], { agents: [{ name: 'ns/agent', tools: 9 }] })],
  })
  const other = translate(objects, settings, strange)
  assert.deepEqual(Object.keys(rawAt(statusIn(other, 'Backend', 'own'), 'mcp')), ['targets'])
  assert.equal(statusIn(other, 'Agent', 'agent')['tools'], undefined)
})

test('nothing is said of proxies where nobody asks them', () => {
  for (const { object } of translate(objects, settings).statuses) {
    const status = statusIn(translate(objects, settings), object.kind, object.metadata.name)
    assert.equal(readyOf(status), 'undefined undefined')
    assert.equal(Object.hasOwn(status, 'tools'), false)
  }
})

test('a server that is only just connected to is what it was, in whatever order that comes', () => {
  const says = (state: ServerReport['state'], more: Partial<ServerReport> = {}) =>
    observe({
      'ns/one': [
        report([server('a', { state, era: state === 'ready' ? 'modern' : undefined, tools: state === 'ready' ? 5 : 0, ...more })]),
      ],
    })
  let now: readonly Raw[] = objects
  const rows: readonly [observed: Observations, expected: unknown][] = [
    [says('connecting'), { name: 'a', state: 'connecting', tools: 0 }],
    [says('ready'), { name: 'a', state: 'ready', era: 'modern', tools: 5 }],
    [says('connecting'), { name: 'a', state: 'ready', era: 'modern', tools: 5 }],
    [says('down', { lastError: 'gone' }), { name: 'a', state: 'down', tools: 0, lastError: 'gone' }],
    [says('connecting'), { name: 'a', state: 'down', tools: 0, lastError: 'gone' }],
    [observe({}, { settling: new Set(['ns/one']) }), { name: 'a', state: 'down', tools: 0, lastError: 'gone' }],
    [observe({}, { digests: new Map([['ns/one', 'of another document']]) }), { name: 'a', state: 'down', tools: 0, lastError: 'gone' }],
    [observe({ 'ns/one': [] }), undefined],
  ]
  for (const [observed, expected] of rows) {
    const translation = translate(now, settings, observed)
    assert.deepEqual(stateOf(translation, 'a'), expected)
    now = written(now, translation.statuses)
  }
})

test('an agent shows what most of its proxies’ clients see', () => {
  const says = (tools: number, state: ServerReport['state'] = 'ready') =>
    report([server('a', { state })], { agents: [{ name: 'ns/agent', tools }] })
  const status = (given: readonly Raw[], ...reports: readonly ProxyReport[]) => translate(given, settings, observe({ 'ns/two': reports }))
  const first = status(objects, says(2), says(4))
  assert.equal(statusIn(first, 'Agent', 'agent')['tools'], 4)
  const before = written(objects, first.statuses)
  assert.equal(statusIn(status(before, says(0, 'connecting')), 'Agent', 'agent')['tools'], 4)
  assert.equal(statusIn(status(before, says(0)), 'Agent', 'agent')['tools'], 0)
  assert.equal(statusIn(status(before), 'Agent', 'agent')['tools'], undefined)
})

test('whatever proxies say, statuses that are written stay as they are', () => {
  const servers = fc.array(
    fc.record({
      backend: fc.constantFrom('ns/shared', 'ns/own', 'other/b', '__proto__'),
      name: fc.constantFrom('a', 'b', 'c', 'x', 'constructor'),
      state: fc.constantFrom('ready' as const, 'connecting' as const, 'down' as const),
      era: fc.constantFrom(undefined, 'modern'),
      tools: fc.nat(9),
      lastError: fc.constantFrom(undefined, 'first', 'second'),
    }),
    { maxLength: 6 },
  )
  const digest = fc.constantFrom(digestOf('ns/one'), digestOf('ns/two'), '0'.repeat(64))
  const reports = fc.array(
    fc.record({
      digest,
      version: fc.constantFrom('1.0.0', '2.0.0'),
      refused: fc.option(fc.record({ digest, text: fc.string() }), { nil: undefined }),
      servers,
      agents: fc.array(fc.record({ name: fc.constantFrom('ns/agent', 'other/a'), tools: fc.nat(9) }), { maxLength: 2 }),
    }),
    { maxLength: 3 },
  )
  const observed = fc.record({
    proxies: fc.dictionary(fc.constantFrom('ns/one', 'ns/two', 'ns/gone'), reports).map((all) => new Map(Object.entries(all))),
    settling: fc.subarray(['ns/one', 'ns/two']).map((keys) => new Set(keys)),
  })
  fc.assert(
    fc.property(fc.array(observed, { minLength: 1, maxLength: 4 }), (turns) => {
      let now = objects
      for (const turn of turns) {
        const seen: Observations = { provisioning: new Map(), forbidden: new Set(), ...turn }
        now = written(now, translate(now, settings, seen).statuses)
        const again = translate(now, settings, seen)
        const texts = (given: readonly Raw[]) => given.filter(({ status }) => status !== undefined).map((object) => JSON.stringify(object))
        assert.deepEqual(texts(written(now, again.statuses)), texts(now))
      }
    }),
    { numRuns: 200 },
  )
})
