import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import fc from 'fast-check'
import { type Answer, anonymous, type Head, type Message, refusals, scanMessage } from '../../mcp/mcp.ts'
import { eraOf, shapeOf } from '../classify.ts'
import type { Decoded, Endpoint } from '../client-era.ts'
import { metaKeys, modernVersion } from '../versions.ts'
import { createModernClient, listenFilter } from './client.ts'
import { encodeHeaderValue } from './header-value.ts'

const client = createModernClient({ name: 'mcplex', version: '1' })

const endpoint: Endpoint = {
  route: 'r',
  serverInfo: { name: 'mcplex', version: '1' },
  instructions: 'be brief',
  sessions: { start: () => '', find: () => undefined, end() {}, sweep() {} },
}

function headOf(headers: Readonly<Record<string, string>>): Head {
  const header = (name: string) => headers[name]?.trim()
  return { method: 'POST', path: '/mcp', query: '', host: 'localhost', listener: 'test', remote: '127.0.0.1', header }
}

function scanned(body: unknown): Message {
  const message = scanMessage(JSON.stringify(body), { depth: 64, tokens: 10_000 })
  assert.ok(message.kind === 'message')
  return message
}

function decode(body: unknown, headers: Readonly<Record<string, string>>): Decoded {
  const message = scanned(body)
  const shape = shapeOf(message)
  assert.ok(shape.kind !== 'refused')
  const era = eraOf(headOf(headers), message, shape)
  return typeof era === 'string' ? client.decode(headOf(headers), message, shape, endpoint, anonymous) : era
}

const handler = createMcpHandler(() => new McpServer({ name: 'oracle', version: '1' }, { capabilities: { tools: {} } }))

/** The SDK's verdict on headers and version; undefined where it has nothing against them. */
async function theirs(body: unknown, headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  const request = new Request('http://localhost/mcp', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify(body),
  })
  const reply = await (await handler.fetch(request)).text()
  const code = Number(/"error":\{"code":(-\d+)/.exec(reply)?.[1])
  return code === -32020 || code === -32022 ? code : undefined
}

function ours(body: unknown, headers: Readonly<Record<string, string>>): number | undefined {
  const decoded = decode(body, headers)
  const code = decoded.kind === 'refused' ? refusals[decoded.reason].code : undefined
  return code === -32020 || code === -32022 ? code : undefined
}

const names = ['add', 'café', ' padded ', '=?base64?YWRk?=']
const nameHeaders = [
  ...names.map(encodeHeaderValue),
  'add ',
  '=?base64?YWRk?=',
  '=?base64?YWR?=',
  '=?base64?!!!!?=',
  '=?BASE64?YWRk?=',
  'Add',
]

test('standard headers are judged as the SDK judges them: presence, agreement with the body, Base64', async () => {
  const seen = new Map<number | undefined, number>()
  const params = fc.record({ name: fc.constantFrom(...names), arguments: fc.constant({}) }, { requiredKeys: [] })
  const sent = fc.record(
    {
      'mcp-protocol-version': fc.oneof({ weight: 6, arbitrary: fc.constant(modernVersion) }, fc.constantFrom('2027-01-01', '2025-11-25')),
      'mcp-method': fc.oneof({ weight: 6, arbitrary: fc.constant('tools/call') }, fc.constantFrom('tools/list', 'Tools/Call')),
      'mcp-name': fc.constantFrom(...nameHeaders),
    },
    { requiredKeys: [] },
  )
  const version = fc.oneof({ weight: 8, arbitrary: fc.constant(modernVersion) }, fc.constantFrom('2027-01-01', '2025-11-25'))
  const method = fc.oneof({ weight: 8, arbitrary: fc.constant('tools/call') }, fc.constantFrom('tools/list', 'server/discover'))
  await fc.assert(
    fc.asyncProperty(params, sent, version, method, async (own, headers, claimed, name) => {
      const _meta = { [metaKeys.version]: claimed, [metaKeys.capabilities]: {} }
      const body = { jsonrpc: '2.0', id: 1, method: name, params: { ...own, _meta } }
      const verdict = ours(body, headers)
      seen.set(verdict, (seen.get(verdict) ?? 0) + 1)
      assert.equal(verdict, await theirs(body, headers))
    }),
    { numRuns: 400 },
  )
  assert.equal(seen.size, 3)
})

