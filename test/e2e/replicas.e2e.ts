import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Client as Client2, StreamableHTTPClientTransport as Transport2 } from '@modelcontextprotocol/client'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import type { SessionReport } from './fixtures/stateful-server.ts'
import { atEnd } from './setup/at-end.ts'
import { textOf } from './setup/clients.ts'
import { ask, fixtureServer } from './setup/fixture-server.ts'
import { legacySession, openLegacySession } from './setup/legacy-session.ts'
import { send, type WireMessage } from './setup/mcp-post.ts'
import { newSecret, replicaPair, startWith } from './setup/replica-pair.ts'
import { type RoundRobin, roundRobin } from './setup/round-robin.ts'
import { askable, callAt, filled, roundOf, sampled } from './setup/rounds.ts'
import type { Upstream } from './setup/upstreams.ts'
import { until } from './setup/wait.ts'

test('the round-robin gives every request to the other, passes streams as they come, and breaks what breaks', async (t) => {
  const targets = await Promise.all([0, 1].map((index) => streamer(t, index)))
  const balancer = await roundRobin(
    t,
    targets.map(({ origin }) => origin),
  )
  const post = { method: 'POST', headers: {}, body: '{"method":"x"}' } as const
  for (const expected of [0, 1, 0, 1]) {
    const { messages } = await send(balancer.url, post)
    assert.deepEqual((await messages.next()).value, { result: { from: expected } })
    // The target is still to write its second event.
    targets[expected]?.goOn()
    assert.deepEqual((await messages.next()).value, { result: { saw: post.body } })
    assert.equal((await messages.next()).done, true)
  }
  assert.deepEqual(
    balancer.passed.map(({ to, http, method }) => `${to} ${http} ${method}`),
    ['0 POST x', '1 POST x', '0 POST x', '1 POST x'],
  )
  balancer.next(1)
  const broken = await send(balancer.url, post)
  await broken.messages.next()
  targets[1]?.stop()
  await assert.rejects(broken.messages.next())
  balancer.next(1)
  assert.equal((await send(balancer.url, post)).status, 502)
  balancer.only(0)
  const left = await send(balancer.url, post)
  await left.messages.next()
  await left.messages.return(undefined)
  await targets[0]?.gone
})

test('a legacy session over a server with sessions', async (t) => {
  await t.test('directly', async (t) => {
    const server = await fixtureServer(t, 'stateful-server.ts')
    await liveSession(t, server.url, server, { tool: (name) => name, uri: (uri) => uri })
  })
  await t.test('with every request on the other process', async (t) => {
    const { balancer, stateful } = await replicaPair(t)
    await liveSession(t, balancer.url, stateful, exposed, balancer)
    const counts = [0, 1].map((index) => balancer.passed.filter(({ to }) => to === index).length)
    assert.ok(Math.min(...counts) >= 10, `requests: ${counts.join(' and ')}`)
  })
})

test('a legacy session over a modern server works on either process; what it is asked must be answered where the call waits', async (t) => {
  const { first, second, asking } = await replicaPair(t)
  const session = await openLegacySession(first.url, { elicitation: {} })
  for (const [index, { url }] of [second, first, second].entries()) {
    const echoed = await session.call(url, 'asking_echo', { message: `turn ${index}` })
    assert.equal(textOf(echoed.response?.result ?? {}), `turn ${index}`)
    const read = await session.request(url, 'resources/read', { uri: 'asking+note://two' })
    assert.deepEqual(read.response?.result?.['contents'], [{ uri: 'asking+note://two', text: 'second note' }])
    const got = await session.request(url, 'prompts/get', { name: 'asking_part', arguments: { name: 'Ada' } })
    assert.match(JSON.stringify(got.response?.result), /Part from Ada/)
  }
  const { messages } = await session.open(first.url, 'asking_quiz', { topic: 'paint' })
  for (const [key, value] of [
    ['name', 'Ada'],
    ['colour', 'red'],
  ] as const) {
    const { value: question } = await messages.next()
    assert.equal(question?.method, 'elicitation/create')
    const elsewhere = await session.respond(second.url, question?.id, filled(key, value))
    assert.ok(elsewhere.status >= 400, `the other process took a response to what it has not asked: ${elsewhere.status}`)
    assert.equal((await session.respond(first.url, question?.id, filled(key, value))).status, 202)
  }
  assert.equal(textOf((await messages.next()).value?.result ?? {}), 'paint: Ada likes red')
  assert.deepEqual(await ask(asking, '/executions'), { echo: 3, quiz: 3 })
})

