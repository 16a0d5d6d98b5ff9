import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { type ConnectionOptions, connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls'
import type { Exchange } from '../mcp/mcp.ts'
import { makeAuthority } from './certificate-for-test.ts'
import type { EdgeLimits } from './limits.ts'
import { openForTest, type TestListener } from './open-for-test.ts'
import { type Speaker, speak } from './speak-for-test.ts'
import type { TlsListener } from './tls-plan.ts'
import { planForTest } from './transports-for-test.ts'

const [authority, stranger] = [makeAuthority('Authority'), makeAuthority('Stranger')]
const shown = authority.issue({ names: ['plain'], alternativeNames: ['IP:127.0.0.1', 'DNS:a.example', 'DNS:b.example'], use: 'server' })
const me = authority.issue({ names: ['me'], alternativeNames: ['URI:spiffe://test/me'], use: 'client' })
const get = (host: string) => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`
const versions = ['TLSv1.2', 'TLSv1.3'] as const

type Listeners = readonly (Partial<TlsListener> & Pick<TlsListener, 'certificates'>)[]

/** Answers each request with what its head says of TLS. */
async function open(listeners: Listeners, limits: Partial<EdgeLimits> = {}): Promise<TestListener & { readonly seen: Exchange[] }> {
  const seen: Exchange[] = []
  const onExchange = (exchange: Exchange) => {
    seen.push(exchange)
    exchange.reply(200, {}, JSON.stringify(exchange.head.tls?.certificate ?? null))
  }
  return { ...(await openForTest(limits, { tls: await planForTest(listeners), onExchange })), seen }
}

/** A client that takes any name, and no other authority. */
const trusting = (more: ConnectionOptions = {}): ConnectionOptions => ({
  ca: authority.cert,
  checkServerIdentity: () => undefined,
  ...more,
})

/** The common name that a client is shown. */
async function shownTo(port: number, options: ConnectionOptions): Promise<unknown> {
  const socket = connect({ port, host: '127.0.0.1', ...trusting(options) })
  await once(socket, 'secureConnect')
  const { subject }: DetailedPeerCertificate = socket.getPeerCertificate(true)
  socket.destroy()
  return subject.CN
}

/** What the gateway is told of a client that shows this. */
async function certificateOf(port: number, options: ConnectionOptions): Promise<unknown> {
  const speaker = await speak(port, get('127.0.0.1'), trusting(options))
  const heard = await speaker.until((text) => /\r\n\r\n./s.test(text))
  speaker.socket.destroy()
  return JSON.parse(heard.slice(heard.indexOf('\r\n\r\n') + 4))
}

async function refused(port: number, bytes: string, tls?: ConnectionOptions): Promise<string> {
  const speaker = await speak(port, bytes, tls)
  return await speaker.closed()
}

test('the name that a client calls picks the certificate', async () => {
  const named = (name: string, ...alternativeNames: string[]) => authority.issue({ names: [name], alternativeNames })
  const { listener, port } = await open([
    { hostname: 'a.example', certificates: [named('a')] },
    { hostname: '*.example', certificates: [named('wild')] },
    { hostname: '*.b.example', certificates: [named('longer')] },
    { hostname: undefined, certificates: [named('any'), named('second', 'DNS:two.test'), named('third', 'DNS:*.three.test')] },
  ])
  for (const [servername, expected] of [
    ['a.example', 'a'],
    ['A.Example', 'a'],
    ['c.example', 'wild'],
    ['d.c.example', 'wild'],
    ['c.b.example', 'longer'],
    ['elsewhere.test', 'any'],
    ['two.test', 'second'],
    ['x.three.test', 'third'],
    ['', 'any'],
  ] as const)
    for (const version of versions)
      assert.equal(await shownTo(port, { servername, minVersion: version, maxVersion: version }), expected, `${servername} ${version}`)
  listener.close()
  const two = await open([
    { hostname: 'a.example', certificates: [named('a')] },
    { hostname: 'b.example', certificates: [named('b')] },
  ])
  assert.equal(await shownTo(two.port, { servername: '' }), 'a')
  assert.equal(await shownTo(two.port, { servername: 'elsewhere.test' }), 'a')
  two.listener.close()
})

test('a Host of a listener with other authorities is 421, and never reaches it', async () => {
  const { listener, port, seen, refusals } = await open([
    { hostname: 'a.example', certificates: [shown], clientCa: authority.cert },
    { hostname: 'b.example', certificates: [shown] },
  ])
  const rows = [
    ['a.example', 'a.example', 200],
    ['a.example', 'b.example', 421],
    ['b.example', 'a.example', 421],
    ['b.example', 'A.example:443', 421],
    ['', 'b.example', 421],
    ['', 'a.example', 200],
  ] as const
  for (const [servername, host, status] of rows) {
    const before = seen.length
    const speaker = await speak(port, get(host), trusting({ servername, ...me }))
    await speaker.until(() => speaker.statuses().length === 1)
    assert.deepEqual([speaker.statuses(), seen.length - before], [[status], status === 200 ? 1 : 0], `${servername} ${host}`)
    speaker.socket.destroy()
  }
  assert.deepEqual([...new Set(refusals.map(({ reason, status }) => `${reason} ${status}`))], ['misdirected 421'])
  listener.close()
})

test("a client's certificate is told, refused, or not there", async () => {
  const { listener, port } = await open([{ certificates: [shown], clientCa: authority.cert }])
  const rows: readonly (readonly [what: string, shows: ConnectionOptions, found: unknown])[] = [
    ['none', {}, null],
    ['of another authority', stranger.issue({ use: 'client' }), 'refused'],
    ['of another authority of the same name', makeAuthority('Authority').issue({ use: 'client' }), 'refused'],
    ['expired', authority.issue({ use: 'client', days: [-9, -1] }), 'refused'],
    ['not valid yet', authority.issue({ use: 'client', days: [1, 9] }), 'refused'],
    ['of a server', authority.issue({ use: 'server' }), 'refused'],
    ['that names nobody', authority.issue({ use: 'client', names: [] }), 'refused'],
    ['with a name that reads as two', authority.issue({ use: 'client', alternativeNames: ['DNS:a, URI:spiffe://test/me'] }), 'refused'],
  ]
  for (const version of versions) {
    const at = { minVersion: version, maxVersion: version }
    for (const [what, shows, found] of rows) assert.deepEqual(await certificateOf(port, { ...shows, ...at }), found, `${what} ${version}`)
    for (const [shows, identity] of [
      [me, 'spiffe://test/me'],
      [authority.issue({ names: ['any use'] }), 'any use'],
    ] as const) {
      const found = await certificateOf(port, { ...shows, ...at })
      assert.equal(typeof found === 'object' && found !== null && 'identity' in found ? found.identity : found, identity)
    }
  }
  listener.close()
})

test('a listener without authorities knows nobody, also beside one that has some', async () => {
  const { listener, port } = await open([
    { hostname: 'a.example', certificates: [shown], clientCa: authority.cert },
    { hostname: undefined, certificates: [shown] },
  ])
  assert.equal(await certificateOf(port, { ...me, servername: 'elsewhere.test' }), null)
  listener.close()
})

test('a connection has one certificate: the same object for each of its requests', async () => {
  const { listener, port, seen } = await open([{ certificates: [shown], clientCa: authority.cert }])
  const speaker = await speak(port, get('a') + get('a'), trusting(me))
  await speaker.until(() => speaker.statuses().length === 2)
  assert.ok(typeof seen[0]?.head.tls?.certificate === 'object')
  assert.equal(seen[0].head.tls, seen[1]?.head.tls)
  speaker.socket.destroy()
  listener.close()
})

test('a session is not resumed where certificates of clients count, so that none is lost or taken over', async () => {
  for (const version of versions) {
    for (const [clientCa, isResumed] of [
      [authority.cert, false],
      [undefined, true],
    ] as const) {
      const { listener, port } = await open([{ certificates: [shown], clientCa }])
      const at = { minVersion: version, maxVersion: version }
      const first = await speak(port, get('a'), trusting({ ...me, ...at }))
      const sessions: Buffer[] = []
      ;(first.socket as TLSSocket).on('session', (session) => sessions.push(session))
      await first.until(() => first.statuses().length === 1)
      const session = sessions.at(-1)
      const second = await speak(port, get('a'), trusting({ ...at, ...(session === undefined ? {} : { session }) }))
      const heard = await second.until(() => second.statuses().length === 1)
      assert.equal((second.socket as TLSSocket).isSessionReused(), isResumed, `${version} ${isResumed}`)
      assert.match(heard, /null$/)
      for (const { socket } of [first, second]) socket.destroy()
      listener.close()
    }
  }
})

test('a new certificate is shown to new connections, and takes nothing from the old', async () => {
  const { listener, port } = await open([{ hostname: 'a.example', certificates: [shown], clientCa: authority.cert }])
  const kept = await speak(port, get('a.example'), trusting({ ...me, servername: 'a.example' }))
  await kept.until(() => kept.statuses().length === 1)
  const next = authority.issue({ names: ['next'], alternativeNames: ['DNS:a.example'] })
  listener.setTls(await planForTest([{ hostname: 'a.example', certificates: [next], clientCa: authority.cert }]))
  for (const servername of ['a.example', '']) assert.equal(await shownTo(port, { servername }), 'next')
  kept.socket.write(get('a.example'))
  const heard = await kept.until(() => kept.statuses().length === 2)
  assert.match(heard, /spiffe:\/\/test\/me[\s\S]*spiffe:\/\/test\/me/)
  kept.socket.destroy()
  listener.close()
})

test('other authorities end what was let in by those before: idle connections at once, others with what is under way', async () => {
  const arrived: Exchange[] = []
  const listeners = (clientCa: string): Listeners => [
    { hostname: 'a.example', certificates: [shown], clientCa },
    { hostname: 'b.example', certificates: [shown], clientCa: authority.cert },
  ]
  const { listener, port, refusals } = await openForTest(
    {},
    { tls: await planForTest(listeners(authority.cert)), onExchange: (exchange) => arrived.push(exchange) },
  )
  const arrivals = async (count: number) => {
    while (arrived.length < count) await new Promise<void>((resolve) => setImmediate(resolve))
  }
  const client = (name: string, bytes = '') => speak(port, bytes, trusting({ ...me, servername: name }))
  const idle = await client('a.example', get('a.example'))
  await arrivals(1)
  arrived[0]?.reply(200, {}, 'idle')
  await idle.until((text) => text.endsWith('idle'))
  const busy = await client('a.example', get('a.example'))
  await arrivals(2)
  const streaming = await client('a.example', get('a.example'))
  await arrivals(3)
  const stream = arrived[2]?.stream({}) ?? assert.fail()
  const other = await client('b.example', get('b.example'))
  await arrivals(4)
  const handshaking = await speak(port)
  await until(() => listener.connections === 5)

  listener.setTls(await planForTest(listeners(stranger.cert)))
  await Promise.all([idle.closed(), handshaking.closed()])
  busy.socket.write(get('a.example'))
  await until(() => refusals.length === 1)
  assert.equal(refusals[0]?.reason, 'misdirected')
  arrived[1]?.reply(200, {}, 'busy')
  assert.match(await busy.closed(), /connection: close[\s\S]*busy/)
  stream.write('data: on\n\n')
  await streaming.until((text) => text.includes('data: on'))
  stream.end()
  await streaming.closed()
  arrived[3]?.reply(200, {}, 'other')
  assert.doesNotMatch(await other.until((text) => text.endsWith('other')), /connection: close/)
  assert.equal(arrived.length, 4)
  other.socket.destroy()
  listener.close()
})

test('what is no TLS, too old, of another protocol or too slow is closed without a reply, and counted', async () => {
  const { listener, port, refusals } = await open([{ certificates: [shown] }], { headTimeoutMs: 300 })
  const rows: readonly (readonly [what: string, client: () => Promise<string>, reason: string])[] = [
    ['plain HTTP', () => refused(port, get('a')), 'bad-request'],
    ['garbage', () => refused(port, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03garbage'.padEnd(600, 'x')), 'bad-request'],
    [
      'TLS 1.1',
      () => refused(port, '', trusting({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })),
      'bad-request',
    ],
    ['HTTP/2 alone', () => refused(port, '', trusting({ ALPNProtocols: ['h2'] })), 'bad-request'],
    ['silence', () => refused(port, ''), 'head-timeout'],
    ['a handshake that stops half way', () => refused(port, '\x16\x03\x01\x02\x00\x01'), 'head-timeout'],
  ]
  for (const [what, client, reason] of rows) {
    const told = refusals.length
    assert.doesNotMatch(await client(), /HTTP/, what)
    await until(() => refusals.length > told)
    const { requestId: _, ...refusal } = refusals.at(-1) ?? assert.fail()
    assert.deepEqual(refusal, { reason, listener: 'test', remote: '127.0.0.1', status: 0 }, what)
    await until(() => listener.connections === 0)
  }
  const probe = await speak(port)
  await until(() => listener.connections === 1)
  probe.socket.end()
  await until(() => listener.connections === 0)
  assert.equal(refusals.length, rows.length, 'who only looks whether the port is open is not counted')
  listener.close()
})

test('handshakes count as connections, and a drain does not wait for them', async () => {
  const { listener, port, refusals } = await open([{ certificates: [shown] }], { connections: 2 })
  const half: Speaker[] = [await speak(port, '\x16\x03\x01'), await speak(port)]
  await until(() => listener.connections === 2)
  assert.equal(await refused(port, get('127.0.0.1'), trusting()), '')
  await until(() => refusals.length > 0)
  assert.equal(refusals[0]?.reason, 'overloaded')
  const drained = listener.drain(60_000)
  await Promise.all(half.map((speaker) => speaker.closed()))
  await drained
  assert.equal(listener.connections, 0)
})

test('a connection that is reset while a body is awaited is told of', async () => {
  const { listener, port, next } = await openForTest({}, { tls: await planForTest([{ certificates: [shown] }]) })
  let toListener: Socket | undefined
  const relay = createServer((socket) => {
    toListener = connectTcp(port, '127.0.0.1')
    socket.pipe(toListener).pipe(socket)
    socket.on('error', () => {})
  })
  await once(relay.listen(0, '127.0.0.1'), 'listening')
  const address = relay.address()
  const relayPort = typeof address === 'object' && address !== null ? address.port : 0
  const speaker = await speak(relayPort, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel', trusting())
  const exchange = await next()
  const body = exchange.body()
  const gone = new Promise<void>((resolve) => exchange.onGone(resolve))
  toListener?.resetAndDestroy()
  await gone
  const failed = await body
  assert.ok('kind' in failed, 'Node may end the stream before it resets it')
  speaker.socket.destroy()
  relay.close()
  listener.close()
})

test('a large reply goes on as long as its client takes some of it', async () => {
  const { listener, port, next } = await openForTest({ idleTimeoutMs: 1500 }, { tls: await planForTest([{ certificates: [shown] }]) })
  const bytes = 20 * 1024 * 1024
  const client = connect({ port, host: '127.0.0.1', ...trusting() })
  client.write(get('a'))
  const exchange = await next()
  let taken = 0
  // At a pace at which the whole takes more than twice the limit.
  client.on('data', (chunk) => {
    taken += Buffer.byteLength(chunk)
    client.pause()
    setTimeout(() => client.resume(), 4)
  })
  exchange.reply(200, {}, 'x'.repeat(bytes))
  while (taken < bytes && !exchange.isGone) await once(client, 'data')
  assert.ok(!exchange.isGone)
  client.destroy()
  listener.close()
})

async function until(isIt: () => boolean): Promise<void> {
  while (!isIt()) await new Promise<void>((resolve) => setImmediate(resolve))
}