const _meta = { [metaKeys.version]: modernVersion, [metaKeys.capabilities]: {} }
const headersFor = (method: string) => ({ 'mcp-protocol-version': modernVersion, 'mcp-method': method })

test('methods of earlier revisions, and those that are not served, are unknown, also with a whole envelope', () => {
  for (const method of [
    'initialize',
    'ping',
    'logging/setLevel',
    'resources/subscribe',
    'resources/unsubscribe',
    'toString',
    '__proto__',
  ]) {
    const decoded = decode({ jsonrpc: '2.0', id: 1, method, params: { _meta } }, headersFor(method))
    assert.ok(decoded.kind === 'refused' && decoded.reason === 'method-unknown', method)
  }
})

test('an unsupported version is told which are supported', () => {
  const claim = { ..._meta, [metaKeys.version]: '2027-01-01' }
  const decoded = decode({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: claim } }, {})
  assert.deepEqual(decoded.kind === 'refused' && [decoded.reason, decoded.data], [
    'version',
    { supported: [modernVersion], requested: '2027-01-01' },
  ])
})

test('a call without a string name is refused in band', () => {
  for (const params of [{ _meta }, { _meta, name: 7 }]) {
    const decoded = decode({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }, headersFor('tools/call'))
    assert.ok(decoded.kind === 'refused' && decoded.reason === 'invalid-params')
  }
})

test('answers carry resultType, and serverInfo where the server gave no _meta', () => {
  const own = { 'io.modelcontextprotocol/serverInfo': { name: 'mcplex', version: '1' } }
  const rows: readonly [Answer, unknown][] = [
    [
      { kind: 'complete', result: '{"content":[]}', isError: false, hasMeta: false },
      { resultType: 'complete', _meta: own, content: [] },
    ],
    [
      { kind: 'complete', result: '{"_meta":{"a":1}}', isError: false, hasMeta: true },
      { resultType: 'complete', _meta: { a: 1 } },
    ],
    [
      { kind: 'complete', result: '{ \n }', isError: false, hasMeta: false },
      { resultType: 'complete', _meta: own },
    ],
    [
      { kind: 'complete', result: '{"tools":[]}', isError: false, hasMeta: false, cache: { ttlMs: 5, scope: 'private' } },
      { resultType: 'complete', ttlMs: 5, cacheScope: 'private', _meta: own, tools: [] },
    ],
    [
      { kind: 'input-required', result: '{"requestState":"s"}' },
      { resultType: 'input_required', requestState: 's' },
    ],
  ]
  for (const [answer, result] of rows)
    assert.deepEqual(JSON.parse(client.encode(answer, '"é"', 'tools/call', 'q').body ?? ''), { jsonrpc: '2.0', id: 'é', result })
})

test('an error keeps its code but for those that this revision must not send, and its HTTP status is 200 but for a missing capability', () => {
  for (const [code, sent, status] of [
    [-32602, -32602, 200],
    [-32002, -32602, 200],
    [-32042, -32603, 200],
    [-32021, -32021, 400],
    [17, 17, 200],
  ] as const) {
    const reply = client.encode({ kind: 'failed', error: { code, message: 'm', data: '{"a":1e400}' } }, '1', 'tools/call', 'q')
    assert.deepEqual(
      [reply.status, reply.body],
      [status, `{"jsonrpc":"2.0","id":1,"error":{"code":${sent},"message":"m","data":{"a":1e400}}}`],
    )
  }
})

test('a listen filter is read strictly', () => {
  const read = (notifications: unknown) => listenFilter(scanned({ method: 'subscriptions/listen', params: { notifications } }))
  assert.deepEqual(read({ toolsListChanged: true }), { toolsListChanged: true })
  assert.deepEqual(read({ promptsListChanged: true, resourceSubscriptions: ['a:b'] }), { toolsListChanged: false })
  for (const wrong of [undefined, null, [], 'all', { toolsListChanged: 1 }, { resourceSubscriptions: 'a' }, { resourceSubscriptions: [7] }])
    assert.ok('kind' in read(wrong), JSON.stringify(wrong))
})
