import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { openListener } from '../listen/listen.ts'
import { type Arrival, events, modernScript, openScripted, type Script, type ScriptedServer } from '../upstream/open-for-test.ts'
import { configOf, openGateway } from './open-for-test.ts'

// What was begun with a server goes on with it, and with no other, when a new configuration takes it away.

async function scripted(t: TestContext, script: Script = {}): Promise<ScriptedServer> {
  const server = await openScripted(script)
  t.after(() => server.close())
  return server
}

/** A legacy server that gives session ids, of which the first is its gateway's own. */
function keeping(letter: string, more: Script = {}, capabilities: object = { tools: {} }): Script {
  let count = 0
  const answer = { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: letter, version: '1' } }
  return { initialize: ({ result }) => result(answer, { 'mcp-session-id': `${letter}-${++count}` }), ...more }
}

type Servers = Readonly<Record<string, string | { readonly http: string; readonly ttl: string }>>

async function open(t: TestContext, servers: Servers) {
  const configFor = (named: Servers) => configOf(JSON.stringify({ servers: named }))
  const { gateway, port, close } = await openGateway(configFor(servers), openListener)
  t.after(close)
  await gateway.settled()
  const send = (message: object, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`http://127.0.0.1:${port}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    })
  return {
    send,
    /** A legacy client's stream. */
    listen: (headers: Readonly<Record<string, string>>) =>
      fetch(`http://127.0.0.1:${port}/mcp`, { headers: { accept: 'text/event-stream', ...headers } }),
    async apply(named: Servers) {
      gateway.apply(configFor(named))
      await gateway.settled()
    },
    closeNow: () => gateway.close(0),
    /** A legacy client's session: the header that names it. */
    async session() {
      const params = { protocolVersion: '2025-11-25', capabilities: { elicitation: {} }, clientInfo: { name: 'c', version: '1' } }
      const reply = await send({ id: 0, method: 'initialize', params })
      await reply.text()
      return { 'mcp-session-id': reply.headers.get('mcp-session-id') ?? '' }
    },
    /** A modern client's call of `s_x`. */
    async call(more: object = {}) {
      const _meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
      }
      const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 's_x' }
      const reply = await send({ id: 1, method: 'tools/call', params: { name: 's_x', ...more, _meta } }, headers)
      return (await reply.json()) as Reply
    },
  }
}

interface Reply {
  readonly result?: { readonly resultType?: string; readonly requestState?: string; readonly content?: unknown }
  readonly error?: { readonly code: number; readonly message: string }
}

interface Message extends Reply {
  readonly id: string | number
  readonly method?: string
}

/** The messages of an event stream, one by one. */
async function* messagesOf(reply: Response): AsyncGenerator<Message, undefined> {
  let text = ''
  for await (const chunk of reply.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      if (text.startsWith('data: ')) yield JSON.parse(text.slice('data: '.length, end))
      text = text.slice(end + 2)
    }
  }
  return undefined
}

async function next(messages: AsyncGenerator<Message, undefined>): Promise<Message> {
  const { value } = await messages.next()
  assert.ok(value, 'the stream has ended')
  return value
}

