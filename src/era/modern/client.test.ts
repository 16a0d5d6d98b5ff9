import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import fc from 'fast-check'
import { type Answer, anonymous, capability, type Head, type Message, noOffers, refusals, refuse, scanMessage } from '../../mcp/mcp.ts'
import { eraOf, shapeOf } from '../classify.ts'
import type { ClientRequest, Decoded, Endpoint } from '../client-era.ts'
import { metaKeys, modernVersion } from '../versions.ts'
import { createModernClient, discoverResult } from './client.ts'
import { encodeHeaderValue } from './header-value.ts'

const client = createModernClient({ name: 'mcplex', version: '1' })

const endpoint: Endpoint = {
  route: 'r',
  serverInfo: { name: 'mcplex', version: '1' },
  offers: () => noOffers,
  instructions: 'be "brief"',
  sessions: {
    draft: () => assert.fail(),
    start: () => assert.fail(),
    find: () => assert.fail(),
    end: () => assert.fail(),
    sweep: () => assert.fail(),
  },
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

function request(method: string, params: object = {}, headers: Readonly<Record<string, string>> = {}, meta: object = {}): ClientRequest {
  const body = { jsonrpc: '2.0', id: 'é', method, params: { ...params, _meta: { ..._meta, ...meta } } }
  const decoded = decode(body, { ...headersFor(method), ...headers })
  assert.ok(decoded.kind === 'request', JSON.stringify(decoded))
  return decoded
}

const toolCall = request('tools/call', { name: 't' }, { 'mcp-name': 't' })
const read = request('resources/read', { uri: 'a:b' }, { 'mcp-name': 'a:b' })

test('every method of the revision is a request, with what it is about', () => {
  for (const method of [
    'server/discover',
    'tools/list',
    'prompts/list',
    'resources/list',
    'resources/templates/list',
    'subscriptions/listen',
  ])
    assert.deepEqual([request(method).method, request(method).subject], [method, undefined])
  const rows: readonly [method: string, params: object, header: string | undefined, kind: string, name: string][] = [
    ['tools/call', { name: 'a' }, 'a', 'tools', 'a'],
    ['prompts/get', { name: 'é' }, '=?base64?w6k=?=', 'prompts', 'é'],
    ['resources/read', { uri: 'a:b' }, 'a:b', 'resources', 'a:b'],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'p' } }, undefined, 'prompts', 'p'],
    ['completion/complete', { ref: { type: 'ref/resource', uri: 'a:{b}' } }, 'anything', 'resources', 'a:{b}'],
  ]
  for (const [method, params, header, kind, name] of rows) {
    const { subject } = request(method, params, header === undefined ? {} : { 'mcp-name': header })
    assert.deepEqual([subject?.kind, subject?.name], [kind, name])
  }
})

test('a request carries what its client can do now, and the log messages that it wants', () => {
  const declared = { sampling: { tools: {} }, elicitation: {}, roots: { listChanged: true }, extensions: { other: {} } }
  const meta = { [metaKeys.capabilities]: declared, [metaKeys.logLevel]: 'notice' }
  const { capabilities, logLevel, dialect, version, session } = request('tools/list', {}, {}, meta)
  assert.equal(capabilities, capability.sampling | capability.samplingTools | capability.elicitationForm | capability.roots)
  assert.deepEqual([logLevel, dialect, version, session], ['notice', 'modern', modernVersion, undefined])
  assert.deepEqual([request('tools/list').capabilities, request('tools/list').logLevel], [0, undefined])
  for (const level of ['loud', 7, null, '']) {
    const claim = { ..._meta, [metaKeys.logLevel]: level }
    const decoded = decode({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: claim } }, headersFor('tools/list'))
    assert.ok(decoded.kind === 'refused' && decoded.reason === 'invalid-params', String(level))
  }
})

