import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Answer,
  anonymous,
  type Capabilities,
  capability,
  type Head,
  logLevels,
  noOffers,
  refuse,
  scanMessage,
} from '../../mcp/mcp.ts'
import { shapeOf } from '../classify.ts'
import type { ClientRequest, Decoded, Endpoint } from '../client-era.ts'
import { createSealer } from '../seal.ts'
import { legacyVersions } from '../versions.ts'
import { encodeInitialize, legacyClient } from './client.ts'
import { createSealedSessions } from './sealed-sessions.ts'

const sealer = createSealer('session', [{ id: 'k', secret: randomBytes(32) }], randomBytes)
const sessions = createSealedSessions(sealer, { idleMs: 1000, absoluteMs: 1000 }, () => 0, randomBytes)
const endpoint: Endpoint = {
  route: 'r',
  serverInfo: { name: 'mcplex', version: '1' },
  offers: () => noOffers,
  instructions: undefined,
  sessions,
}

function open(version: string, capabilities: Capabilities = 0): { readonly 'mcp-session-id': string } {
  return { 'mcp-session-id': sessions.start(sessions.draft(version, capabilities), new Map(), { route: 'r', caller: anonymous.id }) }
}

function decodeText(text: string, headers: Readonly<Record<string, string>> = {}): Decoded {
  const head: Head = {
    method: 'POST',
    path: '/mcp',
    query: '',
    host: 'localhost',
    listener: 'test',
    remote: '127.0.0.1',
    header: (name) => headers[name],
  }
  const message = scanMessage(text, { depth: 64, tokens: 10_000 })
  assert.ok(message.kind === 'message')
  const shape = shapeOf(message)
  assert.ok(shape.kind !== 'refused', JSON.stringify(shape))
  return legacyClient.decode(head, message, shape, endpoint, anonymous)
}

function decode(body: object, headers: Readonly<Record<string, string>> = {}): Decoded {
  return decodeText(JSON.stringify({ jsonrpc: '2.0', ...body }), headers)
}

function request(method: string, params?: object, headers: Readonly<Record<string, string>> = {}): ClientRequest {
  const decoded = decode({ id: 7, method, params }, headers)
  assert.ok(decoded.kind === 'request', JSON.stringify(decoded))
  return decoded
}

function initialize(params: object): Extract<Decoded, { kind: 'initialize' }> {
  const decoded = decode({ id: 1, method: 'initialize', params })
  assert.ok(decoded.kind === 'initialize', JSON.stringify(decoded))
  return decoded
}

const reasonOf = (decoded: Decoded) => (decoded.kind === 'refused' ? decoded.reason : decoded.kind)

test('a known revision is settled, any other becomes the newest; without one there is no session', () => {
  for (const version of legacyVersions) assert.equal(initialize({ protocolVersion: version }).version, version)
  for (const version of ['2026-07-28', '1999-01-01', '']) assert.equal(initialize({ protocolVersion: version }).version, '2025-11-25')
  for (const params of [undefined, {}, { protocolVersion: 7 }])
    assert.equal(reasonOf(decode({ id: 1, method: 'initialize', params })), 'bad-params')
})

test('a client declares what its revision knows', () => {
  const { sampling, samplingTools, samplingContext, elicitationForm, elicitationUrl, roots, rootsChange, apps } = capability
  const declared = {
    sampling: { tools: {}, context: {} },
    elicitation: { form: {}, url: {} },
    roots: { listChanged: true },
    extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] } },
    experimental: {},
  }
  const always = sampling | roots | rootsChange | apps
  for (const [version, expected] of [
    ['2024-11-05', always],
    ['2025-03-26', always],
    ['2025-06-18', always | elicitationForm],
    ['2025-11-25', always | elicitationForm | elicitationUrl | samplingTools | samplingContext],
    ['2030-01-01', always | elicitationForm | elicitationUrl | samplingTools | samplingContext],
  ] as const)
    assert.equal(initialize({ protocolVersion: version, capabilities: declared }).capabilities, expected, version)
  for (const capabilities of [undefined, null, {}, []])
    assert.equal(initialize({ protocolVersion: '2025-11-25', capabilities }).capabilities, 0)
})

test('a session is answered with its revision and what the servers offer together', () => {
  const asked = initialize({ protocolVersion: '2025-06-18' })
  const bare = encodeInitialize(asked, endpoint, 'sealed')
  assert.deepEqual(bare, {
    status: 200,
    headers: { 'content-type': 'application/json', 'mcp-session-id': 'sealed' },
    body: '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true}},"serverInfo":{"name":"mcplex","version":"1"}}}',
  })
  const offers = { ...noOffers, prompts: true, resources: true, subscribe: true, completions: true, logging: true, apps: '{"a":1.0}' }
  const { body = '' } = encodeInitialize(asked, { ...endpoint, offers: () => offers, instructions: 'a\n"b"' }, 'sealed')
  const { result } = JSON.parse(body)
  assert.equal(result.instructions, 'a\n"b"')
  assert.deepEqual(result.capabilities, {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    completions: {},
    logging: {},
    extensions: { 'io.modelcontextprotocol/ui': { a: 1 } },
  })
  assert.ok(body.includes('{"a":1.0}'))
})

