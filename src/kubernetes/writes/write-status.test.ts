import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../observe/observe.ts'
import { createControllerMetrics } from '../controller/controller-metrics.ts'
import { type DesiredStatus, type KubeObject, listAt, rawAt, slim } from '../objects/objects.ts'
import { conditionsIn, createFakeCluster } from './fake-cluster-for-test.ts'
import { createStatusWriter } from './write-status.ts'

const agentPath = '/apis/mcplex.dev/v1alpha1/namespaces/ns/agents/a'
const agent: KubeObject = { apiVersion: 'mcplex.dev/v1alpha1', kind: 'Agent', metadata: { name: 'a', namespace: 'ns' }, spec: {} }

function open(object: KubeObject = agent, path = agentPath, hasOthers = true) {
  const cluster = createFakeCluster()
  cluster.put(object)
  let nowMs = 0
  let known = cluster.get(path)
  const lines: string[] = []
  const log = createLog({
    level: 'warn',
    format: 'json',
    stream: { write: (line) => lines.push(line) > 0, on: () => undefined },
    color: false,
  })
  const writer = createStatusWriter({
    client: cluster.client(),
    controllerName: 'us',
    find: () => known,
    hasOthers: () => hasOthers,
    onWritten: () => {},
    log,
    metrics: createControllerMetrics(),
    now: () => nowMs,
    wallClock: () => 0,
  })
  const desired = (reason: string): DesiredStatus => {
    const current = known ?? object
    const observedGeneration = current.metadata.generation
    const conditions = [{ type: 'Accepted', status: 'True', reason, message: '', observedGeneration }]
    return { kind: 'whole', object: current, status: { conditions } }
  }
  return {
    cluster,
    writer,
    desired,
    lines() {
      log.flush()
      return lines
    },
    said: () => conditionsIn(cluster.get(path)?.['status']),
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
  assert.deepEqual(conditionsIn(cluster.get(agentPath)?.['status']), ['Accepted=True One'])
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
  assert.equal(rawAt(cluster.get(agentPath), 'status')['tools'], 3)
})

test('an object that is gone needs no status', async () => {
  const { cluster, write } = open()
  cluster.remove(agent)
  assert.deepEqual(await write('One'), [0, 'done'])
})

const backendPath = '/apis/agentgateway.dev/v1alpha1/namespaces/ns/agentgatewaybackends/a'
const backend: KubeObject = {
  apiVersion: 'agentgateway.dev/v1alpha1',
  kind: 'AgentgatewayBackend',
  metadata: { name: 'a', namespace: 'ns' },
}
/** As someone else has written it, of a generation. */
const writtenBy = (object: KubeObject, manager: string, observedGeneration: number): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, statusManagers: [manager] },
  status: { conditions: [{ type: 'Accepted', status: 'True', reason: 'Theirs', observedGeneration }] },
})

test('people and their tools own no status; other controllers do, of backends', async () => {
  const rows: readonly [object: KubeObject, path: string, manager: string, isOurs: boolean][] = [
    [agent, agentPath, 'kubectl-patch', true],
    [agent, agentPath, 'kgateway', true],
    [backend, backendPath, 'kubectl-patch', true],
    [backend, backendPath, 'agentgateway.dev/agentgateway', false],
  ]
  for (const [object, path, manager, isOurs] of rows) {
    const { write, follow, cluster, said, lines } = open(object, path)
    if (isOurs) assert.deepEqual(await write('Ours'), [0, 'done'])
    cluster.put(writtenBy(object, manager, 1))
    follow()
    const again = await write('Ours')
    assert.deepEqual([again?.[0], lines().length], isOurs ? [1000, 1] : [undefined, 1], manager)
    assert.deepEqual(said(), ['Accepted=True Theirs'])
    await write('Ours')
    assert.equal(lines().length, 1)
    assert.match(lines()[0] ?? '', isOurs ? /it is written over/ : /it is left alone/)
  }
})

test('a controller that is gone with its classes keeps no status', async () => {
  const { write, follow, cluster, said } = open(backend, backendPath, false)
  cluster.put(writtenBy(backend, 'agentgateway.dev/agentgateway', 1))
  follow()
  assert.deepEqual(await write('Ours'), [0, 'done'])
  assert.deepEqual(said(), ['Accepted=True Ours'])
})

test('a controller that has lagged behind a backend for a minute has left it to us', async () => {
  const { write, follow, cluster, pass, said } = open(backend, backendPath)
  const steps = [
    [{ a: 1 }, 1],
    [{ a: 2 }, 1],
    [{ a: 2 }, 3],
    [{ a: 3 }, 3],
    [{ a: 3 }, 3],
  ] as const
  // It has a minute each time it has caught up.
  for (const [spec, observed] of steps) {
    cluster.put({ ...writtenBy(backend, 'agentgateway', observed), spec })
    follow()
    assert.equal(await write('Ours'), undefined)
    pass(59_000 / 2)
    assert.equal(await write('Ours'), undefined)
  }
  pass(1000)
  assert.deepEqual(await write('Ours'), [0, 'done'])
  assert.deepEqual(said(), ['Accepted=True Ours'])
})

test('what another controller has left in a Gateway’s status goes, once', async () => {
  const path = '/apis/gateway.networking.k8s.io/v1/namespaces/ns/gateways/a'
  const object = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata: { name: 'a', namespace: 'ns' } }
  const { write, follow, cluster, said } = open(object, path)
  const theirs = rawAt(writtenBy(object, 'them', 1), 'status')
  const listeners = [{ name: 'gone', conditions: [] }]
  const painted = { type: 'Painted', status: 'True', reason: 'Theirs' }
  const conditions = [...listAt(theirs, 'conditions'), painted]
  const before = { ...writtenBy(object, 'them', 1), status: { addresses: [{ value: '1.2.3.4' }], conditions, listeners } }
  cluster.put(before)
  follow()
  // What they say meanwhile is not written over.
  cluster.put({ ...before, status: { ...before.status, listeners: [{ name: 'newer' }] } })
  assert.equal((await write('Ours'))?.[1], 'soon')
  assert.deepEqual(rawAt(cluster.get(path), 'status')['listeners'], [{ name: 'newer' }])
  follow()
  assert.deepEqual(await write('Ours'), [0, 'done'])
  const { addresses, listeners: left } = rawAt(cluster.get(path), 'status')
  assert.deepEqual([addresses, left, said()], [undefined, [], ['Accepted=True Ours', 'Painted=True Theirs']])
  follow()
  assert.equal(await write('Ours'), undefined)
  assert.deepEqual(cluster.writes, [`PATCH ${path}/status 409`, `PATCH ${path}/status 200`, `PATCH ${path}/status 200`])
})
