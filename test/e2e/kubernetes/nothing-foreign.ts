import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { letProvision } from '../setup/controller.ts'
import { controllerName, dataOf, documentOf, documentText, foreignClass, home, type Scene, statusOf, untilSaid } from './scene.ts'
import { settled } from './settled.ts'

const gatewayApi = 'gateway.networking.k8s.io/v1'

/** As another controller would write it. */
const foreign = {
  entry: {
    parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'theirs' },
    controllerName: 'example.com/controller',
    conditions: [condition('Accepted'), condition('example.com/Painted')],
  },
  status: { conditions: [condition('Accepted')] },
}

function condition(type: string) {
  const at = { observedGeneration: 1, lastTransitionTime: '2020-01-02T03:04:05Z' }
  return { type, status: 'True', reason: 'ByTheOther', message: `${type}, says the other`, ...at }
}

/** Nothing that is another's is changed, whatever happens to ours beside it. */
export async function touchesNothingForeign(t: TestContext, scene: Scene): Promise<void> {
  await t.test('a Gateway of another controller, its class, and its entry in a route of ours', () => keepsEntries(scene))
  await t.test('a backend whose status another controller writes', () => keepsStatus(scene))
  await t.test("a Service that has a Gateway's name", () => keepsService(scene))
  await t.test('two Gateways of two namespaces with equal names inside', () => keepsApart(scene))
}

async function keepsEntries(scene: Scene): Promise<void> {
  const { cluster, read } = scene
  const listeners = [{ name: 'http', port: 80, protocol: 'HTTP' }]
  const theirs = object(gatewayApi, 'Gateway', 'theirs', { gatewayClassName: foreignClass, listeners })
  const [toThem, toUs] = [{ name: 'theirs' }, { name: 'agentgateway' }]
  const shared = (parentRefs: readonly unknown[], path = '/') =>
    object(gatewayApi, 'HTTPRoute', 'shared', {
      parentRefs,
      rules: [
        {
          matches: [{ path: { type: 'Exact', value: path } }],
          backendRefs: [{ group: 'gateway.kgateway.dev', kind: 'Backend', name: 'mcp-backend' }],
        },
      ],
    })
  await apply(scene, theirs, shared([toUs, toThem]))
  await writeStatus(scene, 'gateway', 'theirs', foreign.status)
  await writeStatus(scene, 'gatewayclass', foreignClass, foreign.status)
  await untilSaid(scene, [['HTTPRoute shared', 'Accepted True Accepted']])
  const add = [{ op: 'add', path: '/status/parents/0', value: foreign.entry }]
  await cluster.must('patch', 'httproute', 'shared', '-n', home, ...asOther, '--type=json', '-p', JSON.stringify(add))
  const look = () => Promise.all([read.get('Gateway', 'theirs', home), read.get('GatewayClass', foreignClass)])
  const before = await look()
  for (const object of before) {
    assert.deepEqual(statusOf(object).conditions?.[0], foreign.status.conditions[0])
    assert.doesNotMatch(JSON.stringify(object), new RegExp(controllerName), 'who wrote it is in its managedFields')
  }

  const parents = async () => statusOf(await read.get('HTTPRoute', 'shared', home)).parents
  for (const path of ['/a', '/b', '/c']) {
    await apply(scene, shared([toUs, toThem], path))
    await untilSaid(scene, [['HTTPRoute shared', 'Accepted True Accepted']])
    const [first, second, ...others] = (await parents()) ?? []
    assert.deepEqual([first, second?.controllerName, others], [foreign.entry, controllerName, []])
  }
  await apply(scene, shared([toThem]))
  await untilSaid(scene, [['HTTPRoute shared', 'no entry']])
  assert.deepEqual(await parents(), [foreign.entry])
  await cluster.must('delete', 'httproute', 'shared', '-n', home)
  await settled(scene)
  assert.deepEqual(await look(), before)
  const noneMade = async () =>
    assert.deepEqual([await read.get('Secret', 'theirs-mcplex', home), await read.get('Service', 'theirs', home)], [undefined, undefined])
  await noneMade()

  // As when its controller is installed anew; the name is one of those that mcplex makes where they are absent.
  await cluster.must('delete', 'gatewayclass', foreignClass)
  await settled(scene)
  assert.equal(await read.get('GatewayClass', foreignClass), undefined)
  assert.deepEqual(await read.get('Gateway', 'theirs', home), before[0])
  await noneMade()
  await apply(scene, {
    apiVersion: gatewayApi,
    kind: 'GatewayClass',
    metadata: { name: foreignClass },
    spec: { controllerName: 'example.com/controller' },
  })
}

async function keepsStatus(scene: Scene): Promise<void> {
  const { cluster, read } = scene
  const painted = (port: number) =>
    object('agentgateway.dev/v1alpha1', 'AgentgatewayBackend', 'painted', {
      mcp: { targets: [{ name: 'math', static: { host: 'math.example', port } }] },
    })
  const toPainted = object(gatewayApi, 'HTTPRoute', 'painted', {
    parentRefs: [{ name: 'agentgateway' }],
    rules: [
      {
        matches: [{ path: { type: 'Exact', value: '/painted' } }],
        backendRefs: [{ group: 'agentgateway.dev', kind: 'AgentgatewayBackend', name: 'painted' }],
      },
    ],
  })
  await apply(scene, painted(1), toPainted)
  await untilSaid(scene, [
    ['AgentgatewayBackend painted', 'Accepted True Accepted'],
    ['HTTPRoute painted', 'ResolvedRefs True ResolvedRefs'],
  ])
  // It has a class, `foreignClass`, beside ours.
  await writeStatus(scene, 'agentgatewaybackend', 'painted', foreign.status, 'agentgateway')
  const before = statusOf(await read.get('AgentgatewayBackend', 'painted', home))
  assert.deepEqual(before.conditions, foreign.status.conditions)
  for (const port of [2, 3]) {
    await apply(scene, painted(port))
    await settled(scene)
    assert.deepEqual(statusOf(await read.get('AgentgatewayBackend', 'painted', home)), before)
  }
  await cluster.must('delete', 'httproute', 'painted', '-n', home)
  await cluster.must('delete', 'agentgatewaybackend', 'painted', '-n', home)
}

