import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ListToolsResultSchema } from '@modelcontextprotocol/sdk/types.js'
import { Buffers, Cancellation } from '../mcp/mcp.ts'
import {
  called,
  callOf,
  events,
  messageOf,
  modernScript,
  openMet,
  openScripted,
  progressOf,
  refused,
  type Script,
} from './open-for-test.ts'

test('meets a legacy server by discover, then initialize, and lists its tools', async (t) => {
  const { server, upstream } = await openMet(t)
  assert.deepEqual(server.seen, ['server/discover', 'initialize', 'notifications/initialized', 'tools/list'])
  const { state, era, version, tools } = upstream.status()
  assert.deepEqual([state, era, version, tools], ['ready', 'legacy', '2025-11-25', 1])
})

test('meets a modern server by discover alone', async (t) => {
  const { server, upstream } = await openMet(t, modernScript)
  await server.arrived('subscriptions/listen')
  assert.deepEqual(server.seen, ['server/discover', 'tools/list', 'subscriptions/listen'])
  assert.deepEqual([upstream.status().era, upstream.cacheHint('tools').isPublic], ['modern', true])
  assert.ok(upstream.cacheHint('tools').ttlMs <= 1000)
})

test('a pin to legacy asks no discover; a pin to modern takes nothing else', async (t) => {
  const legacy = await openMet(t, modernScript, { era: 'legacy' })
  assert.deepEqual(legacy.server.seen.slice(0, 2), ['initialize', 'notifications/initialized'])
  const modern = await openMet(t, {}, { era: 'modern' })
  assert.deepEqual([modern.upstream.status().state, modern.server.seen.includes('initialize')], ['down', false])
  assert.match(modern.upstream.status().lastError ?? '', /2026-07-28/)
})

const unknownVersions = '{"jsonrpc":"2.0","id":null,"error":{"code":-32022,"message":"m","data":{"supported":["2027-01-01"]}}}'

test('a server that refuses its own version once is asked again, never taken for a legacy one', async (t) => {
  const refusal = (supported: string) =>
    `{"jsonrpc":"2.0","id":null,"error":{"code":-32022,"message":"m","data":{"supported":["${supported}"]}}}`
  let asked = 0
  const single = await openMet(t, {
    ...modernScript,
    'server/discover': (arrival) =>
      ++asked === 1 ? arrival.reply(400, 'application/json', refusal('2026-07-28')) : modernScript['server/discover']?.(arrival),
  })
  assert.deepEqual([single.upstream.status().era, asked], ['modern', 2])
  const always = await openMet(t, { 'server/discover': ({ reply }) => reply(400, 'application/json', refusal('2026-07-28')) })
  assert.deepEqual([always.upstream.status().state, always.server.seen.includes('initialize')], ['down', false])
  const legacy = await openMet(t, { 'server/discover': ({ reply }) => reply(400, 'application/json', refusal('2025-11-25')) })
  assert.equal(legacy.upstream.status().era, 'legacy')
})

test('a schema that has come to want a header: the list is asked again, and the refused call sent once more', async (t) => {
  const properties = { a: { type: 'string', 'x-mcp-header': 'A' } }
  let isNew = false
  const { server, upstream } = await openMet(t, {
    ...modernScript,
    'tools/list': ({ result }) =>
      result({ resultType: 'complete', tools: [tool('x', { inputSchema: { type: 'object', ...(isNew ? { properties } : {}) } })] }),
    'tools/call': ({ request, reply, result, id }) => {
      isNew = true
      if (request.headers['mcp-param-a'] === 'v') result({ resultType: 'complete', content: [] })
      else reply(400, 'application/json', `{"jsonrpc":"2.0","id":${id},"error":{"code":-32020,"message":"m"}}`)
    },
  })
  const message = messageOf('{"name":"s_x","arguments":{"a":"v"}}')
  assert.equal((await upstream.send(callOf({ message }), called('x'))).answer.kind, 'complete')
  assert.equal(server.count('tools/call'), 2)
})

test('an invalid x-mcp-header makes a tool of a modern server invalid; an older server may have what it likes there', async (t) => {
  const odd = tool('odd', { inputSchema: { type: 'object', properties: { a: { type: 'number', 'x-mcp-header': 'A' } } } })
  const modern = await openMet(t, { ...modernScript, 'tools/list': ({ result }) => result({ tools: [tool('x'), odd] }) })
  assert.deepEqual([modern.upstream.entries('tools').length, modern.dropped.length], [1, 1])
  const legacy = await openMet(t, { 'tools/list': ({ result }) => result({ tools: [tool('x'), odd] }) })
  assert.deepEqual([legacy.upstream.entries('tools').length, legacy.dropped], [2, []])
})

