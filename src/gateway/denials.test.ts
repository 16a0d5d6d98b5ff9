import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { openListener } from '../listen/listen.ts'
import { createLog, createMetrics, type RequestRecord } from '../observe/observe.ts'
import { configOf, openGateway } from './open-for-test.ts'
import { openServers } from './transcripts/scripted-server.ts'

// An operator tells a typo, a name that the agent does not select and one that a rule hides apart; a client can't.

const denies = {
  hush: 'mcp.tool.name == "hush" || mcp.prompt.name == "hush" || mcp.resource.uri.startsWith("hush:")',
  force: 'has(mcp.tool.arguments.force) && mcp.tool.arguments.force',
  server: 'mcp.resource.server == "away"',
}
const at = (rule: keyof typeof denies) => `policies.authorize.deny[${Object.keys(denies).indexOf(rule)}]`

const document = (url: string, policies: string) => `
servers: { s: "${url}/s", away: "${url}/away" }
agents:
  a: { tools: ["*", "!s_left"], prompts: ["*", "!s_left"], resources: ["*", "!s+left:*"] }
  none: { tools: ["*", "!s_left"] }
  closed: { tools: ["*"], access: 'source.address == "192.0.2.1"' }
${policies}`

const rules = `policies: { authorize: { deny: ${JSON.stringify(Object.values(denies))} } }`

const offers = new Map([
  ['tools', ['here', 'hush', 'left']],
  ['prompts', ['here', 'hush', 'left']],
  ['resources', ['here:1', 'hush:1', 'hush:2', 'left:1']],
  ['capabilities', ['{"completions":{},"resources":{"subscribe":true}}']],
])

const eras = ['legacy', 'modern'] as const

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