const question = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: { type: 'object', properties: {} } } }
const asking = (arrival: Arrival) => void events(arrival, JSON.stringify({ jsonrpc: '2.0', id: 'q', ...question }))
const finish = ({ response, id }: Arrival) =>
  void response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result: { content: [] } })}\n\n`)
const accepted = { action: 'accept', content: {} }

for (const [kind, script] of [
  ['with sessions', keeping('a', { 'tools/call': asking })],
  ['without sessions', { 'tools/call': asking }],
] as const)
  for (const [how, isReplaced] of [
    ['is taken away', false],
    ['gives its name to another', true],
  ] as const)
    test(`a legacy server ${kind} ${how} while its question is open: the answer reaches it, and the call finishes`, async (t) => {
      const [a, b] = [await scripted(t, script), await scripted(t, keeping('b'))]
      const { send, session, apply } = await open(t, { s: a.url })
      const mine = await session()
      const messages = messagesOf(await send({ id: 1, method: 'tools/call', params: { name: 's_x' } }, mine))
      const asked = await next(messages)
      assert.equal(asked.method, 'elicitation/create')
      await apply({ [isReplaced ? 's' : 'other']: b.url })
      assert.equal((await send({ id: asked.id, result: accepted }, mine)).status, 202)
      const answer = await a.arrived('response')
      const call = await a.arrived('tools/call')
      assert.deepEqual([answer.message['id'], answer.message['result'], answer.session], ['q', accepted, call.session])
      finish(call)
      assert.deepEqual((await next(messages)).result, { content: [] })
      assert.deepEqual([b.count('response'), b.count('tools/call')], [0, 0])
    })

/** A modern server that asks in the first round of each call. */
const inRounds: Script = {
  ...modernScript,
  'tools/call': ({ params, result }) =>
    params['inputResponses'] === undefined
      ? result({ resultType: 'input_required', inputRequests: { q: question }, requestState: 'its own' })
      : result({ resultType: 'complete', content: [] }),
}

for (const [how, isReplaced] of [
  ['is taken away', false],
  ['gives its name to another', true],
] as const)
  test(`a modern server ${how} while a legacy client is asked: the call finishes there, and no other server hears of it`, async (t) => {
    const [a, b] = [await scripted(t, inRounds), await scripted(t, inRounds)]
    const { send, session, apply } = await open(t, { s: a.url })
    const mine = await session()
    const messages = messagesOf(await send({ id: 1, method: 'tools/call', params: { name: 's_x' } }, mine))
    const asked = await next(messages)
    await apply({ [isReplaced ? 's' : 'other']: b.url })
    assert.equal((await send({ id: asked.id, result: accepted }, mine)).status, 202)
    assert.deepEqual((await next(messages)).result, { content: [] })
    assert.deepEqual([a.count('tools/call'), b.count('tools/call')], [2, 0])
  })

for (const [kind, scripts] of [
  ['modern servers', [inRounds, inRounds]],
  ['legacy servers with sessions', [keeping('a', { 'tools/call': asking }), keeping('b')]],
  ['legacy servers without sessions', [{ 'tools/call': asking }, {}]],
  ['a legacy server before a modern one', [{ 'tools/call': asking }, inRounds]],
  ['a modern server before a legacy one', [inRounds, {}]],
] as const)
  test(`${kind} of one name in turn: a requestState of the first is not good for the second`, async (t) => {
    const [a, b] = [await scripted(t, scripts[0]), await scripted(t, scripts[1])]
    const { call, apply } = await open(t, { s: a.url })
    const { result } = await call()
    assert.equal(result?.resultType, 'input_required')
    await apply({ s: b.url })
    const inputResponses = { q: accepted, 'input-1': accepted }
    const { error } = await call({ inputResponses, requestState: result.requestState })
    assert.equal(error?.code, -32602)
    assert.match(error.message, /^requestState is not good here/)
    assert.deepEqual([b.count('tools/call'), a.count('response')], [0, 0])
    // The same server under its name again takes up what it began, where that lies with the client.
    if (scripts[0] !== inRounds) return
    await apply({ s: a.url })
    assert.deepEqual((await call({ inputResponses, requestState: result.requestState })).result?.content, [])
  })

test('legacy servers of one name in turn: a client’s session with the first is not named to the second', async (t) => {
  const [a, b] = [await scripted(t, keeping('a')), await scripted(t, keeping('b'))]
  const { send, session, apply } = await open(t, { s: a.url })
  const mine = await session()
  const call = async () => ((await (await send({ id: 1, method: 'tools/call', params: { name: 's_x' } }, mine)).json()) as Reply).result
  assert.deepEqual(await call(), { content: [] })
  assert.equal((await a.arrived('tools/call')).session, 'a-2')
  await apply({ s: b.url })
  assert.deepEqual(await call(), { content: [] })
  assert.deepEqual(
    b.arrivals.filter(({ session: id }) => id?.startsWith('a')).map(({ method }) => method),
    [],
  )
  assert.equal((await b.arrived('tools/call')).session, 'b-2')
  const opened = await b.arrived('initialize', 2)
  assert.deepEqual(opened.params['capabilities'], { elicitation: {} })
  // Back at the first, where its own session is still known.
  await apply({ s: a.url })
  assert.deepEqual(await call(), { content: [] })
  assert.deepEqual(
    a.arrivals.filter(({ session: id }) => id?.startsWith('b')).map(({ method }) => method),
    [],
  )
})

test('other settings of a server: open streams go on with it, what was subscribed to stays, and so do the clients’ sessions', async (t) => {
  const answer = {
    protocolVersion: '2025-11-25',
    capabilities: { tools: {}, resources: { subscribe: true } },
    serverInfo: { name: 'a', version: '1' },
  }
  let count = 0
  const streams: { readonly session: string | undefined; readonly write: (text: string) => void }[] = []
  const a = await scripted(t, {
    initialize: ({ result }) => result(answer, { 'mcp-session-id': `a-${++count}` }),
    GET(arrival) {
      events(arrival)
      streams.push({ session: arrival.session, write: (text) => void arrival.response.write(`data: ${text}\n\n`) })
    },
    'resources/list': ({ result }) => result({ resources: [{ uri: 'note:1', name: 'n' }] }),
    'resources/templates/list': ({ result }) => result({ resourceTemplates: [] }),
    'resources/subscribe': ({ result }) => result({}),
  })
  const { send, listen, session, apply } = await open(t, { s: a.url })
  const mine = await session()
  const messages = messagesOf(await listen(mine))
  await (await send({ id: 1, method: 'resources/subscribe', params: { uri: 's+note:1' } }, mine)).text()
  await a.arrived('GET')
  const before = streams.length
  await apply({ s: { http: a.url, ttl: '61s' } })
  while (!streams.slice(before).some((stream) => stream.session === 'a-2')) await a.arrived('GET', streams.length + 1)
  streams
    .findLast((stream) => stream.session === 'a-2')
    ?.write('{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"note:1"}}')
  // Until its lists are known anew they may be told of as changed.
  let told = await next(messages)
  while (told.method?.endsWith('/list_changed')) told = await next(messages)
  const { method, params } = told as Message & { readonly params?: unknown }
  assert.deepEqual([method, params], ['notifications/resources/updated', { uri: 's+note:1' }])
  assert.deepEqual(
    a.arrivals.filter((one) => one.method === 'DELETE' && one.session === 'a-2'),
    [],
  )
})

test('a gateway that closes does not wait for a server that is on its way out, and ends its sessions', async (t) => {
  const [a, b] = [await scripted(t, keeping('a', { 'tools/call': () => {} })), await scripted(t)]
  const { send, session, apply, closeNow } = await open(t, { s: a.url })
  const sent = send({ id: 1, method: 'tools/call', params: { name: 's_x' } }, await session())
  await a.arrived('tools/call')
  await apply({ other: b.url })
  assert.equal(a.count('DELETE'), 0)
  await closeNow()
  const ended = a.arrivals.filter(({ method }) => method === 'DELETE').map((one) => one.session)
  assert.deepEqual(ended.toSorted(), ['a-1', 'a-2'])
  await (await sent).text()
})

test('a log level set while a server is not there reaches the session that it opens later, before the call', async (t) => {
  const a = await scripted(t, { initialize: ({ reply }) => reply(500, 'text/plain', '') })
  const { send, session } = await open(t, { s: a.url })
  const mine = await session()
  const ask = async (method: string, params: object) => ((await (await send({ id: 1, method, params }, mine)).json()) as Reply).result
  assert.deepEqual(await ask('logging/setLevel', { level: 'error' }), {})
  a.script = keeping('a', {}, { tools: {}, logging: {} })
  await a.arrived('tools/list')
  while ((await ask('tools/call', { name: 's_x' })) === undefined);
  const told = a.arrivals.filter((one) => one.session === 'a-2' && one.method !== 'notifications/initialized')
  assert.deepEqual(
    told.map(({ method, params }) => [method, params['level']]),
    [
      ['logging/setLevel', 'error'],
      ['tools/call', undefined],
    ],
  )
})

// Where the old watch is left alone nothing tells so: the call in flight keeps it for a minute.
test('a server with sessions in place of a modern one: unsubscribing stops the old watch, and reaches the new server', {
  timeout: 20_000,
}, async (t) => {
  const resources = {
    'resources/list': ({ result }: Arrival) =>
      result({ resultType: 'complete', ttlMs: 1000, cacheScope: 'public', resources: [{ uri: 'note:1', name: 'n' }] }),
    'resources/templates/list': ({ result }: Arrival) =>
      result({ resultType: 'complete', ttlMs: 1000, cacheScope: 'public', resourceTemplates: [] }),
  }
  const capabilities = { tools: {}, resources: { subscribe: true } }
  const a = await scripted(t, {
    ...modernScript,
    ...resources,
    'server/discover': ({ result }) => result({ resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities }),
    'subscriptions/listen': (arrival) => {
      const notifications = { resourceSubscriptions: ['note:1'] }
      const _meta = { 'io.modelcontextprotocol/subscriptionId': arrival.id }
      const params = { _meta, notifications }
      events(arrival, JSON.stringify({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params }))
    },
    'tools/call': () => {},
  })
  const b = await scripted(t, keeping('b', { ...resources, 'resources/unsubscribe': ({ result }) => result({}) }, capabilities))
  const { send, session, apply } = await open(t, { s: a.url })
  const mine = await session()
  const ask = async (method: string, params: object) => (await (await send({ id: 1, method, params }, mine)).json()) as Reply
  assert.deepEqual((await ask('resources/subscribe', { uri: 's+note:1' })).result, {})
  const watching = await a.arrived('subscriptions/listen')
  const stopped = once(watching.response, 'close')
  const held = send({ id: 2, method: 'tools/call', params: { name: 's_x' } }, mine)
  const call = await a.arrived('tools/call')
  await apply({ s: b.url })
  assert.equal(watching.response.closed, false)
  assert.deepEqual((await ask('resources/unsubscribe', { uri: 's+note:1' })).result, {})
  const { session: told, params } = await b.arrived('resources/unsubscribe')
  assert.deepEqual([told, params['uri']], ['b-2', 'note:1'])
  await stopped
  call.result({ resultType: 'complete', content: [] })
  await (await held).text()
})
