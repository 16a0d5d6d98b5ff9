import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { ClusterReader, ReadKind } from '../setup/cluster-reader.ts'
import { startController } from '../setup/controller.ts'
import type { ApiObject } from '../setup/kubectl.ts'
import { until } from '../setup/wait.ts'
import { controllerName, type Scene } from './scene.ts'
import { settled } from './settled.ts'

const kinds: readonly ReadKind[] = [
  ...(['GatewayClass', 'Gateway', 'HTTPRoute', 'Backend', 'AgentgatewayBackend', 'AgentgatewayPolicy', 'Event'] as const),
  ...(['Secret', 'Service', 'ServiceAccount', 'Role', 'RoleBinding', 'Deployment', 'PodDisruptionBudget'] as const),
]

/** Where nothing is to be said anew nothing is written, and nobody is told anything twice. */
export async function staysQuiet(t: TestContext, scene: Scene): Promise<void> {
  const { read, controller } = scene
  await settled(scene)
  const before = await versions(read)
  assert.ok(before.size > 30, `${[...before.keys()]}`)

  await t.test('many translations of what is as it was write nothing', async () => {
    const written = () => controller.metric('mcplex_controller_writes_total', ' status"')
    const count = await written()
    const turns = 5
    for (let turn = 0; turn < turns; turn++) await settled(scene)
    assert.deepEqual(await versions(read), before)
    assert.equal((await written()) - count, turns, 'the status of the witness alone, once a turn')
  })

  await t.test('Events tell people, each once', async () => {
    const events = (await read.list('Event')).filter(isOurs)
    const said = new Set(events.map((event) => `${event.involvedObject.kind} ${event.involvedObject.name} ${event.type} ${event.reason}`))
    for (const one of [
      'HTTPRoute mcp-route Warning BackendNotFound',
      'HTTPRoute mcp-route Normal ResolvedRefs',
      'Backend mcp-backend Warning Invalid',
    ])
      assert.ok(said.has(one), `${one} is not among\n${[...said].join('\n')}`)
    assert.deepEqual([...new Set(events.map(({ count }) => count))], [1])
  })

  await t.test('nor does a controller that is started anew', async (t) => {
    await controller.stop()
    assert.deepEqual((await controller.child.finished).code, 0, controller.log().slice(-2000))
    const next = await startController(t, scene.cluster)
    await until('the lead taken', async () => ((await next.metric('mcplex_controller_is_leader')) === 1 ? true : undefined))
    for (let turn = 0; turn < 2; turn++) await settled({ ...scene, controller: next })
    assert.deepEqual(await versions(read), before)
  })
}

/** By kind and name, of all but what the test itself and Kubernetes' own controllers change. */
async function versions(read: ClusterReader): Promise<ReadonlyMap<string, string>> {
  const lists = await Promise.all(kinds.map(async (kind) => (await read.list(kind)).filter((object) => kind !== 'Event' || isOurs(object))))
  const objects = lists.flatMap((list, index) => list.map((object) => ({ kind: kinds[index], ...object.metadata })))
  return new Map(
    objects.flatMap(({ kind, namespace = '', name, resourceVersion }) => {
      const key = `${kind} ${namespace}/${name}`
      return key === 'Service default/mcp-math-server' || name.startsWith('witness.') ? [] : [[key, resourceVersion]]
    }),
  )
}

interface Event extends ApiObject {
  readonly source?: { readonly component?: string }
  readonly involvedObject: { readonly kind: string; readonly name: string }
  readonly type: string
  readonly reason: string
  readonly count: number
}

function isOurs(event: ApiObject): event is Event {
  return (event as Event).source?.component === controllerName
}
