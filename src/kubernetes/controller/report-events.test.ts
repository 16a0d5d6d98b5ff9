import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { type KubeObject, type Raw, textAt } from '../objects/objects.ts'
import { createFakeCluster } from '../writes/fake-cluster-for-test.ts'
import { createEventReporter } from './report-events.ts'

function open() {
  const cluster = createFakeCluster()
  let timeMs = 0
  let generation = 0
  const { signal } = new AbortController()
  const reporter = createEventReporter({ client: cluster.client(), controllerName: 'us', term: () => signal, wallClock: () => timeMs })
  const told = (namespace: string) =>
    cluster.writes.filter((write) => write.startsWith(`POST /api/v1/namespaces/${namespace}/events 201`)).length
  return {
    told,
    pass(ms: number) {
      timeMs += ms
    },
    /** So many changes for the worse. */
    async report(namespace: string, name: string, count: number) {
      for (let index = 0; index < count; index++) {
        generation++
        const object: KubeObject = {
          apiVersion: 'mcplex.dev/v1alpha1',
          kind: 'Agent',
          metadata: { name, namespace, uid: `${namespace}/${name}`, generation },
        }
        const conditions = [{ type: 'Accepted', status: 'False', reason: 'Invalid', message: `bad ${generation}` }]
        reporter.report(object, { ...object, status: { conditions } })
        for (let turn = 0; turn < 4; turn++) await setImmediate()
      }
      return told(namespace)
    },
  }
}

test('an object has ten Events told at once, then one a minute', async () => {
  const { report, pass } = open()
  assert.equal(await report('ns', 'a', 50), 10)
  assert.equal(await report('ns', 'b', 1), 11)
  pass(59_000)
  assert.equal(await report('ns', 'a', 5), 11)
  pass(1000)
  assert.equal(await report('ns', 'a', 5), 12)
  pass(3_600_000)
  assert.equal(await report('ns', 'a', 50), 22)
})

test('a namespace of many objects takes nothing from others', async () => {
  const { report, pass, told } = open()
  for (let index = 0; index < 30; index++) await report('evil', `a${index}`, 10)
  assert.equal(told('evil'), 60)
  assert.equal(await report('good', 'a', 3), 3)
  pass(60_000)
  for (let index = 30; index < 60; index++) await report('evil', `a${index}`, 1)
  assert.equal(told('evil'), 80)
})

test('a condition of which nothing is known any more is not told as better, one that is only there while it is bad is', async () => {
  const messages: string[] = []
  const reporter = createEventReporter({
    client: {
      async request({ body }) {
        messages.push(textAt(body, 'message') ?? '')
        return { kind: 'reply', status: 201, body: {}, retryAfterMs: undefined }
      },
      stream: async () => ({ kind: 'unreachable', text: 'no' }),
      close: async () => undefined,
    },
    controllerName: 'us',
    term: () => new AbortController().signal,
    wallClock: () => 0,
  })
  const object: KubeObject = { apiVersion: 'mcplex.dev/v1alpha1', kind: 'Agent', metadata: { name: 'a', namespace: 'ns', uid: 'u' } }
  const withStatus = (...conditions: readonly Raw[]): KubeObject => ({ ...object, status: { conditions } })
  const down = { type: 'Ready', status: 'False', reason: 'ServersDown', message: 'math is down' }
  const partly = { type: 'PartiallyInvalid', status: 'True', reason: 'Invalid', message: 'date is left out' }
  const rows: readonly [before: readonly Raw[], after: readonly Raw[], told: readonly string[]][] = [
    [[], [down], ['Ready: math is down']],
    [[down], [{ ...down, status: 'Unknown', reason: 'NoReport' }], []],
    [[down], [], []],
    [[down], [{ ...down, status: 'True', reason: 'ServersReady', message: 'all answer' }], ['Ready: all answer']],
    [[partly], [], ['no longer: PartiallyInvalid: date is left out']],
  ]
  for (const [before, after, told] of rows) {
    messages.length = 0
    reporter.report(withStatus(...before), withStatus(...after))
    for (let turn = 0; turn < 4; turn++) await setImmediate()
    assert.deepEqual(messages, told)
  }
})