test('a modern call in rounds over a modern server', async (t) => {
  await t.test('directly', async (t) => {
    const server = await fixtureServer(t, 'asking-server.ts')
    assert.equal(await quizBySdk(t, server.url, 'quiz'), 'paint: Ada likes red')
  })
  await t.test('with every round on the other process', async (t) => {
    const { balancer, asking } = await replicaPair(t)
    for (const start of [0, 1]) {
      assert.equal(await quizBySdk(t, balancer.url, 'asking_quiz', () => balancer.next(start)), 'paint: Ada likes red')
      const calls = balancer.passed.filter(({ method }) => method === 'tools/call').slice(-3)
      assert.deepEqual(
        calls.map(({ to }) => to),
        [start, 1 - start, start],
      )
    }
    assert.deepEqual(await ask(asking, '/executions'), { quiz: 6 })
  })
})

test('a requestState is good for its own call only', async (t) => {
  const { first, second, asking } = await replicaPair(t)
  const call = { name: 'asking_quiz', arguments: { topic: 'paint' } }
  const asked = roundOf(await callAt(first.url, call))
  const round = roundOf(await callAt(second.url, call, asked, filled('name', 'Ada')))
  const before = await ask(asking, '/executions')
  const token = round.state ?? ''
  const refused: readonly (readonly [string, typeof call | { readonly name: string }, string])[] = [
    ...changedTokens(token).map((state) => ['tampered', call, state] as const),
    ['the bare name', call, 'Ada'],
    ['another tool', { ...call, name: 'asking_riddle' }, token],
    ['a tool of another server', { name: 'stateful_ask' }, token],
    ['other arguments', { ...call, arguments: { topic: 'war' } }, token],
  ]
  for (const [what, other, state] of refused) {
    const { error, result } = await callAt(first.url, other, { ...round, state }, filled('colour', 'red'))
    assert.equal(error?.code, -32602, `${what}: ${JSON.stringify(error ?? result)}`)
  }
  assert.deepEqual(await ask(asking, '/executions'), before)
  const done = await callAt(first.url, call, round, filled('colour', 'red'))
  assert.equal(textOf(done.result ?? {}), 'paint: Ada likes red')
})

test('a modern call that waits in a legacy server goes on where it waits, and is an error elsewhere', async (t) => {
  const { first, second, stateful } = await replicaPair(t)
  const call = { name: 'stateful_ask' }
  const who = roundOf(await callAt(first.url, call))
  assert.equal(who.method, 'elicitation/create')
  assert.equal(typeof (await callAt(second.url, call, who, filled('name', 'Ada'))).error?.code, 'number')
  for (const state of changedTokens(who.state ?? ''))
    assert.equal((await callAt(first.url, call, { ...who, state }, filled('name', 'Ada'))).error?.code, -32602)
  const word = roundOf(await callAt(first.url, call, who, filled('name', 'Ada')))
  assert.equal(word.method, 'sampling/createMessage')
  assert.equal(typeof (await callAt(second.url, call, word, sampled('hush'))).error?.code, 'number')
  const done = await callAt(first.url, call, word, sampled('hush'))
  assert.equal(textOf(done.result ?? {}), answered)
  assert.equal(typeof (await callAt(first.url, call, word, sampled('hush'))).error?.code, 'number', 'the same round once more')
  assert.deepEqual(await ask(stateful, '/executions'), { ask: 1 })
})