async function keepsService(scene: Scene): Promise<void> {
  const { cluster, read } = scene
  await cluster.must('create', 'service', 'clusterip', 'edge', '--tcp=80', '-n', home)
  const before = await read.get('Service', 'edge', home)
  await apply(
    scene,
    object(gatewayApi, 'Gateway', 'edge', { gatewayClassName: 'agentgateway', listeners: [{ name: 'a', port: 80, protocol: 'HTTP' }] }),
  )
  const why = 'Service kgateway-system/edge exists and belongs to something else: rename the Gateway or that Service'
  await untilSaid(scene, [['Gateway edge', 'Programmed False NoResources', why]], ['a:80'], `${home}/edge`)
  await settled(scene)
  assert.deepEqual(await read.get('Service', 'edge', home), before)
  await cluster.must('delete', 'service', 'edge', '-n', home)
  await untilSaid(scene, [['Gateway edge', 'Programmed False AddressNotAssigned']])
  await cluster.must('delete', 'gateway', 'edge', '-n', home)
}

/** The namespaces of `keepsApart`, whose objects stay. */
export const [teamA, teamB] = ['team-a', 'team-b']

async function keepsApart(scene: Scene): Promise<void> {
  const { cluster, read } = scene
  for (const team of [teamA, teamB]) {
    await cluster.must('create', 'namespace', team)
    await letProvision(cluster, team)
    await apply(scene, ...teamObjects(team))
  }
  const expected = ['http:8080', 'mcp-route on http: / → mcp-backend (math)']
  for (const team of [teamA, teamB]) {
    await untilSaid(scene, [[`HTTPRoute ${team}/mcp-route`, 'ResolvedRefs True ResolvedRefs']], expected, `${team}/agentgateway`)
    assert.equal(
      (await documentOf(read, `${team}/agentgateway`))?.backends[`${team}/mcp-backend`]?.servers['math']?.http.host,
      `math.${team}.svc`,
    )
  }
  const texts = await Promise.all([home, teamA, teamB].map((namespace) => documentText(read, `${namespace}/agentgateway`)))
  assert.deepEqual(
    texts.map((text = '') => [home, teamA, teamB].filter((namespace) => text.includes(namespace))),
    [[home], [teamA], [teamB]],
  )
  const secrets = await Promise.all([home, teamA, teamB].map((namespace) => read.get('Secret', 'agentgateway-mcplex', namespace)))
  const parts = secrets.flatMap((secret) => (secret === undefined ? [] : [dataOf(secret)]))
  for (const part of ['sessions.keys', 'admin.token']) assert.equal(new Set(parts.map((data) => data[part])).size, 3, part)

  await cluster.must('delete', 'backends.gateway.kgateway.dev', 'mcp-backend', '-n', teamB)
  await untilSaid(
    scene,
    [
      [`HTTPRoute ${teamB}/mcp-route`, 'ResolvedRefs False BackendNotFound'],
      [`HTTPRoute ${teamA}/mcp-route`, 'ResolvedRefs True ResolvedRefs'],
    ],
    ['http:8080', 'mcp-route on http: / → 500: this route leads to something that is not there'],
    `${teamB}/agentgateway`,
  )
  const after = await Promise.all([home, teamA].map((namespace) => read.get('Secret', 'agentgateway-mcplex', namespace)))
  assert.deepEqual(after, secrets.slice(0, 2))
}

function teamObjects(team: string): readonly object[] {
  const http = { name: 'http', port: 8080, protocol: 'HTTP' }
  const toBackend = { group: 'gateway.kgateway.dev', kind: 'Backend', name: 'mcp-backend' }
  const math = { name: 'math', static: { host: `math.${team}.svc`, port: 80 } }
  return [
    object(gatewayApi, 'Gateway', 'agentgateway', { gatewayClassName: 'agentgateway', listeners: [http] }, team),
    object(gatewayApi, 'HTTPRoute', 'mcp-route', { parentRefs: [{ name: 'agentgateway' }], rules: [{ backendRefs: [toBackend] }] }, team),
    object('gateway.kgateway.dev/v1alpha1', 'Backend', 'mcp-backend', { type: 'MCP', mcp: { targets: [math] } }, team),
  ]
}

function object(apiVersion: string, kind: string, name: string, spec: object, namespace = home): object {
  return { apiVersion, kind, metadata: { name, namespace }, spec }
}

function apply({ cluster }: Scene, ...items: readonly object[]): Promise<string> {
  return cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
}

const asOther = ['--subresource=status', '--field-manager=the-other']

async function writeStatus({ cluster }: Scene, kind: string, name: string, status: object, manager = 'the-other'): Promise<void> {
  const where = kind === 'gatewayclass' ? [] : ['-n', home]
  const by = ['--subresource=status', `--field-manager=${manager}`]
  await cluster.must('patch', kind, name, ...where, ...by, '--type=merge', '-p', JSON.stringify({ status }))
}