test('a retry brings its answers and its state; only to methods that may ask', () => {
  const brought = { inputResponses: { k: { action: 'accept' } }, requestState: 'a"b' }
  const resumed = { responses: '{"k":{"action":"accept"}}', state: 'a"b' }
  const name = { 'mcp-name': 'n' }
  for (const [method, key] of [
    ['tools/call', 'name'],
    ['prompts/get', 'name'],
    ['resources/read', 'uri'],
  ] as const) {
    const params = { [key]: 'n' }
    assert.deepEqual(request(method, { ...params, ...brought }, name).resume, resumed)
    assert.deepEqual(request(method, { ...params, requestState: '' }, name).resume, { responses: undefined, state: '' })
    assert.deepEqual(request(method, { ...params, inputResponses: {} }, name).resume, { responses: '{}', state: undefined })
    assert.equal(request(method, params, name).resume, undefined)
    for (const wrong of [
      { inputResponses: [] },
      { inputResponses: null },
      { requestState: 7 },
      { requestState: null, inputResponses: {} },
    ]) {
      const decoded = decode({ jsonrpc: '2.0', id: 1, method, params: { ...params, ...wrong, _meta } }, { ...headersFor(method), ...name })
      assert.ok(decoded.kind === 'refused' && decoded.reason === 'invalid-params', JSON.stringify(wrong))
    }
  }
  for (const method of ['tools/list', 'server/discover']) assert.equal(request(method, brought).resume, undefined)
  assert.equal(request('completion/complete', { ref: { type: 'ref/prompt', name: 'p' }, ...brought }).resume, undefined)
})

test('server/discover says what the servers offer together', () => {
  const sent = (offers: Partial<typeof noOffers>) => {
    const answer = discoverResult({ ...endpoint, offers: () => ({ ...noOffers, ...offers }) })
    return JSON.parse(client.encode(answer, request('server/discover'), 'q').body ?? '').result
  }
  assert.deepEqual(sent({}), {
    resultType: 'complete',
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { 'io.modelcontextprotocol/serverInfo': endpoint.serverInfo },
    supportedVersions: [modernVersion],
    capabilities: { tools: { listChanged: true } },
    instructions: 'be "brief"',
  })
  const all = { prompts: true, resources: true, completions: true, logging: true, subscribe: true, apps: '{"mimeTypes":["x"]}' }
  assert.deepEqual(sent(all).capabilities, {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    completions: {},
    logging: {},
    extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: ['x'] } },
  })
  assert.deepEqual(sent({ resources: true }).capabilities.resources, { listChanged: true })
})

const own = { 'io.modelcontextprotocol/serverInfo': { name: 'mcplex', version: '1' } }

function complete(result: string, more: Partial<Extract<Answer, { kind: 'complete' }>> = {}): Answer {
  return { kind: 'complete', result, isError: false, hasMeta: false, ...more }
}

test('answers carry resultType, and serverInfo where the server named none', () => {
  const rows: readonly [Answer, unknown][] = [
    [complete('{"content":[]}'), { resultType: 'complete', _meta: own, content: [] }],
    [complete('{"_meta":{"a":1}}', { hasMeta: true }), { resultType: 'complete', _meta: { ...own, a: 1 } }],
    [
      complete(`{"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"theirs","version":"2"}}}`, { hasMeta: true }),
      { resultType: 'complete', _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'theirs', version: '2' } } },
    ],
    [complete('{ \n }'), { resultType: 'complete', _meta: own }],
    [
      complete('{"tools":[]}', { cache: { ttlMs: 5, scope: 'private' } }),
      { resultType: 'complete', ttlMs: 5, cacheScope: 'private', _meta: own, tools: [] },
    ],
    [
      { kind: 'input-required', result: '{"inputRequests":{}}', state: 'a.b"' },
      { resultType: 'input_required', requestState: 'a.b"', _meta: own, inputRequests: {} },
    ],
    [
      { kind: 'input-required', result: '{}', state: 's' },
      { resultType: 'input_required', requestState: 's', _meta: own },
    ],
    [
      { kind: 'input-required', result: '{"inputRequests":{},"_meta":{}}', state: undefined },
      { resultType: 'input_required', inputRequests: {}, _meta: own },
    ],
  ]
  for (const [answer, result] of rows) {
    const { body = '' } = client.encode(answer, toolCall, 'q')
    assert.deepEqual(JSON.parse(body), { jsonrpc: '2.0', id: 'é', result })
  }
})