test('a request carries what its session declared, and nothing without one', () => {
  const headers = open('2025-11-25', capability.sampling)
  const inSession = request('tools/call', { name: 't' }, headers)
  assert.deepEqual([inSession.capabilities, inSession.session?.version, inSession.dialect], [capability.sampling, '2025-11-25', 'legacy'])
  const without = request('tools/call', { name: 't', inputResponses: {}, requestState: 's' })
  assert.deepEqual(
    [without.capabilities, without.session, without.logLevel, without.resume, without.dialect],
    [0, undefined, undefined, undefined, 'legacy'],
  )
})

test('the dialect is that of the session, else of the header', () => {
  for (const [session, header, dialect] of [
    ['2024-11-05', undefined, 'early'],
    ['2025-03-26', '2025-11-25', 'early'],
    ['2025-06-18', '2025-03-26', 'legacy'],
    ['2025-11-25', undefined, 'legacy'],
    [undefined, '2024-11-05', 'early'],
    [undefined, '2025-03-26', 'early'],
    [undefined, '2025-06-18', 'legacy'],
    [undefined, undefined, 'legacy'],
  ] as const) {
    const headers = {
      ...(session === undefined ? {} : open(session)),
      ...(header === undefined ? {} : { 'mcp-protocol-version': header }),
    }
    const decoded = request('tools/list', {}, headers)
    assert.deepEqual([decoded.dialect, decoded.version], [dialect, session ?? header])
  }
})

test('every method has its row, with and without a session', () => {
  const uri = { uri: 'a:b' }
  const ref = { ref: { type: 'ref/prompt', name: 'p' } }
  const table: readonly (readonly [method: string, params: object | undefined, without: string, within?: string])[] = [
    ['ping', undefined, 'reply'],
    ['tools/list', undefined, 'request'],
    ['tools/call', { name: 't' }, 'request'],
    ['tools/call', { name: 7 }, 'invalid-params'],
    ['tools/call', undefined, 'invalid-params'],
    ['prompts/list', undefined, 'request'],
    ['prompts/get', { name: 'p' }, 'request'],
    ['resources/list', undefined, 'request'],
    ['resources/templates/list', undefined, 'request'],
    ['resources/read', uri, 'request'],
    ['resources/read', { name: 'a:b' }, 'invalid-params'],
    ['completion/complete', ref, 'request'],
    ['completion/complete', { ref: { type: 'ref/other' } }, 'invalid-params'],
    ['resources/subscribe', uri, 'invalid-params', 'subscribe'],
    ['resources/subscribe', {}, 'invalid-params'],
    ['resources/unsubscribe', uri, 'invalid-params', 'subscribe'],
    ['logging/setLevel', { level: 'info' }, 'invalid-params', 'level'],
    ['logging/setLevel', { level: 'loud' }, 'invalid-params'],
    ['logging/setLevel', undefined, 'invalid-params'],
    ['server/discover', undefined, 'method-unknown'],
    ['subscriptions/listen', {}, 'method-unknown'],
    ['tasks/get', {}, 'method-unknown'],
    ['toString', undefined, 'method-unknown'],
    ['__proto__', undefined, 'method-unknown'],
  ]
  for (const [method, params, without, within = without] of table) {
    assert.equal(reasonOf(decode({ id: 1, method, params })), without, method)
    assert.equal(reasonOf(decode({ id: 1, method, params }, open('2025-11-25'))), within, method)
  }
  for (const method of ['resources/subscribe', 'resources/unsubscribe', 'logging/setLevel']) {
    const decoded = decode({ id: 1, method, params: { uri: 'a:b', level: 'info' } })
    assert.match(decoded.kind === 'refused' ? decoded.text : '', /needs a session/)
  }
})

test('subscriptions and levels say what they are about', () => {
  const headers = open('2025-11-25')
  for (const isOn of [true, false]) {
    const decoded = decode({ id: 'a', method: isOn ? 'resources/subscribe' : 'resources/unsubscribe', params: { uri: 'a:é' } }, headers)
    assert.ok(decoded.kind === 'subscribe')
    assert.deepEqual([decoded.id, decoded.subject.kind, decoded.subject.name, decoded.isOn], ['"a"', 'resources', 'a:é', isOn])
  }
  for (const level of logLevels) {
    const decoded = decode({ id: 1, method: 'logging/setLevel', params: { level } }, headers)
    assert.equal(decoded.kind === 'level' && decoded.level, level)
  }
})

