import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Gateway, startGateway } from './gateway.ts'
import { connect1, connect2, textOf } from './setup/clients.ts'
import { legacyServer, modernServer } from './setup/upstreams.ts'
import { until } from './setup/wait.ts'
import { head, post, type WireReply, wire } from './setup/wire.ts'

const prefix = 'io.modelcontextprotocol'
const envelope = { [`${prefix}/protocolVersion`]: '2026-07-28', [`${prefix}/clientCapabilities`]: {} }
const list = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/list', params: { _meta: envelope } })
const modern = (method: string, name?: string) => ({ 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, 'mcp-name': name })
const asList = modern('tools/list')
const request = (method: string, params: object = {}) =>
  JSON.stringify({ jsonrpc: '2.0', id: 7, method, params: { _meta: envelope, ...params } })
const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 7,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
})
const megabytes20 = 20 * 1024 * 1024

interface BadInput {
  readonly name: string
  readonly send: (port: number) => Promise<WireReply>
  readonly status: number
  /** The JSON-RPC error's code; absent where the edge need not speak JSON-RPC. */
  readonly code?: number
  readonly says?: RegExp
  readonly header?: readonly [name: string, value: RegExp]
}

const table: readonly BadInput[] = [
  { name: 'broken JSON', send: (port) => post(port, list.slice(0, -3), asList), status: 400, code: -32700 },
  { name: 'an empty body', send: (port) => post(port, '', asList), status: 400, code: -32700 },
  { name: 'text after the JSON', send: (port) => post(port, `${list}{}`, asList), status: 400, code: -32700 },
  { name: 'a BOM', send: (port) => post(port, `\uFEFF${list}`, asList), status: 400, code: -32700 },
  {
    name: 'broken UTF-8',
    send: (port) => post(port, Buffer.from(list.replace('{}', '{"x":"\xFF"}'), 'latin1'), asList),
    status: 400,
    code: -32700,
  },
  { name: 'a repeated key', send: (port) => post(port, `{"method":"tools/call",${list.slice(1)}`, asList), status: 400, code: -32600 },
  {
    name: 'a key repeated by an escape',
    send: (port) => post(port, `{"\\u006dethod":"tools/call",${list.slice(1)}`, asList),
    status: 400,
    code: -32600,
  },
  {
    name: 'a key repeated deep in arguments',
    send: (port) =>
      post(
        port,
        request('tools/call', { name: 'new_echo', arguments: { message: 'A' } }).replace('"A"', '"A","message":"B"'),
        modern('tools/call', 'new_echo'),
      ),
    status: 400,
    code: -32600,
  },
  {
    name: '100,000 levels of arrays',
    send: (port) => post(port, list.replace('{}', `${'['.repeat(100_000)}${']'.repeat(100_000)}`), asList),
    status: 400,
    code: -32600,
  },
  { name: 'a batch', send: (port) => post(port, `[${list}]`, asList), status: 400, code: -32600 },
  { name: 'a message that is no object', send: (port) => post(port, '7'), status: 400, code: -32600 },
  {
    name: '20 MB, announced',
    send: (port) =>
      wire(
        port,
        head('POST', '/mcp', { host: `127.0.0.1:${port}`, 'content-type': 'application/json', 'content-length': String(megabytes20) }),
      ),
    status: 413,
  },
  { name: '20 MB, sent', send: (port) => post(port, `{"x":"${'x'.repeat(megabytes20)}"}`, asList), status: 413 },
  {
    name: '20 MB, sent in chunks',
    send: (port) => {
      const chunk = 'x'.repeat(0x10000)
      const start = head('POST', '/mcp', { host: `127.0.0.1:${port}`, 'content-type': 'application/json', 'transfer-encoding': 'chunked' })
      return wire(port, start, ...Array.from({ length: 320 }, () => `10000\r\n${chunk}\r\n`), '0\r\n\r\n')
    },
    status: 413,
  },
  { name: 'an unknown path', send: (port) => post(port, list, asList, '/nope'), status: 404, says: /\/mcp\b/ },
  { name: 'Accept: text/html', send: (port) => post(port, list, { ...asList, accept: 'text/html' }), status: 406 },
  { name: 'Content-Type: text/plain', send: (port) => post(port, list, { ...asList, 'content-type': 'text/plain' }), status: 415 },
  { name: 'PUT', send: (port) => wire(port, head('PUT', '/mcp', { host: `127.0.0.1:${port}` })), status: 405, header: ['allow', /POST/] },
  { name: 'an evil Origin', send: (port) => post(port, list, { ...asList, origin: 'http://evil.example' }), status: 403 },
  { name: 'an opaque Origin', send: (port) => post(port, list, { ...asList, origin: 'null' }), status: 403 },
  {
    name: 'an Origin that begins well',
    send: (port) => post(port, list, { ...asList, origin: 'http://localhost.evil.example' }),
    status: 403,
  },
  { name: 'an evil Host', send: (port) => post(port, list, { ...asList, host: 'evil.example' }), status: 403 },
  { name: 'no Host', send: (port) => post(port, list, { ...asList, host: undefined }), status: 400 },
  { name: 'two Hosts', send: (port) => post(port, list, { ...asList, Host: 'evil.example' }), status: 400 },
  {
    name: 'two Origins',
    send: (port) => post(port, list, { ...asList, origin: 'http://localhost', Origin: 'http://evil.example' }),
    status: 400,
  },
  {
    name: '2,000 headers',
    send: (port) => post(port, list, { ...Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`x-${i}`, 'y'])), ...asList }),
    status: 431,
  },
  { name: 'an evil Origin behind 1,100 headers', send: (port) => post(port, list, { ...manyThenOrigin(1100), ...asList }), status: 431 },
  { name: 'a header of 64 KB', send: (port) => post(port, list, { ...asList, 'x-long': 'y'.repeat(65_536) }), status: 431 },
  {
    name: 'a coded body',
    send: (port) => post(port, list, { ...asList, 'content-length': undefined, 'transfer-encoding': 'gzip, chunked' }),
    status: 501,
  },
  {
    name: 'an unknown session',
    send: (port) =>
      post(port, '{"jsonrpc":"2.0","id":7,"method":"tools/list"}', { 'mcp-session-id': 'nope', 'mcp-protocol-version': '2025-11-25' }),
    status: 404,
  },
  {
    name: 'an unknown version',
    send: (port) => post(port, list.replace('2026-07-28', '2099-01-01'), { ...asList, 'mcp-protocol-version': '2099-01-01' }),
    status: 400,
    code: -32022,
  },
  { name: 'a header that differs from the body', send: (port) => post(port, list, modern('tools/call')), status: 400, code: -32020 },
  { name: 'an unknown method, modern', send: (port) => post(port, request('tools/nope'), modern('tools/nope')), status: 404, code: -32601 },
  {
    name: 'an unknown tool, modern',
    send: (port) => post(port, request('tools/call', { name: 'new_nope', arguments: {} }), modern('tools/call', 'new_nope')),
    status: 200,
    code: -32602,
    says: /Unknown tool: new_nope/,
  },
  {
    name: 'an unknown method, legacy',
    send: (port) => inSession(port, '{"jsonrpc":"2.0","id":7,"method":"tools/nope"}'),
    status: 200,
    code: -32601,
  },
  {
    name: 'an unknown tool, legacy',
    send: (port) => inSession(port, '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"add","arguments":{}}}'),
    status: 200,
    code: -32602,
    says: /Unknown tool: add/,
  },
  {
    name: 'a batch in 2025-11-25',
    send: (port) => inSession(port, '[{"jsonrpc":"2.0","id":7,"method":"tools/list"}]'),
    status: 400,
    code: -32600,
  },
]

