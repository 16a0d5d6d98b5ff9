import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { objectText } from '../mcp/json/arbitrary-json-for-test.ts'
import { type Call, capability, type EraName, type Method, member, textOf } from '../mcp/mcp.ts'
import { callOf, messageOf, servers } from './call-for-test.ts'
import type { Outbound } from './server-era.ts'

const version = '"io.modelcontextprotocol/protocolVersion":"2026-07-28"'
const info = '"io.modelcontextprotocol/clientInfo":{"name":"mcplex","version":"1"}'
const envelope = (capabilities: string) => `${version},"io.modelcontextprotocol/clientCapabilities":${capabilities},${info}`
const own = `{${envelope('{}')}}`

type More = Partial<Call> & { readonly method?: Method; readonly ownName?: string }

function sent(client: EraName, server: EraName, params: string | undefined, more: More = {}): Outbound {
  const { method = 'tools/call', ownName = 'add', ...rest } = more
  return servers[server].call(callOf(client, method, params, rest), { name: ownName, paramHeaders: [] }, 7, undefined)
}

const around = (params: string, method = 'tools/call') => `{"jsonrpc":"2.0","id":7,"method":"${method}","params":${params}}`
const oddArguments =
  '{"a": 1.0, "b":1e400,"c":12345678901234567890 , "__proto__":{"x":1},"constructor":"\\u00e9\\/", "d":-0,"e":"\\ud800", "name":"n","task":{},"_meta":{"progressToken":1}}'
const modernMeta = `{ ${version} , "io.modelcontextprotocol/clientCapabilities":{"sampling":{}},"progressToken":1.0,"io.modelcontextprotocol/logLevel":"debug","io.modelcontextprotocol/clientInfo":{"name":"c","version":"2"},"vendor/key":[ 1e400 ]}`
const resume = { responses: '{"k":{ "action":"accept"}}', state: 'sé"cret' }

