import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Arrival, called, callOf, events, openMet, progressOf, refused, type Script } from '../../open-for-test.ts'
import type { Connector } from '../connector.ts'

/** Name, what the server does with a call, the reason and a part of the text of what the caller hears. */
const failures: readonly (readonly [name: string, act: (arrival: Arrival) => unknown, reason: string, text: RegExp])[] = [
  ['never answers', () => {}, 'upstream-timeout', /within 300 ms/],
  [
    'goes silent after its head',
    ({ response }) => response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders(),
    'upstream-timeout',
    /300 ms/,
  ],
  [
    'goes silent in its stream',
    (arrival) => arrival.response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hm\n\n'),
    'upstream-timeout',
    /300 ms/,
  ],
  ['closes the connection', ({ response }) => response.destroy(), 'upstream-invalid', /before it answered/],
  [
    'dies in the middle of its body',
    ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 })
      response.write('{"jsonrpc":"2.0"', () => response.destroy())
    },
    'upstream-invalid',
    /in the middle of its answer/,
  ],
  [
    'dies in the middle of its stream',
    (arrival) => {
      const { response } = arrival
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`data: ${progressOf(arrival)}\n\ndata: {"json`, () => response.destroy())
    },
    'upstream-invalid',
    /in the middle of its answer/,
  ],
  [
    'ends its stream without an answer',
    (arrival) => arrival.response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: ${progressOf(arrival)}\n\n`),
    'upstream-invalid',
    /before the answer/,
  ],
  [
    'answers another id',
    ({ reply, id }) => reply(200, 'application/json', `{"jsonrpc":"2.0","id":${(id ?? 0) + 1},"result":{}}`),
    'upstream-invalid',
    /another request/,
  ],
  [
    'answers its id as a string',
    ({ reply, id }) => reply(200, 'application/json', `{"jsonrpc":"2.0","id":"${id}","result":{}}`),
    'upstream-invalid',
    /another request/,
  ],
  ['answers a page', ({ reply }) => reply(200, 'text/html', '<html>secret'), 'upstream-invalid', /a web page \(200\) and no JSON-RPC$/],
  ['answers broken JSON', ({ reply }) => reply(200, 'application/json', '{"secret":'), 'upstream-invalid', /broken JSON/],
  ['answers a list', ({ reply }) => reply(200, 'application/json', '["secret"]'), 'upstream-invalid', /JSON/],
  [
    'answers a repeated key',
    ({ reply, id }) => reply(200, 'application/json', `{"jsonrpc":"2.0","id":${id},"result":{},"result":{}}`),
    'upstream-invalid',
    /repeated key/,
  ],
  ['answers an empty batch', ({ reply }) => reply(200, 'application/json', '[]'), 'upstream-invalid', /batch of 0 messages/],
  ['sends an event that is a list', (arrival) => events(arrival, '["secret"]'), 'upstream-invalid', /not JSON-RPC/],
  [
    'answers others in a batch',
    ({ reply, id }) => reply(200, 'application/json', `[{"jsonrpc":"2.0","id":${(id ?? 0) + 1},"result":{}}]`),
    'upstream-invalid',
    /another request/,
  ],
  ['sends an event that is no JSON', (arrival) => events(arrival, 'secret'), 'upstream-invalid', /not JSON-RPC/],
  [
    'has no result object',
    ({ reply, id }) => reply(200, 'application/json', `{"jsonrpc":"2.0","id":${id},"result":7}`),
    'upstream-invalid',
    /result/,
  ],
  ['redirects', ({ reply }) => reply(302, 'text/plain', '', { location: '/elsewhere' }), 'upstream-invalid', /redirect \(302\)/],
  [
    'redirects and keeps the method',
    ({ reply }) => reply(307, 'text/plain', '', { location: '/elsewhere' }),
    'upstream-invalid',
    /redirect \(307\)/,
  ],
  ['wants credentials', ({ reply }) => reply(401, 'text/plain', 'secret', { 'www-authenticate': 'Bearer' }), 'upstream-auth', /401/],
  ['forbids it', ({ reply }) => reply(403, 'text/plain', 'secret'), 'upstream-auth', /403/],
  ['has no such path', ({ reply }) => reply(404, 'text/plain', 'secret'), 'upstream-invalid', /404/],
  ['fails', ({ reply }) => reply(500, 'text/plain', 'secret'), 'upstream-invalid', /500/],
  [
    'codes its body',
    ({ response, id }) =>
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end(gzipSync(`{"jsonrpc":"2.0","id":${id},"result":{"content":[]}}`)),
    'upstream-invalid',
    /content-encoding gzip/,
  ],
  [
    'answers more than the bound',
    ({ reply }) => reply(200, 'application/json', `{"secret":"${'x'.repeat(100_000)}"}`),
    'upstream-invalid',
    /more than 65536 bytes/,
  ],
  ['sends an event over the bound', (arrival) => events(arrival, 'x'.repeat(100_000)), 'upstream-invalid', /more than 65536 bytes/],
  [
    'sends a line without an end',
    ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const more = () => void response.write('x'.repeat(65_536), (error) => error ?? more())
      more()
    },
    'upstream-invalid',
    /more than 65536 bytes/,
  ],
]

for (const [name, act, reason, text] of failures) {
  test(`a server that ${name}: the caller hears it, the call is not repeated, the server is used on`, async (t) => {
    let calls = 0
    const script: Script = { 'tools/call': (arrival) => (calls++ === 0 ? void act(arrival) : arrival.result({ content: [] })) }
    const { server, upstream } = await openMet(t, script, { requestMs: 300 }, { answerBytes: 65_536 })
    const { answer } = await upstream.send(callOf(), called('x'))
    const refusal = refused(answer)
    assert.deepEqual([refusal.reason, refusal.server, calls], [reason, 's', 1])
    assert.match(refusal.text, text)
    assert.doesNotMatch(refusal.text, /secret/)
    assert.equal((await upstream.send(callOf(), called('x'))).answer.kind, 'complete')
    assert.ok(server.arrivals.every(({ request }) => request.url === '/mcp'))
  })
}

const log = '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"d"}}'
for (const [title, send] of [
  [
    'in an event',
    (arrival: Arrival, batch: string) => {
      events(arrival, batch)
      arrival.response.end()
    },
  ],
  ['as the body', ({ reply }: Arrival, batch: string) => reply(200, 'application/json', batch)],
] as const)
  test(`a batch ${title} is each of its messages, up to 50 of them`, async (t) => {
    const notices: string[] = []
    let logs = 1
    const { upstream } = await openMet(t, {
      'tools/call': (arrival) =>
        send(
          arrival,
          `[${Array(logs).fill(log).join(' , ')},{"jsonrpc":"2.0","id":${arrival.id},"result":{"content":[]}},{"jsonrpc":"2.0","id":"x","result":{}}]`,
        ),
    })
    const once = async () => (await upstream.send(callOf({ onNotice: (text) => notices.push(text) }), called('x'))).answer
    assert.equal((await once()).kind, 'complete')
    assert.deepEqual(notices, [log])
    logs = 48
    assert.equal((await once()).kind, 'complete')
    assert.equal(notices.length, 49)
    logs = 49
    assert.match(refused(await once()).text, /a batch of 51 messages/)
    assert.equal(notices.length, 49)
  })

test('an answer of 17 MiB is cut at 16', async (t) => {
  const { upstream } = await openMet(t, { 'tools/call': ({ reply }) => reply(200, 'application/json', 'x'.repeat(17 * 1024 * 1024)) })
  assert.match(refused((await upstream.send(callOf(), called('x'))).answer).text, /more than 16777216 bytes/)
})

test('an answer with a null id belongs to the request of its exchange', async (t) => {
  const error = '{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"m"}}'
  const { upstream } = await openMet(t, { 'tools/call': ({ reply }) => reply(500, 'application/json', error) })
  const { answer } = await upstream.send(callOf(), called('x'))
  assert.deepEqual(answer, { kind: 'failed', error: { code: -32603, message: 'm', data: undefined }, server: 's' })
})

test('what clients cause has 32 connections and a line of 1,000; what keeps the server in view does not stand behind it', async (t) => {
  let connector: Connector | undefined
  const wrap = (made: Connector) => {
    connector = made
    return made
  }
  const { server } = await openMet(t, { ping: () => {} }, {}, {}, wrap)
  assert.ok(connector !== undefined)
  const { post } = connector
  const request = (method: string, id: number) => ({
    headers: [],
    body: `{"jsonrpc":"2.0","id":${id},"method":"${method}"}`,
    id,
    timeoutMs: 5000,
  })
  const settled: string[] = []
  const pings = Array.from({ length: 1033 }, (_, i) => post({ ...request('ping', i), cause: 'client' }))
  for (const one of pings) void one.then((reply) => settled.push(reply.kind === 'failed' ? reply.failure : reply.kind))
  await server.arrived('ping', 32)
  assert.equal((await post(request('tools/list', 9000))).kind, 'message')
  await connector.delete([], 'client')
  assert.deepEqual([server.count('ping'), server.count('DELETE'), settled], [32, 0, ['busy']])
  await connector.delete([])
  assert.equal(server.count('DELETE'), 1)
})