test('notifications: what a session hears of, and what is only taken', () => {
  const headers = open('2025-11-25')
  const cancelled = decode({ method: 'notifications/cancelled', params: { requestId: 'é' } }, headers)
  assert.equal(cancelled.kind === 'cancel' && cancelled.id, '"é"')
  const changed = decode({ method: 'notifications/roots/list_changed' }, headers)
  assert.equal(changed.kind === 'roots-changed' && changed.session.version, '2025-11-25')
  const rows: readonly (readonly [method: string, params: object, headers: Readonly<Record<string, string>>])[] = [
    ['notifications/cancelled', { requestId: 1 }, {}],
    ['notifications/roots/list_changed', {}, {}],
    ['notifications/cancelled', {}, headers],
    ['notifications/initialized', {}, headers],
    ['notifications/progress', {}, headers],
    ['notifications/none/such', {}, {}],
  ]
  for (const [method, params, sent] of rows) {
    const decoded = decode({ method, params }, sent)
    assert.deepEqual(decoded, { kind: 'reply', method, reply: { status: 202, headers: {}, body: undefined } })
  }
})

test("a session's response goes on with its characters; any other is only taken", () => {
  const headers = open('2025-11-25')
  const result = '{ "action":"accept", "content":{"n":1.0,"s":"\\u00e9"} }'
  const answered = decodeText(`{"jsonrpc":"2.0","id":"k.\\u0061","res\\u0075lt":${result}}`, headers)
  assert.deepEqual(answered.kind === 'response' && [answered.id, answered.rest], ['k.a', `"result":${result}`])
  const failed = decodeText('{"error":{"code":-1.0,"message":"m"},"id":"k","jsonrpc":"2.0"}', headers)
  assert.deepEqual(failed.kind === 'response' && [failed.id, failed.rest], ['k', '"error":{"code":-1.0,"message":"m"}'])
  for (const [text, sent] of [
    ['{"jsonrpc":"2.0","id":7,"result":{}}', headers],
    ['{"jsonrpc":"2.0","error":{"code":-1,"message":"m"}}', headers],
    ['{"jsonrpc":"2.0","id":"k","result":{}}', {}],
  ] as const)
    assert.equal(decodeText(text, sent).kind, 'reply')
})

test('a session that is not known, and a revision that is not, end every message', () => {
  for (const body of [{ id: 1, method: 'ping' }, { method: 'notifications/x' }, { id: 'a', result: {} }]) {
    assert.equal(reasonOf(decode(body, { 'mcp-session-id': 'other' })), 'session-unknown')
    assert.equal(reasonOf(decode(body, { 'mcp-protocol-version': '2026-07-28' })), 'version')
  }
})

test('answers are written for the revision of their request', () => {
  const answer = (result: string): Answer => ({ kind: 'complete', result, isError: false, hasMeta: false })
  const link = '{"content":[{"type":"resource_link","name":"n","uri":"a:b"}]}'
  const sent = (headers: Readonly<Record<string, string>>) =>
    JSON.parse(legacyClient.encode(answer(link), request('tools/call', { name: 't' }, headers), 'q').body ?? '').result.content[0].type
  assert.equal(sent({}), 'resource_link')
  assert.equal(sent(open('2025-06-18')), 'resource_link')
  assert.equal(sent(open('2025-03-26')), 'text')
  assert.equal(sent({ 'mcp-protocol-version': '2024-11-05' }), 'text')
  const read = legacyClient.encode(
    answer('{"ttlMs":5,"contents":[],"cacheScope":"public"}'),
    request('resources/read', { uri: 'a:b' }),
    'q',
  )
  assert.equal(read.body, '{"jsonrpc":"2.0","id":7,"result":{"contents":[]}}')
})

test('a failure of a server is told to the model, else an error; its own errors pass', () => {
  const call = request('tools/call', { name: 't' })
  const read = request('resources/read', { uri: 'a:b' })
  const wants: readonly Answer[] = [{ kind: 'input-required', result: '{}', state: 's' }, refuse('upstream-down', 'm')]
  for (const answer of wants) {
    const told = legacyClient.encode(answer, call, 'q')
    assert.deepEqual([told.status, JSON.parse(told.body ?? '').result.isError], [200, true])
    const error = legacyClient.encode(answer, read, 'q')
    assert.deepEqual([error.status, JSON.parse(error.body ?? '').error.code], [200, -32603])
  }
  for (const code of [-32042, -32021]) {
    const own: Answer = { kind: 'failed', error: { code, message: 'm', data: '{"elicitations":[ ]}' } }
    const error = `{"jsonrpc":"2.0","id":7,"error":{"code":${code},"message":"m","data":{"elicitations":[ ]}}}`
    assert.equal(legacyClient.encode(own, call, 'q').body, error)
  }
})

test('whatever is posted is decoded to something, and never to a request of the stateless revision', () => {
  const method = fc.constantFrom(
    'initialize',
    'tools/call',
    'server/discover',
    'subscriptions/listen',
    'resources/subscribe',
    'logging/setLevel',
  )
  const headers = open('2025-11-25')
  fc.assert(
    fc.property(method, fc.option(fc.object(), { nil: undefined }), fc.boolean(), (name, params, isWithin) => {
      const decoded = decode({ id: 1, method: name, params }, isWithin ? headers : {})
      assert.ok(decoded.kind !== 'request' || decoded.method === 'tools/call')
    }),
  )
})