/** What it shows, client's era, server's era, the client's params, the server's params, and what else is said of the call. */
const table: readonly (readonly [name: string, client: EraName, server: EraName, params: string | undefined, got: string, more?: More])[] =
  [
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
      'the envelope is taken off; foreign keys stay, the progress token is the request id',
      'modern',
      'legacy',
      `{"_meta":${modernMeta},"name":"srv_add"}`,
      '{"_meta":{"progressToken":7,"vendor/key":[ 1e400 ]},"name":"add"}',
    ],
    [
      'the progress token is the request id, all else in _meta stays',
      'legacy',
      'legacy',
      '{"name":"srv_add","_meta":{ "k":1.0, "progressToken" : "p" }}',
      '{"name":"add","_meta":{ "k":1.0, "progressToken" : 7 }}',
    ],
    ['a progress token of no known type stays', 'legacy', 'legacy', '{"_meta":{"progressToken":null}}', '{"_meta":{"progressToken":null}}'],
    [
      'the envelope is put beside what is there',
      'legacy',
      'modern',
      '{"name":"srv_add","_meta":{"progressToken":"p","k":1.0}}',
      `{"name":"add","_meta":{"progressToken":"p","k":1.0,${own.slice(1)}}`,
    ],
    [
      'the envelope says what the client can do and which log messages it wants',
      'legacy',
      'modern',
      '{"name":"srv_add"}',
      `{"_meta":{${envelope('{"sampling":{},"elicitation":{"form":{},"url":{}},"roots":{}}')},"io.modelcontextprotocol/logLevel":"warning"},"name":"add"}`,
      {
        capabilities:
          capability.sampling | capability.elicitationForm | capability.elicitationUrl | capability.roots | capability.rootsChange,
        logLevel: 'warning',
      },
    ],
    [
      'the envelope of one client is not another’s',
      'legacy',
      'modern',
      '{"name":"srv_add"}',
      `{"_meta":{${envelope('{"roots":{}}')}},"name":"add"}`,
      { capabilities: capability.roots },
    ],
    [
      'a legacy client can not forge the envelope',
      'legacy',
      'modern',
      '{"name":"srv_add","_meta":{"io.modelcontextprotocol/clientInfo":{"name":"evil","version":"6"},"io.modelcontextprotocol/logLevel":"debug"}}',
      `{"name":"add","_meta":${own}}`,
    ],
    [
      'a modern client’s own words pass, whatever is said of the call',
      'modern',
      'modern',
      `{"name":"srv_add","_meta":${modernMeta}}`,
      `{"name":"add","_meta":${modernMeta}}`,
      { capabilities: capability.roots, logLevel: 'error' },
    ],
    [
      'extensions and tasks are not promised on',
      'modern',
      'modern',
      `{"name":"srv_add","_meta":{${version},"io.modelcontextprotocol/clientCapabilities":{"extensions":{"x":{}},"sampling":{ "a":1.0 },"tasks":{}}}}`,
      `{"name":"add","_meta":{${version},"io.modelcontextprotocol/clientCapabilities":{"sampling":{ "a":1.0 }}}}`,
    ],
    [
      'but for MCP Apps',
      'modern',
      'modern',
      `{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"ext\\u0065nsions":{"x":{},"io.modelcontextprotocol/ui":{ "mimeTypes":["a"]}},"roots":{}},${version}},"name":"srv_add"}`,
      `{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"roots":{},"extensions":{"io.modelcontextprotocol/ui":{ "mimeTypes":["a"]}}},${version}},"name":"add"}`,
    ],
    [
      'task and an earlier round go, first in the list',
      'legacy',
      'legacy',
      '{ "task":{}, "requestState":"s", "name":"srv_add" }',
      '{"name":"add" }',
    ],
    [
      'task and an earlier round go, in the middle and last',
      'legacy',
      'legacy',
      '{ "name":"srv_add", "inputResponses":{}, "task":{} , "x" : 1.0,"requestState":"s" }',
      '{ "name":"add" , "x" : 1.0 }',
    ],
    ['task and an earlier round go, and nothing stays', 'legacy', 'legacy', '{"task":{},"inputResponses":{}}', '{}'],
    [
      'a round of a legacy client',
      'legacy',
      'modern',
      '{"name":"srv_add"}',
      `{"_meta":${own},"inputResponses":{"k":{ "action":"accept"}},"requestState":"sé\\"cret","name":"add"}`,
      { resume },
    ],
    [
      'a round of a modern client has the server’s own state',
      'modern',
      'modern',
      `{"name":"srv_add","inputResponses":{"k":{ "action":"accept"}},"requestState":"sealed","_meta":${modernMeta}}`,
      `{"inputResponses":{"k":{ "action":"accept"}},"requestState":"sé\\"cret","name":"add","_meta":${modernMeta}}`,
      { resume },
    ],
    [
      'a round without a state',
      'modern',
      'modern',
      `{"name":"srv_add","inputResponses":{"k":{}},"_meta":${modernMeta}}`,
      `{"inputResponses":{"k":{}},"name":"add","_meta":${modernMeta}}`,
      { resume: { responses: '{"k":{}}', state: undefined } },
    ],
    [
      'rounds are nothing to a legacy server',
      'modern',
      'legacy',
      '{"inputResponses":{"k":{}},"requestState":"sealed","name":"srv_add"}',
      '{"name":"add"}',
      { resume },
    ],
    ['a resource', 'legacy', 'legacy', '{"uri":"srv+a:b"}', '{"uri":"a:b"}', { method: 'resources/read', ownName: 'a:b' }],
    [
      'a prompt',
      'modern',
      'legacy',
      '{"name":"srv_p","arguments":{"name":"srv_p"}}',
      '{"name":"p","arguments":{"name":"srv_p"}}',
      { method: 'prompts/get', ownName: 'p' },
    ],
    [
      'the reference of a completion, where it stands',
      'legacy',
      'modern',
      '{"argument":{"name":"n","value":""},"ref":{ "type":"ref/prompt", "name" : "srv_p", "title":"t" }, "x":1}',
      `{"_meta":${own},"argument":{"name":"n","value":""},"ref":{ "type":"ref/prompt", "name" : "p", "title":"t" }, "x":1}`,
      { method: 'completion/complete', ownName: 'p' },
    ],
    [
      'the reference of a completion, before what goes',
      'legacy',
      'legacy',
      '{"ref":{"uri":"srv+a:{x}","type":"ref/resource"},"task":1}',
      '{"ref":{"uri":"a:{x}","type":"ref/resource"}}',
      { method: 'completion/complete', ownName: 'a:{x}' },
    ],
    ['no params', 'legacy', 'legacy', undefined, '{}'],
    ['no params', 'legacy', 'modern', undefined, `{"_meta":${own}}`],
    ['empty params', 'legacy', 'modern', '{ }', `{"_meta":${own} }`],
  ]

for (const [name, client, server, params, got, more] of table)
  test(`${client} client, ${server} server: ${name}`, () =>
    assert.equal(sent(client, server, params, more).body, around(got, more?.method)))