test('what was read carries valid cache hints, once each', () => {
  const rows: readonly [sent: string, ttlMs: number, cacheScope: string][] = [
    ['{"contents":[]}', 0, 'private'],
    ['{"contents":[],"ttlMs":7,"cacheScope":"public"}', 7, 'public'],
    ['{"ttlMs":1e3,"contents":[],"cacheScope":"private"}', 1000, 'private'],
    ['{"ttlMs":-1,"contents":[],"cacheScope":"public"}', 0, 'public'],
    ['{"ttlMs":1.5,"contents":[],"cacheScope":"shared"}', 0, 'private'],
    ['{"ttlMs":1e400,"contents":[],"cacheScope":null}', 0, 'private'],
    ['{"ttlMs":"9","contents":[]}', 0, 'private'],
    ['{"cacheScope":"public","contents":[]}', 0, 'public'],
  ]
  for (const [sent, ttlMs, cacheScope] of rows) {
    const body = client.encode(complete(sent), read, 'q').body ?? ''
    assert.deepEqual(JSON.parse(body).result, { resultType: 'complete', ttlMs, cacheScope, _meta: own, contents: [] }, sent)
    assert.deepEqual([body.split('"ttlMs"').length, body.split('"cacheScope"').length], [2, 2], sent)
  }
  const untouched = '{"content":[{"type":"text","text":"\\u00e9"}],"ttlMs":1.0}'
  assert.ok(client.encode(complete(untouched), toolCall, 'q').body?.endsWith(`,${untouched.slice(1)}}`))
})

test('an error keeps its code but for those that this revision must not send, and its HTTP status is 200 but for a missing capability or method', () => {
  for (const [code, sent, status] of [
    [-32602, -32602, 200],
    [-32002, -32602, 200],
    [-32042, -32603, 200],
    [-32021, -32021, 400],
    [-32601, -32601, 404],
    [17, 17, 200],
  ] as const) {
    const reply = client.encode({ kind: 'failed', error: { code, message: 'm', data: '{"a":1e400}' } }, toolCall, 'q')
    assert.deepEqual(
      [reply.status, reply.body],
      [status, `{"jsonrpc":"2.0","id":"é","error":{"code":${sent},"message":"m","data":{"a":1e400}}}`],
    )
  }
})

test('a resource that is not found is told by its URI', () => {
  const sent = (data: string | undefined, code = -32002) =>
    JSON.parse(client.encode({ kind: 'failed', error: { code, message: 'm', data } }, read, 'q').body ?? '').error
  for (const [data, expected] of [
    [undefined, { uri: 'a:b' }],
    ['"text"', { uri: 'a:b' }],
    ['{}', { uri: 'a:b' }],
    ['{"why":"gone"}', { why: 'gone', uri: 'a:b' }],
    ['{"uri":"own"}', { uri: 'own' }],
  ] as const)
    assert.deepEqual(sent(data), { code: -32602, message: 'm', data: expected })
  assert.deepEqual(sent('{}', -32602), { code: -32602, message: 'm', data: {} })
})

test('a capability that is missing is named, with HTTP status 400', () => {
  const requiredCapabilities = { sampling: {} }
  const reply = client.encode(refuse('missing-capability', 'm', { data: { requiredCapabilities } }), toolCall, 'q')
  assert.equal(reply.status, 400)
  assert.deepEqual(JSON.parse(reply.body ?? '').error, { code: -32021, message: 'm', data: { requiredCapabilities, requestId: 'q' } })
})

test('a failure of a server is the result of a tool, and the error of anything else', () => {
  const down = refuse('upstream-down', 'is down', { server: 's' })
  const { result } = JSON.parse(client.encode(down, toolCall, 'q').body ?? '')
  assert.deepEqual([result.resultType, result.isError, result.content], ['complete', true, [{ type: 'text', text: 's is down' }]])
  assert.equal(JSON.parse(client.encode(down, read, 'q').body ?? '').error.code, -32603)
})
