import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer as createPlain } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createServer } from 'node:tls'
import { parseConfig } from '../../config/config.ts'
import { type Ask, allCapabilities, type ClientSession, ServerBuffers } from '../../mcp/mcp.ts'
import { planUpstream } from '../from-config.ts'
import { type Arrival, called, callOf, events, modernScript, openScripted, type Script } from '../open-for-test.ts'
import type { Follower } from '../streams/follow.ts'

const follower: Follower = { onNotice() {}, drained: () => undefined, onAsk() {} }

/** A server with the sessions `<letter>1`, `<letter>2`, …, that refuses all but those in `known`. */
async function openPod(t: TestContext, letter: string, more: Script = {}, port = 0) {
  const known = new Set<string | undefined>()
  const guarded = (script: Script): Script =>
    Object.fromEntries(
      Object.entries(script).map(([method, act]) => [
        method,
        (arrival: Arrival) => (known.has(arrival.session) ? act(arrival) : arrival.reply(404, 'text/plain', '')),
      ]),
    )
  let opened = 0
  const server = await openScripted(
    {
      initialize({ result }) {
        const id = `${letter}${++opened}`
        known.add(id)
        result({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: {} }, { 'mcp-session-id': id })
      },
      ...guarded({
        'tools/list': ({ result }) => result({ tools: [{ name: 'x', inputSchema: { type: 'object' } }] }),
        'tools/call': ({ result }) => result({ content: [] }),
        ping: ({ result }) => result({}),
        ...more,
      }),
    },
    port,
  )
  t.after(() => server.close())
  return Object.assign(server, {
    known,
    at: `127.0.0.1:${server.port}`,
    /** In which sessions a method came. */
    in: (method: string) => server.arrivals.filter((arrival) => arrival.method === method).map(({ session }) => session),
  })
}

/** An upstream of a document's server, with a clock that can be put forward; the endpoints' turn begins at the first. */
async function openServer(t: TestContext, http: object, more: object = {}) {
  const { config, problems } = parseConfig(JSON.stringify({ servers: { s: { http, ...more } } }), { env: {}, readFile: () => '' })
  const server = config?.backends['default']?.servers['s']
  assert.ok(config && server, JSON.stringify(problems))
  const states: string[] = []
  const clock: { aheadMs: number; stoppedAtMs?: number } = { aheadMs: 0 }
  let wake = () => {}
  const stateChanged = ({ state }: { state: string }) => {
    states.push(state)
    wake()
  }
  const upstream = planUpstream('b', 's', server, config.limits, 'test', () => '').open({
    buffers: new ServerBuffers(),
    clientInfo: { name: 'mcplex', version: '1' },
    now: () => clock.stoppedAtMs ?? performance.now() + clock.aheadMs,
    random: () => 0,
    events: { listChanged() {}, stateChanged, dropped() {}, repaired() {} },
  })
  t.after(() => upstream.close(0, true))
  await upstream.ensureFresh()
  return {
    upstream,
    states,
    clock,
    /** Calls `x`; gives what came of it. */
    async call(session?: ClientSession) {
      const { answer } = await upstream.send(callOf({ session }), called('x'))
      return answer.kind === 'refused' ? answer.reason : answer.kind
    },
    async inState(state: string) {
      while (states.at(-1) !== state) await new Promise<void>((resolve) => (wake = resolve))
    },
  }
}

/** A legacy client's session; `sealed` is what was opened with it at the server. */
const client = (key: string, sealed?: string): ClientSession => ({ key, capabilities: allCapabilities, upstreamSession: () => sealed })
const finish = ({ response, id }: Arrival) => response.end(`data: {"jsonrpc":"2.0","id":${id},"result":{"content":[]}}\n\n`)
/** Idle connections to a server that was closed are known to be so: another one has answered since. */
const noticed = async (url: string) => void (await fetch(url, { method: 'PUT' }))
const times = <T>(n: number, one: () => Promise<T>) => Promise.all(Array.from({ length: n }, one))

