import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classifyInboundRequest } from '@modelcontextprotocol/server'
import fc from 'fast-check'
import { type Head, maxSealedIdChars, refusals, scanMessage } from '../mcp/mcp.ts'
import { eraOf, shapeOf } from './classify.ts'
import { metaKeys } from './versions.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
type Headers = Readonly<Record<string, string | undefined>>

function headOf(headers: Headers): Head {
  return {
    method: 'POST',
    path: '/mcp',
    query: '',
    host: 'localhost',
    listener: 'test',
    remote: '127.0.0.1',
    header: (name) => headers[name],
  }
}

/** What we say: an era, or the code of the refusal. */
function ours(body: Json, headers: Headers): string | number {
  const message = scanMessage(JSON.stringify(body), { depth: 64, tokens: 10_000 })
  if (message.kind === 'fault') return -32600
  const shape = shapeOf(message)
  if (shape.kind === 'refused') return refusals[shape.reason].code
  const era = eraOf(headOf(headers), message, shape)
  return typeof era === 'string' ? era : refusals[era.reason].code
}

/** What the SDK says of the same. */
function theirs(body: Json, headers: Headers): string | number {
  const [version, method, name] = [headers['mcp-protocol-version'], headers['mcp-method'], headers['mcp-name']]
  const outcome = classifyInboundRequest({
    httpMethod: 'POST',
    ...(version === undefined ? {} : { protocolVersionHeader: version }),
    ...(method === undefined ? {} : { mcpMethodHeader: method }),
    ...(name === undefined ? {} : { mcpNameHeader: name }),
    body,
  })
  return outcome.kind === 'reject' ? outcome.code : outcome.kind
}

