import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Head, scanMessage } from '../../mcp/mcp.ts'
import { checkParamHeaders, paramHeaders, readParamHeaders } from './param-headers.ts'

const schemaOf = (properties: object, more: object = {}) => JSON.stringify({ type: 'object', properties, ...more })

function messageOf(args: string | undefined) {
  const text = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"${args === undefined ? '' : `,"arguments":${args}`}}}`
  const message = scanMessage(text, { depth: 64, tokens: 1000 })
  assert.ok(message.kind === 'message')
  return message
}

function declared(schema: string) {
  const headers = readParamHeaders(schema)
  assert.ok(!('fault' in headers), JSON.stringify(headers))
  return headers
}

test('annotations on strings, integers and booleans are read, however deep the chain of properties', () => {
  const schema = schemaOf({
    region: { type: 'string', 'x-mcp-header': 'Region' },
    where: { type: 'object', properties: { zone: { type: 'integer', 'x-mcp-header': 'Zone' } } },
    dry: { type: 'boolean', 'x-mcp-header': 'Dry-Run' },
    properties: { type: 'object', properties: { 'x-mcp-header': { type: 'string' } } },
  })
  assert.deepEqual(declared(schema), [
    { name: 'mcp-param-region', path: ['region'] },
    { name: 'mcp-param-zone', path: ['where', 'zone'] },
    { name: 'mcp-param-dry-run', path: ['dry'] },
  ])
  assert.deepEqual(declared(schemaOf({ a: { type: 'string', default: { 'x-mcp-header': 'Data' } } })), [])
})

test('what breaks a constraint makes the tool invalid', () => {
  const on = (header: unknown, type: unknown = 'string') => schemaOf({ a: { type, 'x-mcp-header': header } })
  const one = { type: 'string', 'x-mcp-header': 'A' }
  for (const schema of [
    ...['', 'My Region', 'Region:Primary', 'Région', 'a\r\nb', 'a\u0000', 5, null].map((header) => on(header)),
    ...['number', 'object', 'array', 'null', ['string', 'null'], 'integer | string'].map((type) => on('A', type)),
    schemaOf({ a: one, b: { type: 'string', 'x-mcp-header': 'a' } }),
    schemaOf({ a: { type: 'array', items: one } }),
    schemaOf({ a: { type: 'object', items: [one] } }),
    ...['oneOf', 'anyOf', 'allOf'].map((key) => schemaOf({}, { [key]: [{ properties: { a: one } }] })),
    ...['not', 'if', 'then', 'else', 'additionalProperties'].map((key) => schemaOf({}, { [key]: { properties: { a: one } } })),
    schemaOf({ a: { $ref: '#/$defs/a' } }, { $defs: { a: one } }),
    JSON.stringify({ type: 'object', 'x-mcp-header': 'Root' }),
  ])
    assert.ok('fault' in readParamHeaders(schema), schema)
})

const many = (count: number) =>
  schemaOf(Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, { type: 'string', 'x-mcp-header': `H${i}` }])))

test('a tool may ask for 64 headers and no more', () => {
  assert.equal(declared(many(64)).length, 64)
  assert.deepEqual(readParamHeaders(many(65)), { fault: 'its x-mcp-header asks for more than 64 headers' })
})

test('the arguments of a call are read once, however many headers they are looked up for', () => {
  const headers = declared(many(64))
  let reads = 0
  const { text, params, ...rest } = messageOf(JSON.stringify(Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`p${i}`, 'v']))))
  const message = {
    ...rest,
    text,
    get params() {
      reads++
      return params
    },
  } as ReturnType<typeof messageOf>
  const sent = paramHeaders(headers, message)
  assert.deepEqual([sent.length, reads], [128, 1])
  const head = { header: (name: string) => sent[sent.indexOf(name) + 1] } as unknown as Head
  assert.deepEqual([checkParamHeaders(headers, head, message), reads], [undefined, 2])
  paramHeaders([], message)
  checkParamHeaders([], head, message)
  assert.equal(reads, 2)
})

const all = declared(
  schemaOf({
    text: { type: 'string', 'x-mcp-header': 'Text' },
    count: { type: 'integer', 'x-mcp-header': 'Count' },
    dry: { type: 'boolean', 'x-mcp-header': 'Dry' },
    in: { type: 'object', properties: { side: { type: 'string', 'x-mcp-header': 'Side' } } },
  }),
)

test('a call carries the arguments that are there, encoded', () => {
  const rows: readonly (readonly [string | undefined, string[]])[] = [
    [undefined, []],
    ['{}', []],
    ['{"text":null,"in":{}}', []],
    ['{"text":"us-west1"}', ['mcp-param-text', 'us-west1']],
    ['{"text":"Hello, \\u4e16\\u754c"}', ['mcp-param-text', '=?base64?SGVsbG8sIOS4lueVjA==?=']],
    ['{"count":-7}', ['mcp-param-count', '-7']],
    ['{"count":42.0}', ['mcp-param-count', '42']],
    ['{"count":9007199254740993}', []],
    ['{"dry":true,"in":{"side":"a\\nb"}}', ['mcp-param-dry', 'true', 'mcp-param-side', '=?base64?YQpi?=']],
    ['{"in":"no object","text":["x"]}', []],
    ['{"in":{"__proto__":{"side":"l"}},"__proto__":{"text":"a"}}', []],
  ]
  for (const [args, headers] of rows) assert.deepEqual(paramHeaders(all, messageOf(args)), headers, String(args))
})

test('headers of a client must say what its arguments say', () => {
  const head = (headers: Record<string, string>) => ({ header: (name: string) => headers[name] }) as unknown as Head
  const rows: readonly (readonly [string, Record<string, string>, boolean])[] = [
    ['{"text":"a"}', { 'mcp-param-text': 'a' }, true],
    ['{"text":"a"}', { 'mcp-param-text': '=?base64?YQ==?=' }, true],
    ['{"text":"a"}', { 'mcp-param-text': 'A' }, false],
    ['{"text":"a"}', {}, false],
    ['{"text":"a"}', { 'mcp-param-text': '=?base64?YQ?=' }, false],
    ['{"text":null}', {}, true],
    ['{}', {}, true],
    ['{"count":42}', { 'mcp-param-count': '42.0' }, true],
    ['{"count":42}', { 'mcp-param-count': '0x2a' }, false],
    ['{"count":42}', { 'mcp-param-count': '43' }, false],
    ['{"dry":false}', { 'mcp-param-dry': 'false' }, true],
    ['{"dry":false}', { 'mcp-param-dry': 'False' }, false],
    ['{"in":{"side":"l"}}', { 'mcp-param-side': 'l' }, true],
    ['{"in":{"side":"l"}}', { 'mcp-param-side': 'r' }, false],
    ['{}', { 'mcp-param-other': 'x' }, true],
  ]
  for (const [args, headers, isGood] of rows) {
    const refusal = checkParamHeaders(all, head(headers), messageOf(args))
    assert.equal(refusal?.reason, isGood ? undefined : 'header-mismatch', `${args} ${JSON.stringify(headers)}`)
  }
})