test('sessions are opened at the endpoints in turn, and all that belongs to one goes where it is', async (t) => {
  const asking = (arrival: Arrival) => void events(arrival, '{"jsonrpc":"2.0","id":"q","method":"roots/list"}')
  const [host, a, b] = [await openPod(t, 'h'), await openPod(t, 'a', { GET: asking }), await openPod(t, 'b', { GET: asking })]
  const { upstream, call } = await openServer(t, { url: host.url, endpoints: [a.at, b.at] })
  const clients = ['c1', 'c2', 'c3', 'c4'].map((key) => client(key))
  const ids: (string | undefined)[] = []
  for (const one of clients) ids.push(await upstream.openSession(one))
  // The first turns were for finding the era and for the gateway's own session, `b1`.
  assert.deepEqual(ids, [`${a.at}/a1`, `${b.at}/b2`, `${a.at}/a2`, `${b.at}/b3`])
  for (let i = 0; i < 3; i++) for (const kind of await Promise.all(clients.map(call))) assert.equal(kind, 'complete')
  assert.deepEqual(a.in('tools/call').toSorted(), ['a1', 'a1', 'a1', 'a2', 'a2', 'a2'])
  assert.deepEqual(b.in('tools/call').toSorted(), ['b2', 'b2', 'b2', 'b3', 'b3', 'b3'])
  const [first, second] = clients
  assert.ok(first && second)
  const stops = [first, second].map((one) =>
    upstream.follow(one, { onNotice() {}, drained: () => undefined, onAsk: (ask) => ask.reply('"result":{"roots":[]}') }),
  )
  assert.deepEqual([(await a.arrived('response')).session, (await b.arrived('response')).session], ['a1', 'b2'])
  upstream.rootsChanged(second)
  assert.equal((await b.arrived('notifications/roots/list_changed')).session, 'b2')
  for (const stop of stops) stop()
  upstream.endSession(first, true)
  assert.equal((await a.arrived('DELETE')).session, 'a1')
  await upstream.close(0, true)
  assert.deepEqual([a.in('DELETE'), b.in('DELETE').toSorted(), host.seen], [['a1', 'a2'], ['b1', 'b2', 'b3'], []])
})

test('a session that another process opened goes on at its endpoint; one of before there were endpoints at the host', async (t) => {
  const [host, a, b] = [await openPod(t, 'h'), await openPod(t, 'a'), await openPod(t, 'b')]
  const { call } = await openServer(t, { url: host.url, endpoints: [a.at, b.at] })
  for (const [key, sealed, pod, id] of [
    ['c1', `${a.at}/other`, a, 'other'],
    ['c2', `${b.at}/other/1`, b, 'other/1'],
    ['c3', 'plain', host, 'plain'],
    ['c4', 'with/slash', host, 'with/slash'],
    ['c5', 'host/other', host, 'other'],
  ] as const) {
    pod.known.add(id)
    assert.equal(await call(client(key, sealed)), 'complete')
    assert.equal(pod.in('tools/call').at(-1), id)
  }
})

test('an endpoint that is killed: its sessions are opened again elsewhere, once, and all else goes on', async (t) => {
  const [host, a, b] = [await openPod(t, 'h'), await openPod(t, 'a'), await openPod(t, 'b')]
  const { upstream, call, clock, states } = await openServer(t, { url: host.url, endpoints: [a.at, b.at] })
  const [untouched, lost] = [client('untouched'), client('lost')]
  for (const one of [untouched, lost]) assert.equal(await call(one), 'complete')
  assert.deepEqual([a.in('tools/call'), b.in('tools/call')], [['a1'], ['b2']])
  b.close()
  await noticed(host.url)
  assert.equal(await call(untouched), 'complete')
  assert.deepEqual(await times(10, () => call(lost)), Array(10).fill('complete'))
  assert.equal(await call(untouched), 'complete')
  assert.deepEqual(a.in('tools/call'), ['a1', 'a1', ...Array(10).fill('a2'), 'a1'])
  // The gateway's own session was there too.
  clock.aheadMs = 61_000
  await upstream.ensureFresh()
  await a.arrived('initialize', 3)
  assert.deepEqual([await call(lost), states, host.seen], ['complete', ['ready'], ['PUT']])
})