test('what an authentication layer says to a call is not the server’s answer', async (t) => {
  const rpc = '{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"who?"}}'
  for (const [status, body] of [
    [401, '{"error":"invalid_token"}'],
    [403, rpc],
    [401, ''],
  ] as const) {
    const { upstream } = await openMet(t, { 'tools/call': ({ reply }) => reply(status, 'application/json', body) })
    assert.equal(refused((await upstream.send(callOf(), called('x'))).answer).reason, 'upstream-auth')
  }
  const busy = await openMet(t, { 'tools/call': ({ reply }) => reply(429, 'application/json', '{"error":"slow down"}') })
  assert.match(refused((await busy.upstream.send(callOf(), called('x'))).answer).text, /answered tools\/call with 429: it limits requests$/)
})

test('a discover that fails with 500, 401, a page or a redirect is no verdict on the era', async (t) => {
  for (const [status, type, body, text] of [
    [500, 'text/plain', 'oops', /status 500/],
    [503, 'text/html', '<html>', /status 503/],
    [503, 'application/json', '{"error":"starting"}', /status 503/],
    [401, 'application/json', '{"error":"no"}', /401/],
    [307, 'text/plain', '', /redirect \(307\)/],
    [400, 'application/json', unknownVersions, /not known here: 2027-01-01/],
    [200, 'text/html', '<html>', /a web page \(200\)/],
  ] as const) {
    const { server, upstream } = await openMet(t, { 'server/discover': ({ reply }) => reply(status, type, body) })
    assert.equal(upstream.status().state, 'down')
    assert.match(upstream.status().lastError ?? '', text)
    assert.ok(!server.seen.includes('initialize'))
  }
})

test('a discover that answers a legacy error with whatever status leads to initialize', async (t) => {
  for (const [status, code] of [
    [200, -32601],
    [400, -32600],
    [500, -32603],
    [404, -32000],
    [400, -32020],
  ] as const) {
    const { upstream } = await openMet(t, {
      'server/discover': ({ reply }) =>
        reply(status, 'application/json', `{"jsonrpc":"2.0","id":null,"error":{"code":${code},"message":"m"}}`),
    })
    assert.equal(upstream.status().era, 'legacy', String(code))
  }
})

test('progress restarts the time-out', async (t) => {
  const notices: string[] = []
  const script: Script = {
    'tools/call'(arrival) {
      const progress = progressOf(arrival)
      events(arrival, progress)
      let ticks = 0
      const timer = setInterval(() => {
        if (++ticks < 8) return void arrival.response.write(`data: ${progress}\n\n`)
        clearInterval(timer)
        arrival.response.end(`data: {"jsonrpc":"2.0","id":${arrival.id},"result":{"content":[]}}\n\n`)
      }, 100)
    },
  }
  const { upstream } = await openMet(t, script, { requestMs: 400 })
  const message = messageOf('{"name":"s_x","_meta":{"progressToken":1}}')
  const { answer } = await upstream.send(callOf({ message, onNotice: (notice) => notices.push(notice) }), called('x'))
  assert.deepEqual([answer.kind, notices.length], ['complete', 8])
})

test('a flood of the server’s own requests is not answered with a flood', async (t) => {
  const ping = (i: number) => `{"jsonrpc":"2.0","id":${i},"method":"ping"}`
  const script: Script = {
    response: () => {},
    'tools/call'(arrival) {
      events(arrival, ...Array.from({ length: 1500 }, (_, i) => ping(i)))
      arrival.response.end(`data: {"jsonrpc":"2.0","id":${arrival.id},"result":{"content":[]}}\n\n`)
    },
  }
  const { server, upstream } = await openMet(t, script)
  assert.equal((await upstream.send(callOf(), called('x'))).answer.kind, 'complete')
  await server.arrived('response', 16)
  assert.equal((await upstream.send(callOf({ method: 'tools/list' }), called('x'))).answer.kind, 'complete')
  assert.equal(server.count('response'), 16)
})