const absent = Symbol('absent')
const maybe = <T>(weight: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | typeof absent> =>
  fc.oneof({ weight, arbitrary }, { weight: 1, arbitrary: fc.constant<typeof absent>(absent) })
const record = (fields: Record<string, fc.Arbitrary<Json | typeof absent>>): fc.Arbitrary<Json> =>
  fc.record(fields).map((made) => Object.fromEntries(Object.entries(made).filter(([, value]) => value !== absent)) as Json)

const junk: fc.Arbitrary<Json> = fc.constantFrom<Json[]>(null, true, 7, 1.5, '', 'x', [], [1], {}, { a: 1 })
const version = fc.constantFrom('2024-11-05', '2025-03-26', '2025-11-25', '2026-07-28', '2027-01-01', '1999-01-01', 'draft')
const method = fc.constantFrom('initialize', 'tools/list', 'tools/call', 'server/discover', 'ping', 'notifications/cancelled', 'no/such')

const meta = fc.oneof(
  {
    weight: 8,
    arbitrary: record({
      [metaKeys.version]: maybe(6, fc.oneof({ weight: 8, arbitrary: version }, junk)),
      [metaKeys.capabilities]: maybe(
        6,
        fc.oneof({ weight: 6, arbitrary: fc.constant<Json>({}) }, fc.constantFrom<Json[]>(null, 7, 'x', [])),
      ),
      [metaKeys.clientInfo]: maybe(
        1,
        fc.oneof({ weight: 6, arbitrary: fc.constant<Json>({ name: 'c', version: '1' }) }, fc.constantFrom<Json[]>(7, 'x', [])),
      ),
      progressToken: maybe(1, fc.constantFrom<Json[]>(1, 'p')),
      vendor: maybe(1, junk),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Json>({}) },
)

const params = record({
  protocolVersion: maybe(1, version),
  name: maybe(1, fc.constantFrom('add', 'é')),
  _meta: maybe(4, meta),
})

const headers: fc.Arbitrary<Headers> = fc.record(
  {
    'mcp-protocol-version': version,
    'mcp-method': method,
    'mcp-name': fc.constantFrom('add', '=?base64?w6k=?=', '=?base64?!?=', 'other'),
  },
  { requiredKeys: [] },
)

const message = fc.oneof(
  {
    weight: 6,
    arbitrary: record({ jsonrpc: fc.constant('2.0'), id: fc.constantFrom<Json[]>(0, 7, -1, 'a', ''), method, params: maybe(6, params) }),
  },
  { weight: 3, arbitrary: record({ jsonrpc: fc.constant('2.0'), method, params: maybe(6, params) }) },
  {
    weight: 1,
    arbitrary: record({ jsonrpc: fc.constant('2.0'), id: fc.constantFrom<Json[]>(7, 'a'), result: fc.constantFrom<Json[]>({}, { a: 1 }) }),
  },
  {
    weight: 1,
    arbitrary: record({
      jsonrpc: fc.constant('2.0'),
      id: maybe(2, fc.constantFrom<Json[]>(7, 'a')),
      error: fc.constant<Json>({ code: -1, message: 'm' }),
    }),
  },
)

/** Anything that is nearly a message. */
const oddMessage = record({
  jsonrpc: maybe(8, fc.oneof({ weight: 8, arbitrary: fc.constant<Json>('2.0') }, fc.constantFrom<Json[]>('1.0', 2, null))),
  id: maybe(3, fc.constantFrom<Json[]>(0, 'a', 1.5, true, [], {})),
  method: maybe(3, fc.oneof({ weight: 4, arbitrary: method }, fc.constantFrom<Json[]>(7, null, []))),
  params: maybe(3, fc.oneof({ weight: 4, arbitrary: params }, fc.constantFrom<Json[]>(7, 'x', null, []))),
  result: maybe(1, fc.constantFrom<Json[]>({}, 7, null, 'x', [])),
  error: maybe(1, fc.constantFrom<Json[]>({ code: -1, message: 'm' }, 7, null)),
})

test('a well-formed message belongs to the era that the SDK says, or is refused with the same code', () => {
  const seen = new Map<string | number, number>()
  fc.assert(
    fc.property(message, headers, (body, sent) => {
      const verdict = ours(body, sent)
      seen.set(verdict, (seen.get(verdict) ?? 0) + 1)
      assert.equal(verdict, theirs(body, sent))
    }),
    { numRuns: 4000 },
  )
  assert.deepEqual([...seen.keys()].map(String).toSorted(), ['-32020', '-32602', 'legacy', 'modern'])
})

const envelope = { [metaKeys.version]: '2026-07-28', [metaKeys.capabilities]: {} }
const call = { jsonrpc: '2.0', id: 1, method: 'tools/call' }

/** Where we judge otherwise on purpose: what is forwarded without being read is not judged here. */
const differences: readonly {
  readonly name: string
  readonly body: Json
  readonly ours: string | number
  readonly theirs: string | number
}[] = [
  {
    name: 'a response with a member beside its own',
    body: { jsonrpc: '2.0', id: 1, result: {}, params: {} },
    ours: 'legacy',
    theirs: -32600,
  },
  { name: 'a request with a member beside its own', body: { ...call, extra: 1 }, ours: 'legacy', theirs: -32600 },
  { name: 'an error without its code and message', body: { jsonrpc: '2.0', id: 1, error: {} }, ours: 'legacy', theirs: -32600 },
  { name: 'an id that no double holds exactly', body: { ...call, id: 2 ** 60 }, ours: 'legacy', theirs: -32600 },
  { name: 'a progress token of another type', body: { ...call, params: { _meta: { progressToken: [] } } }, ours: 'legacy', theirs: -32600 },
  { name: 'a _meta that is no object', body: { ...call, params: { _meta: 7 } }, ours: 'legacy', theirs: -32600 },
  {
    name: 'a capability of another type',
    body: { ...call, params: { _meta: { ...envelope, [metaKeys.capabilities]: { sampling: 7 } } } },
    ours: 'modern',
    theirs: -32602,
  },
  {
    name: 'a clientInfo without a name',
    body: { ...call, params: { _meta: { ...envelope, [metaKeys.clientInfo]: {} } } },
    ours: 'modern',
    theirs: -32602,
  },
  {
    name: 'a log level that is none',
    body: { ...call, params: { _meta: { ...envelope, [metaKeys.logLevel]: 'loud' } } },
    ours: 'modern',
    theirs: -32602,
  },
]

for (const { name, body, ours: own, theirs: other } of differences) {
  test(`differs from the SDK: ${name}`, () => {
    assert.deepEqual([ours(body, {}), theirs(body, {})], [own, other])
    assert.notEqual(own, other)
  })
}

test('what is nearly a message is judged as the SDK judges it', () => {
  fc.assert(
    fc.property(fc.oneof(oddMessage, junk), headers, (body, sent) => {
      const isResponse = typeof body === 'object' && body !== null && !('method' in body) && 'jsonrpc' in body
      fc.pre(!(isResponse && 'params' in body))
      assert.equal(ours(body, sent), theirs(body, sent))
    }),
    { numRuns: 3000 },
  )
})

test('an id is bounded: of a request by what is kept of it, of a response by what was given', () => {
  const shape = (rest: string, idChars: number) => {
    const message = scanMessage(`{"jsonrpc":"2.0","id":"${'x'.repeat(idChars - 2)}",${rest}}`, { depth: 64, tokens: 10_000 })
    assert.ok(message.kind === 'message')
    return shapeOf(message).kind
  }
  assert.deepEqual([shape('"method":"ping"', 1026), shape('"method":"ping"', 1027)], ['request', 'refused'])
  assert.deepEqual([shape('"result":{}', maxSealedIdChars), shape('"result":{}', maxSealedIdChars + 1)], ['response', 'refused'])
})