test('an endpoint that leaves keeps what is in flight, and is closed after it; its sessions are lost', async (t) => {
  const stream = ({ response }: Arrival) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n')
  const asking = (arrival: Arrival) => void events(arrival, '{"jsonrpc":"2.0","id":"q","method":"roots/list"}')
  const [host, a, b] = [
    await openPod(t, 'h'),
    await openPod(t, 'a', { GET: stream, 'tools/call': asking }),
    await openPod(t, 'b', { GET: stream }),
  ]
  const { upstream, call } = await openServer(t, { url: host.url, endpoints: [a.at, b.at] })
  const [busy, listening] = [client('busy'), client('listening', `${a.at}/sealed`)]
  a.known.add('sealed')
  const stop = upstream.follow(listening, follower)
  const listened = await a.arrived('GET')
  let isAsked = (_: Ask) => {}
  const asked = new Promise<Ask>((resolve) => (isAsked = resolve))
  const sent = upstream.send(callOf({ session: busy, capabilities: allCapabilities, onAsk: isAsked }), called('x'))
  const ask = await asked
  const calling = await a.arrived('tools/call')
  const closed = [listened, calling].map(({ request }) => once(request.socket, 'close'))

  upstream.setEndpoints([b.at])
  ask.reply('"result":{"roots":[]}')
  assert.equal((await a.arrived('response')).session, 'a1')
  assert.equal(await call(busy), 'complete')
  assert.deepEqual([a.count('tools/call'), b.in('tools/call')], [1, ['b2']])
  finish(calling)
  assert.equal((await sent).answer.kind, 'complete')
  await Promise.all(closed)
  assert.equal((await b.arrived('GET')).session, 'b3')
  stop()
  assert.equal(host.seen.length, 0)
})

test('an endpoint that comes takes its turn, and takes no session away; one that comes back still has its own', async (t) => {
  const [host, a, b] = [await openPod(t, 'h'), await openPod(t, 'a'), await openPod(t, 'b')]
  const { upstream, call } = await openServer(t, { url: host.url, endpoints: [a.at] })
  const old = client('old')
  assert.equal(await call(old), 'complete')
  upstream.setEndpoints([a.at, b.at])
  const ids = [await upstream.openSession(client('c1')), await upstream.openSession(client('c2'))]
  assert.deepEqual(ids.toSorted(), [`${a.at}/a3`, `${b.at}/b1`].toSorted())
  upstream.setEndpoints([b.at])
  upstream.setEndpoints([b.at, a.at])
  assert.equal(await call(old), 'complete')
  assert.deepEqual([a.in('tools/call'), host.seen], [['a2', 'a2'], []])
})

test('the host is used where there are no endpoints any more, and where none can be reached', async (t) => {
  const [host, a, b, stranger] = [await openPod(t, 'h'), await openPod(t, 'a'), await openPod(t, 'b'), await openPod(t, 's')]
  const { upstream, call, states, inState } = await openServer(t, { url: host.url, endpoints: [a.at, b.at] })
  const [one, two] = [client('one'), client('two')]
  assert.equal(await call(one), 'complete')
  upstream.setEndpoints([])
  assert.equal(await call(one), 'complete')
  assert.equal(await upstream.openSession(two), 'host/h2')
  upstream.setEndpoints([a.at, b.at])
  assert.equal(await call(two), 'complete')
  a.close()
  b.close()
  await noticed(host.url)
  assert.equal(await call(two), 'complete')
  assert.equal(await call(client('three')), 'complete')
  assert.deepEqual([host.in('tools/call'), states], [['h1', 'h2', 'h2', 'h3'], ['ready']])

  host.close()
  await noticed(stranger.url)
  assert.deepEqual([await call(two), states], ['upstream-down', ['ready', 'down']])
  const back = await openPod(t, 'a', {}, a.port)
  await inState('ready')
  assert.equal(await call(two), 'complete')
  assert.equal(back.count('tools/call'), 1)
})

