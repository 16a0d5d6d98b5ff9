import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openListener } from '../listen/listen.ts'
import { type CountingServer, openCounting, openTwoProcesses, type Plan, type Process, type Reply } from './two-processes-for-test.ts'

const plan: Plan = { keys: ['k'], servers: { legacy: 60, modern: undefined } }

/** Two processes before a server with two pods. */
async function open(t: TestContext) {
  const pods = [await openCounting('legacy', 404), await openCounting('legacy', 404)] as const
  const endpoints = pods.map(({ url }) => new URL(url).host)
  const both = await openTwoProcesses({ ...plan, endpoints }, 404, openListener)
  t.after(async () => {
    await both.stop()
    both.close()
    for (const pod of pods) pod.close()
  })
  let calls = 0
  const rpc = (at: Process, method: string, params: object, session: string | undefined) =>
    at.send('one', 'POST', { jsonrpc: '2.0', id: 1, method, params }, session === undefined ? {} : { 'mcp-session-id': session })
  return {
    both,
    pods,
    endpoints,
    async session(at: Process) {
      const params = { protocolVersion: '2025-11-25', capabilities: { sampling: {} }, clientInfo: { name: 'c', version: '1' } }
      return (await rpc(at, 'initialize', params, undefined)).session ?? assert.fail()
    },
    /** Calls the counting tool; gives how many calls there have been in the pod's session. */
    async count(at: Process, session: string) {
      const params = { name: 'l_x', arguments: { call: ++calls, ending: 'answer' } }
      return countIn(await rpc(at, 'tools/call', params, session))
    },
  }
}

function countIn({ body }: Reply): number {
  return JSON.parse(body.result?.content[0]?.text ?? assert.fail(JSON.stringify(body))).count
}

/** Which sessions of clients there are, by how often each was used. */
const used = ({ sessions }: CountingServer) => [...sessions.values()].filter(({ count }) => count > 0).map(({ count }) => count)

test('a client’s session stays at one endpoint, whichever process its calls reach', async (t) => {
  const { both, pods, session, count } = await open(t)
  const [first, second] = both.processes
  const clients = [await session(first), await session(second), await session(first), await session(second)]
  for (const n of [1, 3])
    for (const one of clients) {
      assert.equal(await count(first, one), n)
      assert.equal(await count(second, one), n + 1)
    }
  assert.deepEqual([...used(pods[0]), ...used(pods[1])], [4, 4, 4, 4])
  assert.ok(pods.every((pod) => used(pod).length > 0))
  assert.equal(both.legacy.lists(), 0)
  assert.equal((await second.send('one', 'DELETE', undefined, { 'mcp-session-id': clients[0] ?? '' })).status, 204)
})

test('other endpoints are taken in without a new server: its sessions go on, but for those of what has left', async (t) => {
  const { both, pods, endpoints, session, count } = await open(t)
  const [process] = both.processes
  const clients = [await session(process), await session(process)]
  for (const one of clients) assert.equal(await count(process, one), 1)
  const lists = () => [...pods, both.legacy].map((server) => server.lists())
  const before = lists()
  const [at] = endpoints
  assert.ok(at)
  await process.apply({ ...plan, endpoints: [at] })
  const counts = [await count(process, clients[0] ?? ''), await count(process, clients[1] ?? '')]
  assert.deepEqual(counts.toSorted(), [1, 2])
  assert.deepEqual(used(pods[0]).toSorted(), [1, 2])
  await process.apply({ ...plan, endpoints })
  for (const [i, one] of clients.entries()) assert.equal(await count(process, one), (counts[i] ?? 0) + 1)
  assert.deepEqual([lists(), used(both.legacy)], [before, []])
})

test('a session at a pod of which the other process has not heard yet is waited for there, and stays one', async (t) => {
  const { both, pods, endpoints, session, count } = await open(t)
  const [first, second] = both.processes
  await second.apply({ ...plan, endpoints: endpoints.slice(0, 1) })
  const known = await session(second)
  const fresh = await openCounting('legacy', 404)
  t.after(() => fresh.close())
  const more = { ...plan, endpoints: [new URL(fresh.url).host] }
  await first.apply(more)
  const late = await session(first)
  assert.equal(await count(first, late), 1)
  const counted = count(second, late)
  // By then it is waited for.
  for (const n of [1, 2, 3]) assert.equal(await count(second, known), n)
  await second.apply(more)
  assert.equal(await counted, 2)
  assert.equal(await count(first, late), 3)
  assert.deepEqual([used(fresh), [...used(pods[0]), ...used(pods[1])]], [[3], [3]])
})
