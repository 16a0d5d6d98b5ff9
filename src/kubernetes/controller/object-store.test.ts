import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createLog } from '../../observe/observe.ts'
import { nameKey, type Raw, refOf } from '../objects/objects.ts'
import { createFakeCluster } from '../writes/fake-cluster-for-test.ts'
import { createObjectStore } from './object-store.ts'

const slice = (name: string, service: string, rest: Raw = {}) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name, namespace: 'ns', labels: { 'kubernetes.io/service-name': service } },
  endpoints: [{ addresses: ['10.0.0.1'] }],
  ...rest,
})

test('changes of EndpointSlices are told with their Service, all others are not', async (t) => {
  const cluster = createFakeCluster()
  const told: string[] = []
  cluster.put(slice('first', 'math'))
  const store = createObjectStore(
    cluster.client(),
    {
      onChange: () => told.push('change'),
      onSlice: (service) => told.push(service),
      onStatus: (object) => told.push(`status ${nameKey(refOf(object))}`),
      onInterruption: () => undefined,
    },
    {
      random: () => 0.01,
      log: createLog({ level: 'error', format: 'json', stream: { write: () => true, on: () => undefined }, color: false }),
    },
  )
  t.after(() => store.close())
  /** What has been told when a further change has been. */
  const heard = async (change: () => void): Promise<readonly string[]> => {
    told.length = 0
    change()
    cluster.put({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'mark', namespace: 'ns', labels: { at: String(Math.random()) } } })
    while (!told.includes('change')) await setImmediate()
    // Each kind has a watch of its own.
    for (let turn = 0; turn < 20; turn++) await setImmediate()
    return told.filter((one) => one !== 'change')
  }
  while (store.missing().length > 0) await setImmediate()
  assert.ok(told.includes('ns/math'))
  assert.deepEqual([...store.all({ group: 'discovery.k8s.io', kind: 'EndpointSlice' })].length, 1)

  const rows: readonly [change: () => void, services: readonly string[]][] = [
    [() => cluster.put(slice('second', 'date')), ['ns/date']],
    [() => cluster.put(slice('first', 'math', { endpoints: [] })), ['ns/math']],
    // Nothing that counts.
    [() => cluster.put({ ...slice('first', 'math', { endpoints: [] }), spec: 1 }), ['status ns/first']],
    [() => cluster.put(slice('first', 'date', { endpoints: [] })), ['ns/date', 'ns/math']],
    [() => cluster.remove(slice('first', 'date')), ['ns/date']],
  ]
  for (const [change, services] of rows) assert.deepEqual(await heard(change), services)
})