test('kill -9 of one process: what was in flight there is lost, all else goes on at the other', async (t) => {
  const { first, second, balancer, stateful, asking } = await replicaPair(t)
  const session = await openLegacySession(first.url)
  const count = async (url: string) => textOf((await session.call(url, 'stateful_count')).response?.result ?? {})
  assert.deepEqual([await count(first.url), await count(second.url)], ['1', '2'])
  const listening = await session.listen(first.url)
  const quiz = { name: 'asking_quiz', arguments: { topic: 'paint' } }
  const name = roundOf(await callAt(first.url, quiz))
  const suspended = roundOf(await callAt(first.url, { name: 'stateful_ask' }))
  balancer.only(0)
  const lost = Promise.allSettled([
    session.call(balancer.url, 'stateful_hold').then(({ response }) => response?.result),
    callAt(balancer.url, { name: 'asking_hold' }).then(({ result }) => result),
  ])
  const kept = [callAt(second.url, { name: 'asking_hold' }), callAt(second.url, { name: 'stateful_hold' })]
  for (const server of [stateful, asking])
    await until('two held calls', async () => ((await ask<number>(server, '/held')) === 2 ? true : undefined))

  await first.kill()
  balancer.only(1)
  for (const settled of await lost) assert.ok(settled.status === 'rejected' || settled.value === undefined, JSON.stringify(settled))
  await assert.rejects(async () => {
    for (;;) if ((await listening.messages.next()).done === true) throw new Error('ended')
  })

  assert.equal(await count(balancer.url), '3')
  const colour = roundOf(await callAt(balancer.url, quiz, name, filled('name', 'Ada')))
  assert.equal(textOf((await callAt(balancer.url, quiz, colour, filled('colour', 'red'))).result ?? {}), 'paint: Ada likes red')
  assert.equal(typeof (await callAt(balancer.url, { name: 'stateful_ask' }, suspended, filled('name', 'Ada'))).error?.code, 'number')
  const another = await openLegacySession(balancer.url)
  assert.equal(textOf((await another.call(balancer.url, 'stateful_count')).response?.result ?? {}), '1')
  await until('the end of the lost stream', async () =>
    (await sessionsOf(stateful)).some(({ isListening, count }) => isListening && count === 3) ? undefined : true,
  )
  const again = await session.listen(balancer.url)
  assert.deepEqual((await session.request(balancer.url, 'resources/subscribe', { uri: 'stateful+note://one' })).response?.result, {})
  await until('the stream of the server', async () =>
    (await sessionsOf(stateful)).some(({ isListening, count }) => isListening && count === 3) ? true : undefined,
  )
  await session.call(balancer.url, 'stateful_touch', { uri: 'note://one' })
  assert.deepEqual(await updateOn(again.messages), { uri: 'stateful+note://one' })
  await again.messages.return(undefined)
  for (const server of [stateful, asking]) await fetch(`${server.origin}/release`, { method: 'POST' })
  for (const response of await Promise.all(kept)) assert.equal(textOf(response.result ?? {}), 'released')
  assert.deepEqual(await ask(stateful, '/executions'), { count: 4, ask: 1, hold: 2 })
  assert.deepEqual(await ask(asking, '/executions'), { quiz: 3, hold: 2 })
})

test('keys are rotated one process after the other: what was sealed before goes on, until its key is gone', async (t) => {
  const [old, fresh] = [newSecret(), newSecret()]
  const { first, second, stateful, asking } = await replicaPair(t, { old })
  const restart = async (replica: typeof first, keys: Readonly<Record<string, string>>) => {
    await replica.stop()
    return startWith(t, keys, stateful, asking, { port: replica.port })
  }
  const session = await openLegacySession(first.url)
  const count = async (of: typeof session, url: string) => textOf((await of.call(url, 'stateful_count')).response?.result ?? {})
  const quiz = { name: 'asking_quiz', arguments: { topic: 'paint' } }
  const name = roundOf(await callAt(first.url, quiz))
  const colour = roundOf(await callAt(first.url, quiz, name, filled('name', 'Ada')))
  const paint = async (url: string) => callAt(url, quiz, colour, filled('colour', 'red'))
  assert.equal(await count(session, first.url), '1')
  await restart(second, { fresh, old })
  assert.equal(await count(session, second.url), '2')
  assert.equal(await count(session, first.url), '3')
  const firstWithBoth = await restart(first, { fresh, old })
  assert.equal(await count(session, first.url), '4')
  assert.equal(await count(session, second.url), '5')
  assert.equal(textOf((await paint(first.url)).result ?? {}), 'paint: Ada likes red')
  const newer = await openLegacySession(first.url)
  assert.equal(await count(newer, second.url), '1')

  await restart(firstWithBoth, { fresh })
  assert.equal((await session.call(first.url, 'stateful_count')).status, 404)
  assert.equal((await paint(first.url)).error?.code, -32602)
  assert.equal(await count(newer, first.url), '2')
})

