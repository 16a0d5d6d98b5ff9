import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allCapabilities, capability, noOffers, type Offers } from '../mcp/mcp.ts'
import { gateway, messageOf, servers } from './call-for-test.ts'
import { initializeRequest, legacyNotification, legacyRequest, readInitialize, replyToServer } from './legacy/server.ts'
import { discoverRequest, judgeDiscover, listenRequest, readAcknowledged, updatedUri } from './modern/server.ts'
import { readFacts } from './server-era.ts'

const everything =
  '{"sampling":{"tools":{},"context":{}},"elicitation":{"form":{},"url":{}},"roots":{},"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}}'
const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":${everything},"io.modelcontextprotocol/clientInfo":{"name":"mcplex","version":"1"}}`
const modern = (method: string) => ['mcp-protocol-version', '2026-07-28', 'mcp-method', method]
const request = (method: string, params: string) => `{"jsonrpc":"2.0","id":7,"method":"${method}","params":${params}}`

test('a legacy server is met with the capabilities that its session is for', () => {
  const body = (capabilities: string) =>
    request('initialize', `{"protocolVersion":"2025-11-25","capabilities":${capabilities},"clientInfo":{"name":"mcplex","version":"1"}}`)
  assert.deepEqual(initializeRequest(7, gateway, 0), { headers: [], body: body('{}') })
  assert.equal(initializeRequest(7, gateway, allCapabilities).body, body(everything.replace('"roots":{}', '"roots":{"listChanged":true}')))
  assert.equal(initializeRequest(7, gateway, capability.elicitationForm).body, body('{"elicitation":{}}'))
})

test('a modern server is met, listed and listened to as by one that can do everything', () => {
  assert.deepEqual(discoverRequest(7, gateway), { headers: modern('server/discover'), body: request('server/discover', `{${meta}}`) })
  assert.deepEqual(servers.modern.list('templates', 'c"', 7, undefined), {
    headers: modern('resources/templates/list'),
    body: request('resources/templates/list', `{"cursor":"c\\"",${meta}}`),
  })
  assert.equal(servers.modern.list('prompts', undefined, 7, undefined).body, request('prompts/list', `{${meta}}`))
  assert.deepEqual(listenRequest(7, gateway, { tools: true, prompts: false, resources: true }, ['a:b']), {
    headers: modern('subscriptions/listen'),
    body: request(
      'subscriptions/listen',
      `{"notifications":{"toolsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":["a:b"]},${meta}}`,
    ),
  })
  assert.equal(
    listenRequest(7, gateway, { tools: false, prompts: true, resources: false }, []).body,
    request('subscriptions/listen', `{"notifications":{"promptsListChanged":true},${meta}}`),
  )
})

test('what only a legacy server gets', () => {
  const headers = ['mcp-protocol-version', '2025-06-18', 'mcp-session-id', 's']
  assert.deepEqual(servers.legacy.list('resources', undefined, 7, 's'), {
    headers: ['mcp-protocol-version', '2025-11-25', 'mcp-session-id', 's'],
    body: request('resources/list', '{}'),
  })
  assert.equal(servers.legacy.list('tools', 'c', 7, undefined).body, request('tools/list', '{"cursor":"c"}'))
  assert.deepEqual(legacyRequest(7, 'logging/setLevel', { level: 'info' }, '2025-06-18', 's'), {
    headers,
    body: request('logging/setLevel', '{"level":"info"}'),
  })
  assert.deepEqual(legacyNotification('notifications/initialized', {}, '2025-06-18', 's'), {
    headers,
    body: '{"jsonrpc":"2.0","method":"notifications/initialized","params":{}}',
  })
  assert.deepEqual(replyToServer('"\\u0061"', '"result":{ "roots":[] }', '2025-06-18', 's'), {
    headers,
    body: '{"jsonrpc":"2.0","id":"\\u0061","result":{ "roots":[] }}',
  })
})

const reply = (result: string) => messageOf(`{"jsonrpc":"2.0","id":7,"result":${result}}`)
const ui = (text: string) => `{"extensions":{"other":{},"io.modelcontextprotocol/ui":${text}}}`

test('what a server offers', () => {
  const rows: readonly (readonly [string, Partial<Offers>])[] = [
    ['{}', {}],
    ['[]', {}],
    [
      '{"tools":{},"prompts":{},"resources":{},"completions":{},"logging":{}}',
      { tools: true, prompts: true, resources: true, completions: true, logging: true },
    ],
    ['{"tools":true,"prompts":null,"resources":[]}', {}],
    ['{"tools":{"listChanged":true},"prompts":{"listChanged":false}}', { tools: true, toolsChange: true, prompts: true }],
    ['{"prompts":{"listChanged":true}}', { prompts: true, promptsChange: true }],
    ['{"resources":{"listChanged":true,"subscribe":true}}', { resources: true, resourcesChange: true, subscribe: true }],
    ['{"resources":{"subscribe":"true"}}', { resources: true }],
    [ui('{ "mimeTypes":["a"] }'), { apps: '{ "mimeTypes":["a"] }' }],
    [ui('true'), {}],
    [ui(`{"a":"${'x'.repeat(4088)}"}`), { apps: `{"a":"${'x'.repeat(4088)}"}` }],
    [ui(`{"a":"${'x'.repeat(4089)}"}`), {}],
  ]
  for (const [capabilities, offers] of rows)
    assert.deepEqual(readFacts(reply(`{"capabilities":${capabilities}}`), 'v').offers, { ...noOffers, ...offers }, capabilities)
})

test('what a server says of itself', () => {
  const legacy = '{"protocolVersion":"2024-11-05","serverInfo":{"name":"n"},"instructions":"i","capabilities":{"prompts":{}}}'
  assert.deepEqual(readInitialize(reply(legacy)), {
    version: '2024-11-05',
    offers: { ...noOffers, prompts: true },
    serverName: 'n',
    instructions: 'i',
  })
  const discovered =
    '{"supportedVersions":["2026-07-28"],"capabilities":{"resources":{"subscribe":true}},"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"m"}}}'
  assert.deepEqual(judgeDiscover(200, reply(discovered)), {
    kind: 'modern',
    facts: {
      version: '2026-07-28',
      offers: { ...noOffers, resources: true, subscribe: true },
      serverName: 'm',
      instructions: undefined,
    },
  })
})

test('the URIs that a server agreed to tell of, and those that it tells of', () => {
  const acknowledged = (notifications: string) => [
    ...readAcknowledged(
      messageOf(`{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":${notifications}}}`),
    ),
  ]
  assert.deepEqual(acknowledged('{"resourceSubscriptions":["a:b","a:\\u0063",7,"a:b"]}'), ['a:b', 'a:c'])
  for (const none of ['{}', '[]', '{"resourceSubscriptions":{}}', '{"resourceSubscriptions":"a"}']) assert.deepEqual(acknowledged(none), [])
  const updated = (rest: string) => updatedUri(messageOf(`{"jsonrpc":"2.0","method":"notifications/resources/updated"${rest}}`))
  assert.equal(updated(',"params":{"uri":"a:\\u0062"}'), 'a:b')
  for (const none of ['', ',"params":{}', ',"params":{"uri":7}', ',"params":{"uri":"a:b"},"id":1']) assert.equal(updated(none), undefined)
})