test('a server that never stops sending is read at a bounded rate, and its call ends when its time is over', async (t) => {
  let sent = 0
  const script: Script = {
    async 'tools/call'(arrival) {
      const { response } = arrival
      const text = 'data: {"jsonrpc":"2.0","method":"notifications/x"}\n\n'.repeat(1000)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (; !response.destroyed; sent += 1000)
        if (!response.write(text)) while (response.writableNeedDrain && !response.destroyed) await nextTurn()
    },
  }
  const { upstream } = await openMet(t, script, { requestMs: 300 })
  assert.equal(refused((await upstream.send(callOf(), called('x'))).answer).reason, 'upstream-timeout')
  assert.ok(sent > 2000, `${sent}`)
})

test('a notice reaches a call only for its own progress token, with the client’s own spelling of it, and never with an id', async (t) => {
  const notices: string[] = []
  const own = '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7,"progress":1}}'
  const script: Script = {
    'tools/call'(arrival) {
      const right = own.replace('7', String(arrival.id))
      events(
        arrival,
        own.replace('7', '1234'),
        own.replace('7', `"${arrival.id}"`),
        right.replace('{', '{"id":1,'),
        right.replace('{', '{"result":{},'),
        right,
      )
      arrival.response.end(`data: {"jsonrpc":"2.0","id":${arrival.id},"result":{"content":[]}}\n\n`)
    },
  }
  const { server, upstream } = await openMet(t, script)
  const message = messageOf('{"name":"s_x","_meta":{"progressToken":"t\\u0041"}}')
  await upstream.send(callOf({ message, onNotice: (notice) => notices.push(notice) }), called('x'))
  await upstream.send(callOf({ onNotice: (notice) => notices.push(notice) }), called('x'))
  assert.deepEqual(notices, [own.replace('7', '"t\\u0041"')])
  const sent = server.arrivals.filter(({ method }) => method === 'tools/call')
  assert.deepEqual(
    sent.map(({ id, params }) => params['_meta'] ?? id),
    [{ progressToken: sent[0]?.id }, sent[1]?.id],
  )
})

test('calls beyond those that fit in line are refused at once, and the server stays in view', async (t) => {
  const { server, upstream } = await openMet(t, { 'tools/call': () => {} })
  const sent = Array.from({ length: 1257 }, () => upstream.send(callOf(), called('x')))
  const last = await sent.at(-1)
  assert.equal(last === undefined ? undefined : refused(last.answer).reason, 'upstream-busy')
  await server.arrived('tools/call', 256)
  assert.equal(server.count('tools/call'), 256)
  assert.equal(upstream.status().state, 'ready')
})

test('a cancelled call: a legacy server is told, a modern one sees its connection close', async (t) => {
  for (const era of ['legacy', 'modern'] as const) {
    const { server, upstream } = await openMet(t, { ...(era === 'modern' ? modernScript : {}), 'tools/call': () => {} })
    const cancellation = new Cancellation()
    const sent = upstream.send(callOf({ cancellation }), called('x'))
    const call = await server.arrived('tools/call')
    const closed = once(call.response, 'close')
    cancellation.cancel()
    assert.equal(refused((await sent).answer).reason, 'cancelled')
    await closed
    if (era === 'legacy') assert.equal((await server.arrived('notifications/cancelled')).params['requestId'], call.id)
    else assert.equal(server.count('notifications/cancelled'), 0)
  }
})

test('cookies are not kept, and nothing of a caller travels but the message', async (t) => {
  const { server, upstream } = await openMet(t, {
    'tools/call': ({ result }) => result({ content: [] }, { 'set-cookie': 'a=b', 'mcp-session-id': 'late' }),
  })
  await upstream.send(callOf(), called('x'))
  await upstream.send(callOf(), called('x'))
  const { headers } = await server.arrived('tools/call', 2).then((arrival) => arrival.request)
  assert.deepEqual(
    [headers.cookie, headers['mcp-session-id'], headers['accept-encoding'], headers['user-agent']],
    [undefined, undefined, 'identity', 'test'],
  )
})

const tool = (name: unknown, more: object = {}) => ({ name, inputSchema: { type: 'object' }, ...more })