test('a modern server gets its headers, a legacy one its version and session', () => {
  const standard = (method: string) => ['mcp-protocol-version', '2026-07-28', 'mcp-method', method]
  const headers = (method: Method, params: string, ownName: string) => sent('legacy', 'modern', params, { method, ownName }).headers
  assert.deepEqual(headers('tools/call', '{"name":"x"}', 'é'), [...standard('tools/call'), 'mcp-name', '=?base64?w6k=?='])
  assert.deepEqual(headers('prompts/get', '{"name":"x"}', 'p'), [...standard('prompts/get'), 'mcp-name', 'p'])
  assert.deepEqual(headers('resources/read', '{"uri":"x"}', 'a:b'), [...standard('resources/read'), 'mcp-name', 'a:b'])
  assert.deepEqual(headers('completion/complete', '{"ref":{"type":"ref/prompt","name":"x"}}', 'p'), standard('completion/complete'))
  const withHeader = { name: 'add', paramHeaders: [{ name: 'mcp-param-a', path: ['a'] }] }
  const call = callOf('legacy', 'tools/call', '{"name":"x","arguments":{"a":1}}')
  assert.deepEqual(servers.modern.call(call, withHeader, 7, undefined).headers, [
    ...standard('tools/call'),
    ...['mcp-name', 'add', 'mcp-param-a', '1'],
  ])
  assert.deepEqual(servers.legacy.call(call, withHeader, 7, 's').headers, ['mcp-protocol-version', '2025-11-25', 'mcp-session-id', 's'])
})

const eras: readonly EraName[] = ['legacy', 'modern']

test('whatever the arguments and the name are, every pairing sends the same arguments under the own name, once', () => {
  fc.assert(
    fc.property(
      objectText({ repeats: false }),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(...eras),
      fc.constantFrom(...eras),
      (argumentsText, ownName, client, server) => {
        const meta = client === 'modern' ? `"_meta":${modernMeta},` : ''
        const { body } = sent(client, server, `{${meta}"name":"srv_add","arguments":${argumentsText}}`, { ownName })
        assert.ok(body.endsWith(`"name":${JSON.stringify(ownName)},"arguments":${argumentsText}}}`), body)
      },
    ),
  )
})

test('whatever the params are, a server gets each of their members as the same text, but for those that are not its own', () => {
  const notOwn = new Set(['task', 'inputResponses', 'requestState', '_meta', 'name'])
  const subject = fc.constantFrom('', '"name":"srv_add"')
  const late = fc.constantFrom('', '"task":1', '"requestState":"s"', '"inputResponses":{}')
  fc.assert(
    fc.property(
      fc.tuple(late, subject, objectText({ repeats: false }), late),
      fc.constantFrom(...eras),
      fc.constantFrom(...eras),
      ([before, name, rest, after], client, server) => {
        const present = new Set(Object.keys(JSON.parse(rest)))
        const extra = [before, name, before === after ? '' : after].filter((one) => one !== '' && !present.has(one.split('"')[1] ?? ''))
        const inner = rest.slice(1, -1)
        const params = `{${[...extra.slice(0, 1), ...(inner.trim() === '' ? [] : [inner]), ...extra.slice(1)].join(',')}}`
        // Params whose keys look like the envelope's don't get here.
        fc.pre(isMessage(params))
        const request = callOf(client, 'tools/call', params).message
        const got = messageOf(sent(client, server, params, { resume }).body)
        for (const m of request.params ?? []) {
          const same = member(got.params ?? [], m.key)
          if (!notOwn.has(m.key)) assert.equal(same && textOf(got.text, same), textOf(request.text, m))
        }
        assert.equal(member(got.params ?? [], 'task'), undefined)
        const state = member(got.params ?? [], 'requestState')
        assert.equal(state && textOf(got.text, state), server === 'modern' ? JSON.stringify(resume.state) : undefined)
        const named = member(got.params ?? [], 'name')
        if (member(request.params ?? [], 'name')?.type === 'string') assert.equal(named && textOf(got.text, named), '"add"')
        const foreign = (key: string) => !key.startsWith('io.modelcontextprotocol/') && key !== 'progressToken'
        for (const m of (request.meta ?? []).filter(({ key }) => foreign(key))) {
          const same = member(got.meta ?? [], m.key)
          assert.equal(same && textOf(got.text, same), textOf(request.text, m))
        }
      },
    ),
    { numRuns: 500 },
  )
})

function isMessage(params: string): boolean {
  try {
    callOf('legacy', 'tools/call', params)
    return true
  } catch {
    return false
  }
}