for (const [era, script] of [
  ['legacy', {}],
  ['modern', modernScript],
] as const)
  test(`calls without sessions (${era}) take the endpoints in turn; one that can’t be reached is passed over for a while`, async (t) => {
    const open = async (port = 0) => {
      const server = await openScripted(script, port)
      t.after(() => server.close())
      return server
    }
    const [host, a, b] = [await open(), await open(), await open()]
    const { call, clock } = await openServer(t, { url: host.url, endpoints: [a, b].map(({ port }) => `127.0.0.1:${port}`) })
    const calls = async (n: number) => {
      for (let i = 0; i < n; i++) assert.equal(await call(), 'complete')
    }
    await calls(4)
    assert.deepEqual([a.count('tools/call'), b.count('tools/call')], [2, 2])
    b.close()
    await noticed(a.url)
    await calls(4)
    assert.equal(a.count('tools/call'), 6)
    const back = await open(b.port)
    await calls(4)
    assert.deepEqual([a.count('tools/call'), back.count('tools/call')], [10, 0])
    clock.aheadMs = 1000
    await calls(4)
    assert.deepEqual([a.count('tools/call'), back.count('tools/call'), host.seen], [12, 2, []])
  })

for (const isInSession of [true, false])
  for (const [how, end] of [
    ['breaks', ({ response }) => void response.destroy()],
    ['dies after the beginning of its answer', ({ response }) => void response.writeHead(200).write('{', () => response.destroy())],
    ['can’t be reached when it is asked for the rest', 'primed'],
  ] as readonly (readonly [string, ((arrival: Arrival) => void) | 'primed'])[])
    test(`a call ${isInSession ? 'in' : 'without'} a session whose endpoint ${how} is not sent again`, async (t) => {
      const script: Script = {
        'tools/call': (arrival) => {
          if (end !== 'primed') return end(arrival)
          const stream = arrival.response.writeHead(200, { 'content-type': 'text/event-stream' })
          stream.end('id: e\nretry: 0\ndata: \n\n', () => a.close())
        },
      }
      const open = (letter: string, more: Script) => {
        if (isInSession) return openPod(t, letter, more)
        return openScripted(more).then((server) => {
          t.after(() => server.close())
          return Object.assign(server, { at: `127.0.0.1:${server.port}` })
        })
      }
      const [host, a, b] = [await open('h', {}), await open('a', script), await open('b', {})]
      const { upstream, call } = await openServer(t, { url: host.url, endpoints: [a.at] })
      upstream.setEndpoints([a.at, b.at])
      // Not on a connection that was closed in the meantime.
      const one = client('c')
      if (isInSession) assert.equal((await upstream.openSession(one))?.slice(0, a.at.length), a.at)
      const kinds: string[] = []
      while (a.count('tools/call') === 0) kinds.push(await call(isInSession ? one : undefined))
      assert.equal(kinds.at(-1), 'upstream-invalid')
      assert.deepEqual(
        [a, b, host].map((server) => server.count('tools/call')).reduce((sum, n) => sum + n),
        kinds.length,
      )
    })

test('ids that a server makes look like those of another place lead nowhere else', async (t) => {
  const [host, b, stranger] = [await openPod(t, 'h'), await openPod(t, 'b'), await openPod(t, 's')]
  const ids = [`${b.at}/b1`, 'host/h1', `${stranger.at}/s1`, '/', 'host/', `${b.at}/`]
  const given = ids.values()
  for (const pod of [host, b, stranger]) for (const id of ['h1', 'b1', 's1', '']) pod.known.add(id)
  const a = await openPod(t, 'a', {})
  const hello = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: {} }
  a.script = {
    ...a.script,
    initialize: ({ result }) => result(hello, { 'mcp-session-id': given.next().value ?? 'own' }),
    'tools/list': ({ result }) => result({ tools: [] }),
    'tools/call': ({ result }) => result({ content: [] }),
  }
  const { call, upstream } = await openServer(t, { url: host.url, endpoints: [a.at] })
  for (const [i, id] of ids.slice(1).entries()) {
    const one = client(`c${i}`)
    assert.equal(await upstream.openSession(one), `${a.at}/${id}`)
    assert.equal(await call(one), 'complete')
    assert.equal(a.in('tools/call').at(-1), id)
  }
  upstream.setEndpoints([a.at, b.at])
  // Nor does a sealed one lead to what is not in the list: it is unknown, and another is opened.
  for (const sealed of [`${stranger.at}/s1`, `[::1]:${stranger.port}/s1`, `127.0.0.2:${stranger.port}/s1`])
    assert.equal(await call(client(sealed, sealed)), 'complete')
  assert.deepEqual([stranger.seen, host.seen], [[], []])
})