test('tools that no client could call are left out and named; the others stay', async (t) => {
  const schema = (more: object) => ({ inputSchema: { type: 'object', ...more } })
  const tools = [
    tool('good'),
    7,
    tool(''),
    tool(7),
    { inputSchema: { type: 'object' } },
    { name: 'no-schema' },
    tool('odd-schema', { inputSchema: { type: 'array' } }),
    tool('odd-properties', schema({ properties: [] })),
    tool('odd-property', schema({ properties: { a: 5 } })),
    tool('odd-required', schema({ required: [1] })),
    tool('good'),
    tool('long'.repeat(100)),
    tool('last'),
  ]
  const { upstream, dropped } = await openMet(t, { 'tools/list': ({ result }) => result({ tools }) })
  assert.deepEqual(
    upstream.entries('tools').map((one) => one.key),
    ['good', 'last'],
  )
  assert.deepEqual(dropped, [
    'a tool that is no object',
    ...Array(3).fill('a tool without a name'),
    'tool "no-schema": its inputSchema is no object',
  ])
})

test('optional members of a tool that strict clients refuse are left out, and the tool stays', async (t) => {
  const odd = [
    ...['title', 'description', 'outputSchema', 'annotations', 'icons', '_meta'].map((key) => ({ [key]: null })),
    { title: 7, description: [] },
    { annotations: { title: null } },
    { annotations: { readOnlyHint: 'yes' } },
    ...[['x'], [{}], [{ src: 'a', mimeType: null }], [{ src: 'a', sizes: '48x48' }], [{ src: 'a', theme: 'blue' }]].map((icons) => ({
      icons,
    })),
  ]
  const fine = {
    title: 'T',
    description: 'd',
    annotations: { title: 'T', readOnlyHint: true },
    icons: [{ src: 'https://x/i.png', mimeType: 'image/png', sizes: ['48x48'], theme: 'dark' }],
    _meta: { 'a/b': 1 },
    outputSchema: { type: 'object', properties: {} },
  }
  const tools = [...odd.map((members, i) => tool(`odd${i}`, members)), tool('fine', fine)]
  const { upstream, dropped } = await openMet(t, { 'tools/list': ({ result }) => result({ tools }) })
  const listed = upstream.entries('tools').map((one) => JSON.parse(one.text))
  assert.deepEqual(listed, [...odd.map((_, i) => tool(`odd${i}`)), tool('fine', fine)])
  assert.deepEqual(dropped, [])
  assert.ok(ListToolsResultSchema.safeParse({ tools: listed }).success)
})

test('pages are drained; endless ones, and a cursor that comes twice, are cut and told', async (t) => {
  const paged = (next: (page: number) => string | undefined): Script => {
    let pages = 0
    return { 'tools/list': ({ result }) => result({ tools: [tool(`t${pages}`)], nextCursor: next(pages++) }) }
  }
  const three = await openMet(
    t,
    paged((page) => (page < 2 ? String(page) : undefined)),
  )
  assert.deepEqual([three.upstream.entries('tools').length, three.dropped], [3, []])
  assert.deepEqual(
    three.server.arrivals.filter((one) => one.method === 'tools/list').map((one) => one.params['cursor']),
    [undefined, '0', '1'],
  )
  const endless = await openMet(t, paged(String), { pages: 7 })
  assert.deepEqual([endless.upstream.entries('tools').length, endless.server.count('tools/list')], [7, 7])
  assert.match(endless.dropped.join(), /first 7/)
  const twice = await openMet(
    t,
    paged(() => ''),
  )
  assert.deepEqual([twice.upstream.entries('tools').length, twice.server.count('tools/list')], [2, 2])
  assert.match(twice.dropped.join(), /came twice/)
})

test('20,000 tools are cut at the bound', async (t) => {
  const tools = Array.from({ length: 20_000 }, (_, i) => tool(`t${i}`))
  let text = ''
  const { upstream, dropped } = await openMet(t, {
    'tools/list'({ reply, id }) {
      text ||= JSON.stringify(tools)
      reply(200, 'application/json', `{"jsonrpc":"2.0","id":${id},"result":{"tools":${text},"nextCursor":"more"}}`)
    },
  })
  assert.deepEqual([upstream.status().state, upstream.entries('tools').length], ['ready', 10_000])
  assert.match(dropped.join(), /first 10000/)
})

test('a list that fails in a later page changes nothing of the last known tools', async (t) => {
  let isBroken = false
  const script: Script = {
    'tools/list'({ params, result, reply }) {
      if (params['cursor'] === undefined) result({ tools: [tool(isBroken ? 'other' : 'x')], nextCursor: '1' })
      else if (isBroken) reply(500, 'text/plain', '')
      else result({ tools: [tool('y')] })
    },
  }
  const { server, upstream, until } = await openMet(t, { ...script, 'tools/call': ({ response }) => response.destroy() })
  isBroken = true
  await upstream.send(callOf(), called('x'))
  await until(() => upstream.status().state === 'down')
  assert.deepEqual(
    upstream.entries('tools').map((one) => one.key),
    ['x', 'y'],
  )
  assert.ok(server.count('tools/list') >= 4)
})