test('what another key, another route or nobody sealed is unknown', async (t) => {
  const { first, second, stateful, asking } = await replicaPair(t)
  const keys = { a: newSecret() }
  const rest = 'agents: { one: { tools: ["*"] }, two: { tools: ["*"] } }\n'
  const foreign = await startWith(t, keys, stateful, asking, { rest })
  const [one, two] = [`${foreign.url}/one`, `${foreign.url}/two`]
  const session = await openLegacySession(one)
  assert.equal(textOf((await session.call(one, 'stateful_count')).response?.result ?? {}), '1')
  for (const url of [first.url, two]) assert.equal((await session.call(url, 'stateful_count')).status, 404)
  const own = await openLegacySession(first.url)
  for (const id of [...changedTokens(own.id), 'a.', 'a.AAAA', 'x', crypto.randomUUID()])
    assert.equal((await legacySession(id).call(second.url, 'stateful_count')).status, 404, id)
  const quiz = { name: 'asking_quiz', arguments: { topic: 'paint' } }
  const round = roundOf(await callAt(one, quiz, roundOf(await callAt(one, quiz)), filled('name', 'Ada')))
  for (const url of [first.url, two]) assert.equal((await callAt(url, quiz, round, filled('colour', 'red'))).error?.code, -32602)
  assert.deepEqual(await ask(stateful, '/executions'), { count: 1 })
  assert.deepEqual(await ask(asking, '/executions'), { quiz: 2 })
})

/** How names and URIs of the server `stateful` are shown. */
interface Shown {
  readonly tool: (name: string) => string
  readonly uri: (uri: string) => string
}

const exposed: Shown = { tool: (name) => `stateful_${name}`, uri: (uri) => `stateful+${uri}` }
const answered = 'accept: {"name":"Ada"}, {"type":"text","text":"hush"}'

