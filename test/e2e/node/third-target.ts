import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parse } from 'yaml'
import { textOf } from '../setup/clients.ts'
import { hasTool, type Listener, listenAll } from '../setup/listeners.ts'
import { until } from '../setup/wait.ts'
import { restartsOfPods, urlOfPost } from './reading.ts'
import type { Scene } from './scene.ts'
import { seed } from './the-post.ts'

const server = join(import.meta.dirname, 'third-server.yaml')
const [target, host, tool] = ['text-mcp-server', 'mcp-text-server.default.svc.cluster.local', 'text-mcp-server_shout']
/** From `kubectl apply` to the tool in the client's list. */
const atMostMs = 3000

/** One server more, and one entry in the Backend: clients that are connected have its tool, and no pod is started anew for it. */
export async function targetIsAdded(t: TestContext, { cluster }: Scene): Promise<void> {
  await cluster.applyFiles(server)
  await cluster.must('rollout', 'status', 'deployment/mcp-text-server', '--timeout=60s')
  await until('the Service', () => fetch(`http://${host}/mcp`))
  const listeners = await listenAll(t, await urlOfPost(cluster))
  const pods = await restartsOfPods(cluster)

  const backend = parse(await readFile(seed('backend'), 'utf8'))
  backend.spec.mcp.targets.push({ name: target, static: { host, port: 80, protocol: 'StreamableHTTP' } })
  await changes(t, listeners, 'added', () => cluster.apply(JSON.stringify(backend)))
  for (const { client } of listeners) {
    assert.equal(textOf(await client.callTool({ name: tool, arguments: { text: 'hello' } })), 'HELLO')
  }
  await changes(t, listeners, 'taken out', () => cluster.applyFiles(seed('backend')))
  for (const { client } of listeners) await assert.rejects(client.callTool({ name: tool, arguments: { text: 'hello' } }), /Unknown tool/)

  assert.deepEqual(await restartsOfPods(cluster), pods)
  await cluster.must('delete', '-f', server, '--wait=false')
}

/** Makes the change and waits until each listener was told and has, or no longer has, the tool in its list. */
async function changes(
  t: TestContext,
  listeners: readonly Listener[],
  how: 'added' | 'taken out',
  change: () => Promise<unknown>,
): Promise<void> {
  const before = listeners.map((listener) => listener.changes())
  const startedAt = performance.now()
  const sinceStart = () => Math.round(performance.now() - startedAt)
  const seen = listeners.map(async ({ name, client, changes }, index) => {
    await until(`list_changed for the ${name} client`, () => (changes() > (before[index] ?? 0) ? true : undefined))
    const toldMs = sinceStart()
    await until(`the change in the ${name} client's list`, () => hasTool(tool, how === 'added')(client))
    const seenMs = sinceStart()
    t.diagnostic(`${how}: the ${name} client is told ${toldMs} ms after the apply, and its list is so after ${seenMs} ms`)
    assert.ok(seenMs <= atMostMs, `${seenMs} ms`)
  })
  await Promise.all([change(), ...seen])
}
