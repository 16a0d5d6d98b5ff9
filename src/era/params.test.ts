import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { objectText } from '../mcp/arbitrary-json.ts'
import { anonymous, type Call, Cancellation, type EraName, scanMessage } from '../mcp/mcp.ts'
import { createLegacyServer } from './legacy/server.ts'
import { createModernServer } from './modern/server.ts'
import type { Outbound, ServerEra } from './server-era.ts'

const gateway = { name: 'mcplex', version: '1' }
const servers: Readonly<Record<EraName, ServerEra>> = { legacy: createLegacyServer('2025-11-25'), modern: createModernServer(gateway) }
const version = '"io.modelcontextprotocol/protocolVersion":"2026-07-28"'
const own = `{${version},"io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"mcplex","version":"1"}}`

function callOf(clientEra: EraName, params: string | undefined): Call {
  const text = `{"jsonrpc":"2.0","id":"own","method":"tools/call"${params === undefined ? '' : `,"params":${params}`}}`
  const message = scanMessage(text, { depth: 64, tokens: 10_000 })
  assert.ok(message.kind === 'message')
  return {
    method: 'tools/call',
    subject: 'srv_add',
    message,
    caller: anonymous,
    session: undefined,
    clientEra,
    cancellation: new Cancellation(),
    timeoutMs: undefined,
    onNotice() {},
  }
}

function sent(client: EraName, server: EraName, params: string | undefined): Outbound {
  return servers[server].call(callOf(client, params), { name: 'add', paramHeaders: [] }, 7, undefined)
}

const around = (params: string) => `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":${params}}`
const oddArguments =
  '{"a": 1.0, "b":1e400,"c":12345678901234567890 , "__proto__":{"x":1},"constructor":"\\u00e9\\/", "d":-0,"e":"\\ud800", "name":"n","_meta":{"progressToken":1}}'
const modernMeta = `{ ${version} , "io.modelcontextprotocol/clientCapabilities":{"sampling":{}},"progressToken":1.0,"io.modelcontextprotocol/logLevel":"debug","io.modelcontextprotocol/clientInfo":{"name":"c","version":"2"},"vendor/key":[ 1e400 ]}`

/** Client's era, server's era, the client's params and the server's. */
const table: readonly (readonly [name: string, client: EraName, server: EraName, params: string | undefined, got: string])[] = [
  [
    'arguments stay the same text',
    'legacy',
    'legacy',
    `{ "name" : "srv_add","arguments":${oddArguments} }`,
    `{ "name" : "add","arguments":${oddArguments} }`,
  ],
  [
    'arguments stay the same text',
    'modern',
    'legacy',
    `{"arguments":${oddArguments},"_meta":{${version},"io.modelcontextprotocol/clientCapabilities":{}},"name":"srv_add"}`,
    `{"arguments":${oddArguments},"_meta":{},"name":"add"}`,
  ],
  [
    'arguments stay the same text',
    'legacy',
    'modern',
    `{"name":"srv_add","arguments":${oddArguments}}`,
    `{"_meta":${own},"name":"add","arguments":${oddArguments}}`,
  ],
  [
    'arguments stay the same text',
    'modern',
    'modern',
    `{"_meta":${modernMeta}, "name":"srv_add","arguments":${oddArguments}}`,
    `{"_meta":${modernMeta}, "name":"add","arguments":${oddArguments}}`,
  ],
  [
    'the envelope is taken off; progress token and foreign keys stay',
    'modern',
    'legacy',
    `{"_meta":${modernMeta},"name":"srv_add"}`,
    '{"_meta":{"progressToken":1.0,"vendor/key":[ 1e400 ]},"name":"add"}',
  ],
  [
    'the envelope is put beside what is there',
    'legacy',
    'modern',
    '{"name":"srv_add","_meta":{"progressToken":"p","k":1.0}}',
    `{"name":"add","_meta":{"progressToken":"p","k":1.0,${own.slice(1)}}`,
  ],
  [
    'a legacy client can not forge the envelope',
    'legacy',
    'modern',
    '{"name":"srv_add","_meta":{"io.modelcontextprotocol/clientInfo":{"name":"evil","version":"6"},"io.modelcontextprotocol/logLevel":"debug"}}',
    `{"name":"add","_meta":${own}}`,
  ],
  [
    'extensions and tasks are not promised on',
    'modern',
    'modern',
    `{"name":"srv_add","_meta":{${version},"io.modelcontextprotocol/clientCapabilities":{"extensions":{"x":{}},"sampling":{ "a":1.0 },"tasks":{}}}}`,
    `{"name":"add","_meta":{${version},"io.modelcontextprotocol/clientCapabilities":{"sampling":{ "a":1.0 }}}}`,
  ],
  ['no params', 'legacy', 'legacy', undefined, '{}'],
  ['no params', 'legacy', 'modern', undefined, `{"_meta":${own}}`],
  ['empty params', 'legacy', 'modern', '{ }', `{"_meta":${own} }`],
]

for (const [name, client, server, params, got] of table)
  test(`${client} client, ${server} server: ${name}`, () => assert.equal(sent(client, server, params).body, around(got)))

test('a modern server gets its headers, a legacy one its version and session', () => {
  assert.deepEqual(servers.modern.call(callOf('legacy', '{"name":"x"}'), { name: 'é', paramHeaders: [] }, 7, undefined).headers, [
    'mcp-protocol-version',
    '2026-07-28',
    'mcp-method',
    'tools/call',
    'mcp-name',
    '=?base64?w6k=?=',
  ])
  assert.deepEqual(servers.legacy.call(callOf('modern', '{"name":"x"}'), { name: 'é', paramHeaders: [] }, 7, 's').headers, [
    'mcp-protocol-version',
    '2025-11-25',
    'mcp-session-id',
    's',
  ])
})

test('whatever the arguments are, every pairing sends them as the same text, once', () => {
  const eras: readonly EraName[] = ['legacy', 'modern']
  fc.assert(
    fc.property(objectText({ repeats: false }), fc.constantFrom(...eras), fc.constantFrom(...eras), (argumentsText, client, server) => {
      const meta = client === 'modern' ? `"_meta":${modernMeta},` : ''
      const { body } = sent(client, server, `{${meta}"name":"srv_add","arguments":${argumentsText}}`)
      assert.ok(body.endsWith(`"name":"add","arguments":${argumentsText}}}`), body)
    }),
  )
})