test('a server that goes away fails calls at once and keeps its tools; started again, it is back', async (t) => {
  const { server, upstream, until } = await openMet(t)
  server.close()
  const { answer } = await upstream.send(callOf(), called('x'))
  assert.ok(['upstream-down', 'upstream-invalid'].includes(refused(answer).reason))
  await until(() => upstream.status().state === 'down')
  assert.equal(refused((await upstream.send(callOf(), called('x'))).answer).reason, 'upstream-down')
  assert.equal(upstream.entries('tools').length, 1)
  assert.equal(upstream.ensureFresh(), undefined)
  const again = await openScripted({}, server.port)
  t.after(() => again.close())
  await until(() => upstream.status().state === 'ready')
  assert.equal((await upstream.send(callOf(), called('x'))).answer.kind, 'complete')
})

test('a flood of change notices is one list in half a second, and the last change is seen', async (t) => {
  let name = 'before'
  const { server, upstream, until } = await openMet(t, {
    ...modernScript,
    'tools/list': ({ result }) => result({ resultType: 'complete', tools: [tool(name)] }),
  })
  const stream = await server.arrived('subscriptions/listen')
  const before = server.count('tools/list')
  const startedAt = performance.now()
  for (let i = 0; i < 2000; i++) {
    name = `tool${i}`
    stream.response.write('data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n')
    await nextTurn()
  }
  await until(() => upstream.entries('tools')[0]?.key === 'tool1999')
  const lists = server.count('tools/list') - before
  assert.ok(lists <= 2 + (performance.now() - startedAt) / 500, `${lists} lists`)
})

test('lists asked for together are one; a list that is fresh is not asked for', async (t) => {
  const { server, upstream } = await openMet(t, {}, { ttlMs: 0 })
  await Promise.all(Array.from({ length: 20 }, () => upstream.ensureFresh()))
  assert.ok(server.count('tools/list') <= 2)
  const fresh = await openMet(t)
  assert.equal(fresh.upstream.ensureFresh(), undefined)
})

test('a server without tools is ready, and is not asked for them', async (t) => {
  const { server, upstream } = await openMet(t, {
    initialize: ({ result }) => result({ protocolVersion: '2025-06-18', capabilities: {}, serverInfo: {} }),
  })
  assert.deepEqual([upstream.status().state, upstream.status().tools, server.count('tools/list')], ['ready', 0, 0])
})

test('closing lets a call in flight finish', async (t) => {
  const { server, upstream } = await openMet(t, { 'tools/call': () => {} })
  const sent = upstream.send(callOf(), called('x'))
  const call = await server.arrived('tools/call')
  const closed = upstream.close(60_000, true)
  call.result({ content: [] })
  assert.equal((await sent).answer.kind, 'complete')
  await closed
  assert.equal(refused((await upstream.send(callOf(), called('x'))).answer).reason, 'upstream-down')
})

test('closed again with a shorter grace, it does not wait for the call in flight any longer', async (t) => {
  const { server, upstream } = await openMet(t, { 'tools/call': () => {} })
  const sent = upstream.send(callOf(), called('x'))
  await server.arrived('tools/call')
  const first = upstream.close(60_000, true)
  await upstream.close(0, true)
  await first
  // Not by its own time-out.
  assert.notEqual(refused((await sent).answer).reason, 'upstream-timeout')
})

test('a list whose pages are more than can be held fails, saying so, and what was held is given back', async (t) => {
  const script: Script = {
    'tools/list': ({ result, params }) => {
      const page = Number(params['cursor'] ?? 0)
      const tools = [{ name: `x${page}`, description: 'd'.repeat(60_000), inputSchema: { type: 'object' } }]
      result({ tools, nextCursor: `${page + 1}` })
    },
  }
  const buffers = new Buffers(200_000)
  const { upstream, dropped } = await openMet(t, script, { pages: 100, listChars: 16_000_000 }, {}, undefined, buffers)
  assert.match(JSON.stringify([upstream.status().lastError, dropped]), /longer lists than can be held/)
  assert.equal(buffers.heldBytes, 0)
})