/** All that a session does, by a real client. With a balancer, each step begins where it says. */
async function liveSession(t: TestContext, url: string, server: Upstream, { tool, uri }: Shown, balancer?: RoundRobin): Promise<void> {
  balancer?.next(0)
  const client = new Client1({ name: 'test', version: '1' }, { capabilities: { elicitation: {}, sampling: {} } })
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { name: 'Ada' } }))
  client.setRequestHandler(CreateMessageRequestSchema, () => ({
    role: 'assistant',
    model: 'test',
    content: { type: 'text', text: 'hush' },
  }))
  const [logged, updated]: [unknown[], string[]] = [[], []]
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void logged.push(params.data))
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void updated.push(params.uri))
  const { promise: listening, resolve } = Promise.withResolvers<void>()
  const transport = new Transport1(new URL(url), {
    fetch: async (input, init) => {
      const response = await fetch(input, init)
      if (init?.method === 'GET' && response.ok) resolve()
      return response
    },
  })
  await client.connect(transport as Transport)
  atEnd(t, () => client.close())
  await listening
  assert.equal(balancer?.passed.find(({ http }) => http === 'GET')?.to ?? 0, 0)
  const call = async (name: string, args = {}) => textOf(await client.callTool({ name: tool(name), arguments: args }))

  assert.ok((await client.listTools()).tools.some(({ name }) => name === tool('count')))
  for (const count of [1, 2, 3, 4]) assert.equal(await call('count'), String(count))
  const own = await call('whoami')
  assert.equal(await call('whoami'), own)

  balancer?.next(0)
  assert.equal(await call('ask'), answered)
  const path = balancer?.passed.slice(-3).map(({ to, method }) => `${method} at ${to}`)
  assert.deepEqual(path ?? [], balancer === undefined ? [] : ['tools/call at 0', 'response at 1', 'response at 0'])

  await client.setLoggingLevel('warning')
  for (let turn = 0; turn < 2; turn++) await call('log')
  assert.deepEqual(logged, ['at warning', 'at error', 'at warning', 'at error'])

  for (let turn = 0; turn < 2; turn++) {
    assert.ok((await client.listPrompts()).prompts.some(({ name }) => name === tool('greet')))
    assert.match(JSON.stringify(await client.getPrompt({ name: tool('greet'), arguments: { name: 'Ada' } })), /Greet Ada/)
    assert.ok((await client.listResources()).resources.some((resource) => resource.uri === uri('note://one')))
    const contents = [{ uri: uri('note://one'), text: 'first note' }]
    assert.deepEqual((await client.readResource({ uri: uri('note://one') })).contents, contents)
    await client.ping()
  }

  balancer?.next(1)
  await client.subscribeResource({ uri: uri('note://one') })
  const reported = async () => (await sessionsOf(server)).find(({ id }) => id === own)
  await until('the stream of the server', async () => ((await reported())?.isListening ? true : undefined))
  await call('touch', { uri: 'note://one' })
  await until('the update', () => (updated.length > 0 ? true : undefined))
  assert.deepEqual(updated, [uri('note://one')])

  const alike = (await sessionsOf(server)).filter(({ capabilities }) => Object.keys(capabilities).sort().join() === 'elicitation,sampling')
  assert.deepEqual(
    alike.map(({ id, count }) => ({ id, count })),
    [{ id: own, count: 4 }],
  )
  const { sessionId = '' } = transport
  balancer?.next(1)
  await transport.terminateSession()
  await until('the end of the session', async () => ((await reported())?.isOpen === false ? true : undefined))
  balancer?.next(1)
  assert.equal((await legacySession(sessionId).call(url, tool('count'))).status, 404)
}

/** What the tool says in the end to a client that answers its questions by itself. */
async function quizBySdk(t: TestContext, url: string, tool: string, beforeCall?: () => void): Promise<string> {
  const options = { versionNegotiation: { mode: { pin: '2026-07-28' } }, capabilities: askable } as const
  const client = new Client2({ name: 'test', version: '1' }, options)
  const answers = { name: 'Ada', colour: 'red' }
  client.setRequestHandler('elicitation/create', ({ params }) => {
    const key = params.message.includes('name') ? 'name' : 'colour'
    return { action: 'accept', content: { [key]: answers[key] } }
  })
  await client.connect(new Transport2(new URL(url)))
  atEnd(t, () => client.close())
  beforeCall?.()
  return textOf(await client.callTool({ name: tool, arguments: { topic: 'paint' } }))
}

/** The token with one character changed: its first ones, some in the middle, its last. */
function changedTokens(token: string): string[] {
  const places = [0, 3, Math.floor(token.length / 2), token.length - 1]
  return places.map((at) => `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`)
}

const sessionsOf = (server: Upstream) => ask<SessionReport[]>(server, '/sessions')

/** The parameters of the next update on a stream. */
async function updateOn(messages: AsyncGenerator<WireMessage>): Promise<unknown> {
  for await (const { method, params } of { [Symbol.asyncIterator]: () => ({ next: () => messages.next() }) })
    if (method === 'notifications/resources/updated') return params
  throw new Error('the stream ended')
}

/** A server that answers with an event, and with a second one when it may go on. */
async function streamer(t: TestContext, from: number) {
  const { promise: gone, resolve: isGone } = Promise.withResolvers<void>()
  let goOn: () => unknown = () => undefined
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`data: ${JSON.stringify({ result: { from } })}\n\n`)
    response.once('close', isGone)
    goOn = () => response.end(`data: ${JSON.stringify({ result: { saw: text } })}\n\n`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stop = () => {
    server.close()
    server.closeAllConnections()
  }
  atEnd(t, stop)
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, gone, goOn: () => goOn(), stop }
}
