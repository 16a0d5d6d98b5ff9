import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startGateway } from './gateway.ts'
import { realClients, type ToolCall } from './setup/clients.ts'
import { need } from './setup/part.ts'
import { python2 } from './setup/python.ts'
import { legacyServer, modernServer, pythonServer } from './setup/upstreams.ts'

const tools = [
  ...['new_echo', 'new_slow', 'new_hold', 'new_fail'],
  ...['old_echo', 'old_slow', 'old_hold', 'old_fail', 'old_whoami'],
  ...['older_echo', 'older_slow', 'older_hold', 'older_fail', 'older_whoami'],
  ...['both_reverse', 'both_total'],
]

const calls: readonly ToolCall[] = [
  { tool: 'new_echo', arguments: { message: 'grüße, 世界 "\\ \n' } },
  { tool: 'old_echo', arguments: { message: 'grüße, 世界 "\\ \n' } },
  { tool: 'older_echo', arguments: { message: 'hi' } },
  { tool: 'both_reverse', arguments: { text: 'stressed' } },
  { tool: 'both_total', arguments: { numbers: [2, 3] } },
  { tool: 'new_slow', arguments: { ms: 30 } },
  { tool: 'old_slow', arguments: { ms: 30 } },
  { tool: 'new_fail', arguments: {} },
  { tool: 'old_fail', arguments: {} },
  { tool: 'old_nothing', arguments: {} },
]

const answers = [
  { text: 'grüße, 世界 "\\ \n', isError: false },
  { text: 'grüße, 世界 "\\ \n', isError: false },
  { text: 'hi', isError: false },
  { text: 'desserts', isError: false },
  { text: '5', isError: false },
  { text: 'waited 30 ms', isError: false },
  { text: 'waited 30 ms', isError: false },
  { text: 'failed as asked', isError: true },
  { text: 'failed as asked', isError: true },
  { error: -32602 },
]

test('servers of all eras behind one endpoint give every client the same answers', async (t) => {
  const python = await need(t, python2())
  if (python === undefined) return
  const modern = await modernServer(t)
  const sse = await legacyServer(t, 'sse')
  const json = await legacyServer(t, 'json')
  const dual = await pythonServer(t, python)
  const servers = `servers:\n  new: ${modern.url}\n  old: ${sse.url}\n  older: ${json.url}\n  both: ${dual.url}\n`
  const gateway = await startGateway(t, servers)
  for (const [name, part] of Object.entries(realClients)) {
    await t.test(name, async (t) => {
      const client = await need(t, part())
      if (client === undefined) return
      assert.deepEqual(await client(gateway.url, calls), { tools, answers }, gateway.log().slice(-3000))
    })
  }
  await t.test('all of them at once', async (t) => {
    const parts = await Promise.all(Object.values(realClients).map((part) => need(t, part())))
    const seen = await Promise.all(parts.map((client) => client?.(gateway.url, calls) ?? { tools, answers }))
    for (const transcript of seen) assert.deepEqual(transcript, { tools, answers })
  })
})
