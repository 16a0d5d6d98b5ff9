import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../observe/observe.ts'
import { createControllerMetrics } from './controller-metrics.ts'
import { conditionsIn, createFakeCluster } from './fake-cluster-for-test.ts'
import type { DesiredStatus, KubeObject } from './model.ts'
import { rawAt } from './raw.ts'
import { slim } from './slim.ts'
import { createStatusWriter } from './write-status.ts'

const path = '/apis/mcplex.dev/v1alpha1/namespaces/ns/agents/a'
const agent = { apiVersion: 'mcplex.dev/v1alpha1', kind: 'Agent', metadata: { name: 'a', namespace: 'ns' }, spec: {} }
const silent = createLog({ level: 'error', format: 'json', stream: { write: () => true, on: () => undefined }, color: false })

function open() {
  const cluster = createFakeCluster()
  cluster.put(agent)
  let nowMs = 0
  let known = cluster.get(path)
  const writer = createStatusWriter({
    client: cluster.client(),
    controllerName: 'us',
    find: () => known,
    onWritten: () => {},
    log: silent,
    metrics: createControllerMetrics(),
    now: () => nowMs,
    wallClock: () => 0,
  })
  const desired = (reason: string): DesiredStatus => {
    const object = known ?? (agent as KubeObject)
    return { kind: 'whole', object, status: { conditions: [{ type: 'Accepted', status: 'True', reason, message: '' }] } }
  }
  return {
    cluster,
    writer,
    desired,
    follow() {
      known = slim(cluster.get(path))
    },
    pass(ms: number) {
      nowMs += ms
    },
    async write(reason: string) {
      const [task] = writer.tasks([desired(reason)])
      return task === undefined ? undefined : ([task.notBeforeMs, await task.run(new AbortController().signal)] as const)
    },
  }
}

test('what was written is known before a watch brings it', async () => {
  const { cluster, write, follow } = open()
  assert.deepEqual(await write('One'), [0, 'done'])
  assert.equal(await write('One'), undefined)
  // Over the version that came of it, so there is no conflict.
  assert.deepEqual(await write('Two'), [0, 'done'])
  assert.equal(await write('Two'), undefined)
  follow()
  assert.equal(await write('Two'), undefined)
  assert.deepEqual(
    cluster.writes.map((one) => one.split(' ')[2]),
    ['200', '200'],
  )
})

test('a version that is behind is refused, tried again, and then seen', async () => {
  const { cluster, write, follow } = open()
  cluster.put({ ...agent, spec: { prefix: 'Never' } })
  assert.deepEqual(await write('One'), [0, 'soon'])
  follow()
  assert.deepEqual(await write('One'), [0, 'done'])
  assert.deepEqual(conditionsIn(cluster.get(path)?.['status']), ['Accepted=True One'])
})

test('someone who keeps changing a status is met less and less often', async () => {
  const { cluster, write, follow, pass } = open()
  const waits: number[] = []
  await write('One')
  for (let round = 0; round < 9; round++) {
    cluster.put({ ...agent, status: { conditions: [] } })
    follow()
    // Not before its time.
    const early = await write('One')
    assert.ok(early)
    waits.push(early[0] ?? 0)
    pass((early[0] ?? 0) - waits.slice(0, -1).reduce((sum, one) => Math.max(sum, one), 0))
    assert.equal((await write('One'))?.[1], 'done')
  }
  const steps = waits.map((ms, index) => ms - (waits[index - 1] ?? 0))
  assert.deepEqual(steps, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000])
  assert.equal((await write('Two'))?.[1], 'done')
})

test('a status that the server keeps in another form is written once', async () => {
  const { cluster, write, follow } = open()
  cluster.intercept = (request) => {
    if ('method' in request && request.method === 'PUT') Object.assign(rawAt(request.body), { status: {} })
    return undefined
  }
  assert.deepEqual(await write('One'), [0, 'done'])
  follow()
  assert.equal(await write('One'), undefined)
})

test('members of a status that are not ours stay', async () => {
  const { cluster, write, follow } = open()
  cluster.put({ ...agent, status: { tools: 3 } })
  follow()
  await write('One')
  assert.equal(rawAt(cluster.get(path), 'status')['tools'], 3)
})

test('an object that is gone needs no status', async () => {
  const { cluster, write } = open()
  cluster.remove(agent)
  assert.deepEqual(await write('One'), [0, 'done'])
})
