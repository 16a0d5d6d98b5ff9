import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createLog } from '../../observe/observe.ts'
import { type ObjectRef, refKey, slim } from '../objects/objects.ts'
import { createFakeCluster, refusal } from '../writes/fake-cluster-for-test.ts'
import { createNamedObjects } from './named-objects.ts'

const ref = (namespace: string, name: string): ObjectRef => ({ group: '', kind: 'Secret', namespace, name })
const many = (namespace: string, count: number, prefix = 's') =>
  Array.from({ length: count }, (_, index) => ref(namespace, `${prefix}${index}`))

async function open(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const cluster = createFakeCluster()
  const client = cluster.client()
  const log = createLog({ level: 'error', format: 'json', stream: { write: () => true, on: () => undefined }, color: false })
  let changes = 0
  const named = createNamedObjects(client, { random: () => 0.5, log, slim, onChange: () => changes++, patienceMs: 5000 })
  t.after(async () => {
    named.close()
    await client.close()
  })
  return {
    cluster,
    named,
    changes: () => changes,
    async settle() {
      for (let turn = 0; turn < 10; turn++) await setImmediate()
    },
  }
}

test('only an answer makes an object one that is missing', async (t) => {
  const { cluster, named, settle, changes } = await open(t)
  let isAway = true
  cluster.intercept = () => (isAway ? refusal(503, 'away') : undefined)
  const one = ref('ns', 'one')
  named.want([one])
  await settle()
  const look = () => [named.isUnknown(one), named.isAwaited(one), [...named.unknown().keys()]]
  assert.deepEqual(look(), [true, true, []])
  t.mock.timers.tick(4999)
  assert.deepEqual(look(), [true, true, []])
  t.mock.timers.tick(1)
  // From now on statuses tell of it.
  assert.deepEqual([look(), changes()], [[true, true, [refKey(one)]], 1])
  isAway = false
  t.mock.timers.tick(60_000)
  await settle()
  assert.deepEqual(look(), [false, false, []])
  assert.deepEqual([named.find(one), changes()], [undefined, 2])
  assert.equal(named.isUnknown(ref('ns', 'never named')), false)
})

test('a namespace has its share; what is beyond it is unknown, not missing, and nobody waits for it', async (t) => {
  const { named, settle } = await open(t)
  named.want([...many('evil', 150), ref('good', 'key')])
  await settle()
  assert.equal(named.unknown().size, 50)
  assert.match(named.unknown().get(refKey(ref('evil', 's149'))) ?? '', /^which is not read: more than 100 .* in its namespace: name fewer$/)
  assert.deepEqual([named.isUnknown(ref('evil', 's149')), named.isAwaited(ref('evil', 's149'))], [true, false])
  assert.deepEqual([named.isSynced(ref('good', 'key')), named.isUnknown(ref('good', 'key'))], [true, false])
})

test('what a namespace has followed counts as a part of its share', async (t) => {
  const { named, settle } = await open(t)
  named.want(many('evil', 60))
  await settle()
  named.want([...many('evil', 60, 'a'), ...many('evil', 60)])
  assert.equal(named.unknown().size, 20)
  assert.ok(many('evil', 60).every(named.isSynced))
})

test('what is followed stays so, whatever is named later and before it in the alphabet', async (t) => {
  const { named, settle } = await open(t)
  const known = [...many('evil', 100, 't'), ...many('good', 3)]
  named.want(known)
  await settle()
  named.want([...many('aaa', 100), ...many('bbb', 100), ...many('ccc', 100), ...many('evil', 100, 'a'), ...known])
  await settle()
  assert.ok(known.every(named.isSynced))
  assert.equal(named.unknown().size, 503 - 400)
  // What goes makes room.
  named.want(many('evil', 100, 'a'))
  await settle()
  assert.equal(named.unknown().size, 0)
})

test('where there is no more room those of namespaces with few go first', async (t) => {
  const { named, settle } = await open(t)
  const greedy = ['a', 'b', 'c', 'd', 'e'].flatMap((namespace) => many(namespace, 100))
  const modest = many('zoo', 5)
  named.want([...greedy, ...modest])
  await settle()
  assert.ok(modest.every(named.isSynced))
  assert.equal(named.unknown().size, 105)
})
