import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RealClient, realClients, type ToolCall } from './setup/clients.ts'
import { hasTool, listenLegacy, listenModern } from './setup/listeners.ts'
import { need } from './setup/part.ts'
import { python1, python2 } from './setup/python.ts'
import { control, legacyServer, modernServer, pythonServer, seedServer } from './setup/upstreams.ts'
import { until } from './setup/wait.ts'

const echo: readonly ToolCall[] = [{ tool: 'echo', arguments: { message: 'hi' } }]
const hi = [{ text: 'hi', isError: false }]

test('the real servers are what the tests take them for', async (t) => {
  const modern = await modernServer(t)
  const json = await legacyServer(t, 'json')
  const sse = await legacyServer(t, 'sse')
  const python = await need(t, python2())
  if (python === undefined) return
  const dual = await pythonServer(t, python)
  for (const [name, part] of Object.entries(realClients)) {
    await t.test(name, async (t) => {
      const client = await need(t, part())
      if (client === undefined) return
      const speaks = { modern: !/ 1|legacy/.test(name), legacy: !name.endsWith('modern') }
      await worksOnlyWhere(speaks.modern, client, modern.url, ['echo', 'slow', 'hold', 'fail'])
      for (const server of [json, sse]) await worksOnlyWhere(speaks.legacy, client, server.url, ['echo', 'slow', 'hold', 'fail', 'whoami'])
      const { tools, answers } = await client(dual.url, [{ tool: 'total', arguments: { numbers: [2, 3] } }])
      assert.deepEqual({ tools, answers }, { tools: ['reverse', 'total'], answers: [{ text: '5', isError: false }] })
    })
  }
})

test("a strict client can't read the seed servers' results directly", async (t) => {
  const python = await need(t, python1())
  if (python === undefined) return
  const math = await seedServer(t, 'math', python)
  for (const name of [
    'TypeScript SDK 1',
    'TypeScript SDK 2, legacy',
    'TypeScript SDK 2, auto',
    'Python mcp 1.30',
    'Python mcp 2.3, auto',
  ]) {
    await t.test(name, async (t) => {
      const client = await need(t, realClients[name]?.() ?? Promise.reject(new Error(name)))
      if (client === undefined) return
      assert.deepEqual((await client(math.url, [])).tools, ['add', 'multiply'])
      await assert.rejects(client(math.url, [{ tool: 'add', arguments: { a: 2, b: 3 } }]), /content|valid/i)
    })
  }
})

test('the fixtures announce a change of their tools', async (t) => {
  const [modern, legacy] = [await modernServer(t), await legacyServer(t)]
  for (const [server, listener] of [
    [modern, await listenModern(t, modern.url)],
    [legacy, await listenLegacy(t, legacy.url)],
  ] as const) {
    await control(server, '/extra')
    await until('list_changed', () => (listener.changes() === 1 ? true : undefined))
    assert.ok(await hasTool('extra', true)(listener.client))
  }
})

async function worksOnlyWhere(speaks: boolean, client: RealClient, url: string, tools: readonly string[]): Promise<void> {
  if (speaks) assert.deepEqual(await client(url, echo), { tools, answers: hi })
  else await assert.rejects(client(url, echo), /./)
}