test('bad requests get their replies, and only they do', async (t) => {
  const [oneModern, oneLegacy] = [await modernServer(t), await legacyServer(t)]
  const gateway = await startGateway(t, `servers:\n  new: ${oneModern.url}\n  old: ${oneLegacy.url}\n`)
  for (const { name, send, status, code, says, header } of table) {
    await t.test(name, async () => {
      const reply = await send(gateway.port)
      const shown = `${JSON.stringify(reply)}\n${gateway.log().slice(-1000)}`
      assert.equal(reply.status, status, shown)
      const { error } = payload(reply)
      if (code !== undefined) assert.equal(error?.code, code, shown)
      if (says !== undefined) assert.match(reply.body, says)
      if (header !== undefined) assert.match(reply.headers[header[0]] ?? '', header[1])
      const requestId = error?.data?.requestId
      if (typeof requestId !== 'string') assert.fail(`no requestId: ${shown}`)
      await until('the refusal in the log', () => (gateway.log().includes(`"requestId":"${requestId}"`) ? true : undefined))
      assert.doesNotMatch(reply.body, /node:|\bat .*\.(ts|js):\d/, 'no stack')
    })
  }
  await goodRequestsPass(t, gateway)
})

async function goodRequestsPass(t: TestContext, gateway: Gateway): Promise<void> {
  const { port } = gateway
  for (const [name, more] of [
    ['from a page of another local port', { origin: 'http://localhost:6274' }],
    ['by the name localhost', { host: `localhost:${port}` }],
  ] as const) {
    await t.test(`a good request ${name}`, async () => {
      const reply = await post(port, list, { ...asList, ...more })
      assert.equal(reply.status, 200, JSON.stringify(reply))
      if ('origin' in more) assert.equal(reply.headers['access-control-allow-origin'], more.origin)
    })
  }
  await t.test('clients of both eras after all that', async () => {
    for (const client of [await connect1(gateway.url), await connect2(gateway.url, { pin: '2026-07-28' })]) {
      for (const name of ['new_echo', 'old_echo']) assert.equal(textOf(await client.callTool({ name, arguments: { message: 'hi' } })), 'hi')
      await client.close()
    }
  })
}

/** Posts in a legacy session that is opened for it. */
async function inSession(port: number, body: string): Promise<WireReply> {
  const opened = await post(port, initialize)
  assert.equal(opened.status, 200, JSON.stringify(opened))
  return post(port, body, { 'mcp-session-id': opened.headers['mcp-session-id'], 'mcp-protocol-version': '2025-11-25' })
}

interface Payload {
  readonly error?: { readonly code?: unknown; readonly data?: { readonly requestId?: unknown } }
}

/** The JSON-RPC message in a reply, plain or in server-sent events; empty where there is none. */
function payload({ headers, body }: WireReply): Payload {
  const text = headers['content-type']?.startsWith('text/event-stream') ? (/^data: (.*)$/m.exec(body)?.[1] ?? '') : body
  return headers['content-type'] === undefined || text === '' ? {} : (JSON.parse(text) as Payload)
}

function manyThenOrigin(count: number): Record<string, string> {
  return { ...Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 'y'])), origin: 'http://evil.example' }
}