/** What a sick pod does with all that comes. */
const sicknesses: Readonly<Record<string, (arrival: Arrival) => void>> = {
  'resets connections': ({ request }) => void request.socket.destroy(),
  'answers 503': ({ reply }) => reply(503, 'text/plain', ''),
  hangs() {},
}
/** From now on the pod is sick. */
function fallIll(pod: { script: Script }, act: (arrival: Arrival) => void): void {
  const all = ['server/discover', 'initialize', 'tools/list', 'tools/call', 'ping', 'GET', 'subscriptions/listen', '*']
  pod.script = Object.fromEntries(all.map((method) => [method, act]))
}

for (const [sickness, act] of Object.entries(sicknesses))
  for (const [kind, script] of Object.entries({
    'without sessions': {},
    modern: { ...modernScript, 'tools/call': ({ result }: Arrival) => result({ resultType: 'complete', content: [] }) },
  }))
    test(`of a server ${kind}, one of two pods ${sickness}: one call finds out, and the server stays ready`, async (t) => {
      const pods = [await openScripted(script), await openScripted(script)] as const
      for (const pod of pods) t.after(() => pod.close())
      const endpoints = pods.map(({ port }) => `127.0.0.1:${port}`)
      const timeouts = { request: '200ms', list: '200ms' }
      const { call, states, clock, upstream } = await openServer(t, { url: 'http://127.0.0.1:1/mcp', endpoints }, { timeouts })
      clock.stoppedAtMs = performance.now()
      // The one that is asked for lists.
      const [sick, well] = pods[0].count('tools/list') > 0 ? pods : [pods[1], pods[0]]
      fallIll(sick, act)
      clock.stoppedAtMs += 61_000
      const kinds = []
      for (let i = 0; i < 20; i++) kinds.push(await call())
      assert.deepEqual([sick.count('tools/call'), well.count('tools/call'), kinds.filter((one) => one === 'complete').length], [1, 19, 19])
      await upstream.ensureFresh()
      assert.ok(well.count('tools/list') > 0)
      assert.deepEqual(states, ['ready'])
    })

for (const [sickness, act] of Object.entries(sicknesses)) {
  test(`the pod of the gateway’s own session ${sickness}: sessions at others go on, and another pod is asked`, async (t) => {
    const pods = [await openPod(t, 'a'), await openPod(t, 'b'), await openPod(t, 'c')]
    const http = { url: 'http://127.0.0.1:1/mcp', endpoints: pods.map(({ at }) => at) }
    const { call, states, clock, upstream } = await openServer(t, http, { timeouts: { list: '200ms' } })
    const clients = ['1', '2', '3'].map((one) => client(one))
    for (const one of clients) assert.equal(await call(one), 'complete')
    const sick = pods.find((pod) => pod.count('tools/list') > 0) ?? assert.fail()
    const healthy = clients.filter((_, i) => pods[i] !== sick)
    assert.equal(healthy.length, 2)
    fallIll(sick, act)
    clock.aheadMs = 61_000
    await upstream.ensureFresh()
    const others = pods.filter((pod) => pod !== sick)
    await Promise.race(others.map((pod) => pod.arrived('tools/list')))
    for (const one of healthy) assert.equal(await call(one), 'complete')
    assert.deepEqual(states, ['ready'])
  })

  test(`a pod that ${sickness} is passed by when a server is met; it is down where all are so`, async (t) => {
    const pods = [await openPod(t, 'a'), await openPod(t, 'b'), await openPod(t, 'c')] as const
    const http = { url: 'http://127.0.0.1:1/mcp', endpoints: pods.map(({ at }) => at) }
    for (const pod of pods.slice(0, 2)) fallIll(pod, act)
    const some = await openServer(t, http, { timeouts: { list: '200ms' } })
    assert.deepEqual(some.states, ['ready'])
    fallIll(pods[2], act)
    const none = await openServer(t, http, { timeouts: { list: '200ms' } })
    assert.equal(none.states[0], 'down')
  })
}

