import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport as TransportTypeV1 } from '@modelcontextprotocol/sdk/shared/transport.js'
import { type Demo, startDemo } from './start-demo.ts'

let demo: Demo
before(async () => {
  demo = await startDemo(() => Date.UTC(2026, 6, 28, 23, 59))
})
after(() => demo.close())

const info = { name: 'test', version: '1' }

test('math serves a client pinned to 2026-07-28: discover, list, call', async () => {
  const client = new Client(info, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
  await client.connect(new StreamableHTTPClientTransport(new URL(demo.urls.math)))
  const { tools } = await client.listTools()
  assert.deepEqual(
    tools.map((tool) => tool.name),
    ['add', 'multiply'],
  )
  const sum = await client.callTool({ name: 'add', arguments: { a: 2, b: 3.5 } })
  assert.deepEqual([sum.isError, sum.content], [false, [{ type: 'text', text: '5.5' }]])
  const product = await client.callTool({ name: 'multiply', arguments: { a: 4, b: -2 } })
  assert.deepEqual(product.content, [{ type: 'text', text: '-8' }])
  await assert.rejects(client.callTool({ name: 'nope', arguments: {} }), /Unknown tool: nope/)
  await client.close()
})

test('date serves handshake clients of both SDKs, with a session that DELETE ends', async () => {
  const second = new Client(info, { versionNegotiation: { mode: 'legacy' } })
  const transport = new StreamableHTTPClientTransport(new URL(demo.urls.date))
  await second.connect(transport)
  const first = new ClientV1(info)
  await first.connect(new TransportV1(new URL(demo.urls.date)) as TransportTypeV1)
  for (const client of [first, second]) {
    assert.equal(client.getServerVersion()?.name, 'date')
    await client.ping()
    const { tools } = await client.listTools()
    assert.deepEqual(
      tools.map((tool) => tool.name),
      ['get_current_date'],
    )
    const today = await client.callTool({ name: 'get_current_date', arguments: {} })
    assert.deepEqual([today.isError, today.content], [false, [{ type: 'text', text: '2026-07-28' }]])
  }
  await transport.terminateSession()
  await assert.rejects(second.ping())
  await first.close()
  await second.close()
})

test('arguments that break the input schema give an isError result that says how', async () => {
  const client = new Client(info, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
  await client.connect(new StreamableHTTPClientTransport(new URL(demo.urls.math)))
  for (const [args, text] of [
    [{ a: 1 }, 'b is missing'],
    [{ a: 1, b: '2' }, 'b must be a number'],
    [{ a: 1, b: 2, c: 3 }, 'c is not an argument of add'],
  ] as const) {
    const result = await client.callTool({ name: 'add', arguments: args })
    assert.deepEqual([result.isError, result.content], [true, [{ type: 'text', text }]])
  }
  await client.close()
})

const envelope = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }
const modernHeaders = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }

async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<[number, number | undefined]> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const reply = await fetch(url, { method: 'POST', body: text, headers: { 'content-type': 'application/json', ...headers } })
  const json = (await reply.text()) || '{}'
  return [reply.status, JSON.parse(json).error?.code]
}

test('what the eras do not allow is answered with their status and code', async () => {
  const { math, date } = demo.urls
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: envelope } }
  const rows: readonly [string, Promise<[number, number | undefined]>, [number, number | undefined]][] = [
    ['modern list', post(math, list, modernHeaders), [200, undefined]],
    ['no envelope', post(math, { ...list, params: {} }, modernHeaders), [400, -32602]],
    ['another version', post(math, list, { ...modernHeaders, 'mcp-protocol-version': '2025-11-25' }), [400, -32020]],
    ['another method in the header', post(math, list, { ...modernHeaders, 'mcp-method': 'tools/call' }), [400, -32020]],
    ['modern has no ping', post(math, { ...list, method: 'ping' }, { ...modernHeaders, 'mcp-method': 'ping' }), [404, -32601]],
    ['not JSON', post(math, '{', modernHeaders), [400, -32600]],
    ['batch', post(math, [list], modernHeaders), [400, -32600]],
    ['from a web page', post(math, list, { ...modernHeaders, origin: 'http://evil.example' }), [403, undefined]],
    ['too large', post(math, 'x'.repeat(70_000)), [413, undefined]],
    ['legacy without a session', post(date, { jsonrpc: '2.0', id: 1, method: 'tools/list' }), [400, -32600]],
    ['legacy with a foreign session', post(date, { jsonrpc: '2.0', id: 1, method: 'ping' }, { 'mcp-session-id': 'x' }), [404, -32600]],
  ]
  for (const [name, reply, expected] of rows) assert.deepEqual(await reply, expected, name)
  for (const url of [math, date]) {
    const reply = await fetch(url)
    assert.deepEqual([reply.status, reply.headers.get('allow')], [405, 'POST'])
  }
})