async function open(t: TestContext, era: (typeof eras)[number], policies = rules) {
  const servers = await openServers(['s', 'away'].map((name) => ({ name, kind: era === 'modern' ? 'modern' : 'seed', offers })))
  const asked: string[] = []
  for (const server of servers.byName.values()) {
    server.isPlaying = false
    const take = server.take.bind(server)
    server.take = (arrival) => {
      asked.push(arrival.body)
      take(arrival)
    }
  }
  const stream = new PassThrough().setEncoding('utf8')
  const log = createLog({ level: 'info', format: 'json', color: false, stream })
  const metrics = createMetrics()
  const { gateway, port, close } = await openGateway(configOf(document(servers.url, policies)), openListener, { log, metrics })
  t.after(async () => {
    await close()
    servers.close()
  })
  await gateway.settled()
  const sessions = new Map<string, string>()
  const send = async (agent: string, body: object, more: Readonly<Record<string, string>> = {}, signal?: AbortSignal) => {
    const session = sessions.get(agent)
    const reply = await fetch(`http://127.0.0.1:${port}/mcp/${agent}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(session === undefined ? {} : { 'mcp-session-id': session }),
        ...more,
      },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    })
    if (reply.headers.has('mcp-session-id')) sessions.set(agent, reply.headers.get('mcp-session-id') ?? '')
    return reply
  }
  const request = (agent: string, method: string, params: object, signal?: AbortSignal) => {
    if (era === 'legacy') return send(agent, { jsonrpc: '2.0', id: 1, method, params }, {}, signal)
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'c', version: '1' },
    }
    const { name, uri } = params as { readonly name?: string; readonly uri?: string }
    const named = method.startsWith('completion/') ? undefined : (name ?? uri)
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...(named === undefined ? {} : { 'mcp-name': named }) }
    return send(agent, { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }, headers, signal)
  }
  return {
    /** Bodies of what reached the servers. */
    asked,
    status: () => gateway.status(),
    metrics,
    request,
    send,
    async ask(agent: string, method: string, params: object = {}): Promise<Reply> {
      const reply = await request(agent, method, params)
      const { date: _date, ...headers } = Object.fromEntries(reply.headers)
      return {
        status: reply.status,
        headers,
        text: (await reply.text()).replace(/"(mcplex\.dev\/)?requestId":"[^"]+"/g, '"requestId":"R"'),
      }
    },
    async hello(agent: string, protocolVersion = '2025-11-25') {
      const params = { protocolVersion, capabilities: {}, clientInfo: { name: 'c', version: '1' } }
      if (era === 'legacy') assert.equal((await send(agent, { jsonrpc: '2.0', id: 0, method: 'initialize', params })).status, 200)
    },
    /** What of the newest request's line there is. */
    logged(): RequestRecord {
      log.flush()
      const lines = (stream.read() as string).trimEnd().split('\n')
      return JSON.parse(lines.at(-1) ?? '') as RequestRecord
    },
    async denials() {
      return [...(await metrics.text()).matchAll(/^mcplex_policy_denials_total\{(.*)\} (\d+)$/gm)].map(
        ([, labels, count]) => `${labels} ${count}`,
      )
    },
  }
}

const completion = (ref: object) => ({ ref, argument: { name: 'id', value: 'x' } })

/** Each way to name something; `names` are one that is nowhere, one that is not selected, and one that a rule hides. */
const namings: readonly (readonly [
  what: string,
  method: string,
  params: (name: string) => object,
  names: readonly [string, string, string],
])[] = [
  ['a tool', 'tools/call', (name) => ({ name, arguments: {} }), ['s_gone', 's_left', 's_hush']],
  ['a prompt', 'prompts/get', (name) => ({ name }), ['s_gone', 's_left', 's_hush']],
  ['a resource', 'resources/read', (uri) => ({ uri }), ['x+hush:1', 's+left:1', 's+hush:1']],
  ['a resource in no list', 'resources/read', (uri) => ({ uri }), ['x+hush:7', 's+left:7', 's+hush:7']],
  ['a prompt to complete', 'completion/complete', (name) => completion({ type: 'ref/prompt', name }), ['s_gone', 's_left', 's_hush']],
  [
    'a resource to complete',
    'completion/complete',
    (uri) => completion({ type: 'ref/resource', uri }),
    ['x+hush:1', 's+left:1', 's+hush:1'],
  ],
  ['a resource to subscribe to', 'resources/subscribe', (uri) => ({ uri }), ['x+hush:1', 's+left:1', 's+hush:1']],
  ['a resource to unsubscribe from', 'resources/unsubscribe', (uri) => ({ uri }), ['x+hush:1', 's+left:1', 's+hush:1']],
]

for (const era of eras) {
  for (const [what, method, params, [typo, unselected, hidden]] of namings) {
    if (era === 'modern' && method.endsWith('subscribe')) continue
    if (era === 'modern' && method.endsWith('unsubscribe')) continue
    test(`${what} that is hidden has its reason in the log and the metrics, and no ${era} client sees it (${method})`, async (t) => {
      const { hello, ask, logged, metrics, denials } = await open(t, era)
      await hello('a')
      const replies: Reply[] = []
      const reasons = ['unknown-name', 'not-selected', 'hidden-by-rule']
      for (const [i, name] of [typo, unselected, hidden].entries()) {
        const reply = await ask('a', method, params(name))
        assert.ok(reply.text.includes('"error"'), reply.text)
        replies.push({ ...reply, text: reply.text.replaceAll(name, 'NAME') })
        const { outcome, reason, rule, server, agent } = logged()
        const expected = {
          outcome: 'refused',
          reason: reasons[i],
          rule: i === 2 ? at('hush') : undefined,
          server: i === 0 ? undefined : 's',
          agent: 'a',
        }
        assert.deepEqual({ outcome, reason, rule, server, agent }, expected)
        assert.ok((await metrics.text()).includes(`error_type="${reason}"`))
      }
      assert.deepEqual([replies[1], replies[2]], [replies[0], replies[0]])
      assert.deepEqual(await denials(), [`mcplex_agent="a",mcplex_rule="${at('hush')}" 1`])
    })
  }

  test(`a ${era} client’s lists are recorded with how much of them rules withhold`, async (t) => {
    const { hello, ask, logged, denials } = await open(t, era)
    await hello('a')
    const rows = [
      ['tools/list', 2],
      ['prompts/list', 2],
      ['resources/list', 6],
      ['resources/templates/list', undefined],
    ] as const
    for (const round of ['first', 'again'])
      for (const [method, count] of rows) {
        assert.equal((await ask('a', method)).text.includes('hush'), false)
        const { outcome, withheld } = logged()
        assert.deepEqual({ outcome, withheld }, { outcome: 'ok', withheld: count }, `${method} ${round}`)
      }
    assert.deepEqual(await denials(), [])
  })

  test(`without rules nothing is withheld from a ${era} client, and what is not selected still is told apart`, async (t) => {
    const { hello, ask, logged, denials } = await open(t, era, '')
    await hello('a')
    await ask('a', 'tools/list')
    assert.equal(logged().withheld, undefined)
    for (const [name, reason] of [
      ['s_left', 'not-selected'],
      ['s_gone', 'unknown-name'],
    ]) {
      await ask('a', 'tools/call', { name })
      assert.equal(logged().reason, reason)
    }
    assert.deepEqual(await denials(), [])
  })

  test(`arguments that a rule refuses, and an agent that lets nobody in, count as denials (${era})`, async (t) => {
    const { hello, ask, logged, denials } = await open(t, era)
    await hello('none')
    for (let i = 0; i < 2; i++) await ask('none', 'tools/call', { name: 's_here', arguments: { force: true } })
    assert.equal(logged().reason, 'refused-by-rule')
    assert.equal((await ask('closed', 'ping')).status, 403)
    const { reason, rule } = logged()
    assert.deepEqual([reason, rule], ['access', 'agents.closed.access'])
    await ask('none', 'tools/call', { name: 's_here' })
    assert.equal(logged().rule, undefined)
    assert.deepEqual(await denials(), [
      `mcplex_agent="none",mcplex_rule="${at('force')}" 2`,
      'mcplex_agent="closed",mcplex_rule="agents.closed.access" 1',
    ])
  })
}

test('a URI in a spelling that rules and patterns can’t be asked about is kept back by them, though by no one rule', async (t) => {
  const route = (name: string, to: string) =>
    `- { name: ${name}, rules: [{ matches: [{ path: { type: Exact, value: /mcp/${name} } }], backends: [{ ${to} }] }] }`
  const routes = `routes:\n${route('a', 'agent: a')}\n${route('all', 'backend: default')}`
  const { ask, logged, denials } = await open(t, 'modern', `${rules}\n${routes}`)
  for (const [agent, reason] of [
    ['a', 'not-selected'],
    ['all', 'hidden-by-rule'],
  ] as const) {
    await ask(agent, 'resources/read', { uri: 's+file:///a/../b' })
    const record = logged()
    assert.deepEqual([record.reason, record.rule, record.server], [reason, undefined, 's'])
  }
  assert.deepEqual(await denials(), ['mcplex_agent="",mcplex_rule="" 1'])
})

test('a stream is recorded with how many of its subscriptions rules withhold', async (t) => {
  const { request, logged, denials } = await open(t, 'modern')
  const gone = new AbortController()
  t.after(() => gone.abort())
  const resourceSubscriptions = ['s+hush:1', 's+hush:2', 's+here:1', 's+left:1', 'x+here:1']
  const reply = await request('a', 'subscriptions/listen', { notifications: { resourceSubscriptions } }, gone.signal)
  assert.equal(reply.status, 200)
  const { outcome, withheld, rule } = logged()
  assert.deepEqual({ outcome, withheld, rule }, { outcome: 'ok', withheld: 2, rule: at('hush') })
  assert.deepEqual(await denials(), [`mcplex_agent="a",mcplex_rule="${at('hush')}" 1`])
})

const noSubscriptions = `policies: { authorize: { deny: ['mcp.method == "resources/subscribe" && mcp.resource.uri == "hush:1"'] } }`

test('a rule about subscribing refuses it to a legacy client, and nothing but that', async (t) => {
  const { hello, ask, logged, denials } = await open(t, 'legacy', noSubscriptions)
  await hello('a')
  assert.equal((await ask('a', 'resources/list')).text.includes('hush:1'), true)
  assert.match((await ask('a', 'resources/subscribe', { uri: 's+hush:1' })).text, /"error":.*a rule refuses this subscription/)
  const { outcome, reason, rule } = logged()
  assert.deepEqual({ outcome, reason, rule }, { outcome: 'refused', reason: 'refused-by-rule', rule: 'policies.authorize.deny[0]' })
  await ask('a', 'resources/subscribe', { uri: 's+hush:2' })
  assert.notEqual(logged().reason, 'refused-by-rule')
  assert.deepEqual(await denials(), ['mcplex_agent="a",mcplex_rule="policies.authorize.deny[0]" 1'])
})

test('a rule about subscribing keeps a resource from the streams of modern clients', async (t) => {
  const { request, logged, asked } = await open(t, 'modern', noSubscriptions)
  const gone = new AbortController()
  t.after(() => gone.abort())
  const resourceSubscriptions = ['s+hush:1', 's+hush:2']
  const reply = await request('a', 'subscriptions/listen', { notifications: { resourceSubscriptions } }, gone.signal)
  assert.equal(reply.status, 200)
  const subscribed = asked.filter((body) => body.includes('subscriptions/listen')).join()
  assert.deepEqual([subscribed.includes('hush:1'), subscribed.includes('hush:2')], [false, true])
  const { withheld, rule } = logged()
  assert.deepEqual({ withheld, rule }, { withheld: 1, rule: 'policies.authorize.deny[0]' })
})

test('denials in a batch are counted, each', async (t) => {
  const { hello, send, denials } = await open(t, 'legacy')
  await hello('none', '2025-03-26')
  const call = (id: number, name: string, args = {}) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } })
  const reply = await send('none', [
    call(1, 's_here'),
    call(2, 's_hush'),
    call(3, 's_left'),
    call(4, 's_here', { force: true }),
    call(5, 's_hush'),
  ])
  assert.equal(((await reply.json()) as unknown[]).length, 5)
  assert.deepEqual(await denials(), [
    `mcplex_agent="none",mcplex_rule="${at('hush')}" 2`,
    `mcplex_agent="none",mcplex_rule="${at('force')}" 1`,
  ])
})

test('the status says how many tools an agent selects, and how many of them rules leave to whoever proves nothing', async (t) => {
  const { status } = await open(t, 'modern')
  assert.deepEqual(status().agents, [
    { name: 'a', tools: 5, anonymousTools: 3 },
    { name: 'none', tools: 5, anonymousTools: 3 },
    { name: 'closed', tools: 6, anonymousTools: undefined },
  ])
  const { status: withoutRules } = await open(t, 'modern', '')
  assert.deepEqual(withoutRules().agents[0], { name: 'a', tools: 5, anonymousTools: 5 })
})