const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAeWBHfsF4xlOHi1h
9Y8zI0o1RBX7R9Z0ZLferlcqSeOhRANCAATPqOjz3hMjR663f88iiS1vL5RVLRRh
rCQpIZkXD8hQ7S2A5/SUAvgbkljezqwElmI/baM4RRIQLPyCRN1rAhTB
-----END PRIVATE KEY-----`
/** Signed by itself, for kept.example and 127.0.0.9, until 2120. */
const cert = `-----BEGIN CERTIFICATE-----
MIIBYTCCAQagAwIBAgIBATAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDAR0ZXN0MCAX
DTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAPMQ0wCwYDVQQDDAR0ZXN0
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEz6jo894TI0eut3/PIoktby+UVS0U
YawkKSGZFw/IUO0tgOf0lAL4G5JY3s6sBJZiP22jOEUSECz8gkTdawIUwaNRME8w
HQYDVR0RBBYwFIIMa2VwdC5leGFtcGxlhwR/AAAJMA8GA1UdEwEB/wQFMAMBAf8w
HQYDVR0OBBYEFCRQMxxuloBuK5s35oxyGJm7ins7MAoGCCqGSM49BAMCA0kAMEYC
IQCd27wr8hVvahxfAMBpEdzjIMKbltlVGIBD7Aby1NbAUgIhAKBZBuULZ/24sgVB
vZl2laSrUWiG7sJUICmnXlndPynF
-----END CERTIFICATE-----`

for (const [url, tls, state, shown] of [
  ['https://kept.example:8443/there', {}, 'ready', 'kept.example'],
  ['https://127.0.0.8:1/there', { serverName: 'kept.example' }, 'ready', 'kept.example'],
  ['https://127.0.0.9:1/there', {}, 'ready', false],
  ['https://127.0.0.8:1/there', {}, 'down', false],
  ['https://127.0.0.8:1/there', { insecure: true }, 'ready', false],
] as const)
  test(`an endpoint shows the certificate of its host: ${url} with ${JSON.stringify(tls)} is ${state}`, async (t) => {
    const a = await openPod(t, 'a')
    const names: unknown[] = []
    const front = createServer({ key, cert }, (socket) => {
      names.push(socket.servername)
      const behind = connect(a.port, '127.0.0.1')
      for (const end of [socket, behind]) end.on('error', () => {})
      socket.pipe(behind).pipe(socket)
    })
    await once(front.listen(0, '127.0.0.1'), 'listening')
    t.after(() => front.close())
    const { port } = front.address() as AddressInfo
    const { upstream } = await openServer(t, { url, endpoints: [`127.0.0.1:${port}`], tls: { ca: cert, ...tls } })
    assert.equal(upstream.status().state, state)
    assert.deepEqual(new Set(names), new Set(state === 'ready' ? [shown] : names))
    for (const { request } of a.arrivals) assert.deepEqual([request.headers.host, request.url], [new URL(url).host, '/there'])
  })

test('a connection that breaks before it is there has carried nothing: the call goes elsewhere', async (t) => {
  const host = await openPod(t, 'h')
  let connections = 0
  const dead = createPlain((socket) => {
    connections++
    socket.on('error', () => {}).resetAndDestroy()
  })
  const front = createServer({ key, cert }, (socket) => {
    const behind = connect(host.port, '127.0.0.1')
    for (const end of [socket, behind]) end.on('error', () => {})
    socket.pipe(behind).pipe(socket)
  })
  for (const server of [dead, front]) {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    t.after(() => server.close())
  }
  const [bad, good] = [dead, front].map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`)
  const { call, states } = await openServer(t, { url: 'https://kept.example/', endpoints: [bad, good], tls: { ca: cert } })
  for (const one of ['1', '2', '3']) assert.equal(await call(client(one)), 'complete')
  assert.deepEqual([states, connections > 0], [['ready'], true])
})

test('a stream whose endpoint can’t be reached is opened elsewhere, in a new session', async (t) => {
  const [host, a, b] = [await openPod(t, 'h'), await openPod(t, 'a', { GET: (arrival) => void events(arrival) }), await openPod(t, 'b')]
  b.close()
  const { upstream } = await openServer(t, { url: host.url, endpoints: [a.at, b.at] })
  const stop = upstream.follow(client('c', `${b.at}/sealed`), follower)
  assert.equal((await a.arrived('GET')).session, 'a2')
  stop()
})
