import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { parseConfig } from '../config/config.ts'
import { type Days, makeAuthority } from '../listen/certificate-for-test.ts'
import { ServerBuffers } from '../mcp/mcp.ts'
import { planUpstream } from './from-config.ts'

/** A server of these settings, as it is tried. */
function openServer(t: TestContext, http: object | string, more: object = {}) {
  const { config, problems } = parseConfig(JSON.stringify({ servers: { s: { http, ...more } } }), { env: {}, readFile: () => '' })
  const [backend, { servers }] = Object.entries(config?.backends ?? {})[0] ?? assert.fail(JSON.stringify(problems))
  const plan = planUpstream(backend, 's', servers['s'] ?? assert.fail(), config?.limits ?? assert.fail(), 'test', (secret) => secret)
  const events = { listChanged() {}, stateChanged() {}, dropped() {}, repaired() {} }
  const upstream = plan.open({
    buffers: new ServerBuffers(),
    clientInfo: { name: 'test', version: '1' },
    now: () => performance.now(),
    random: () => 0.5,
    events,
  })
  t.after(() => upstream.close(0, true))
  return upstream
}

/** What is said of it once it has been tried. */
async function failureOf(t: TestContext, http: object | string, more: object = {}) {
  const upstream = openServer(t, http, more)
  await upstream.ensureFresh()
  const { state, lastError, remedy } = upstream.status()
  assert.equal(state, 'down')
  return { says: lastError ?? '', remedy: remedy ?? '' }
}

async function portOf(t: TestContext, server: Server | TcpServer): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

const answering = (t: TestContext, listener: RequestListener) => portOf(t, createServer(listener))
const authority = makeAuthority('Test')
const alternativeNames = ['IP:127.0.0.1']

async function tlsPort(
  t: TestContext,
  options: { readonly days?: Days; readonly names?: readonly string[]; readonly asks?: boolean } = {},
) {
  const { days = [-1, 30], names = alternativeNames, asks = false } = options
  const pair = authority.issue({ alternativeNames: names, days })
  const server = createTlsServer({ ...pair, ca: authority.cert, requestCert: asks, rejectUnauthorized: asks }, (_, response) =>
    response.writeHead(500).end(),
  )
  return portOf(t, server)
}

const ca = { ca: authority.cert }

/** What is wrong: what the text says, to callers too, and what its remedy holds. */
const rows: readonly (readonly [string, (t: TestContext) => ReturnType<typeof failureOf>, RegExp, RegExp])[] = [
  [
    'nobody listens',
    (t) => failureOf(t, 'http://127.0.0.1:9/mcp'),
    /^can't be reached: connection refused \(ECONNREFUSED\)$/,
    /127\.0\.0\.1:9: start the server/,
  ],
  [
    'its host has no address',
    (t) => failureOf(t, 'http://no-such-host.invalid/mcp'),
    /^can't be reached: (its host name is unknown \(ENOTFOUND\)|DNS did not answer \(EAI_AGAIN\))$/,
    /no-such-host\.invalid:80/,
  ],
  [
    'it takes the connection and no more',
    async (t) => {
      const port = await portOf(t, createTcpServer())
      return failureOf(t, `https://127.0.0.1:${port}/mcp`, { timeouts: { connect: '50ms' } })
    },
    /^can't be reached: no connection within the time-out \(UND_ERR_CONNECT_TIMEOUT\)$/,
    /timeouts\.connect/,
  ],
  [
    'it answers late',
    async (t) => failureOf(t, `http://127.0.0.1:${await answering(t, () => {})}/mcp`, { timeouts: { list: '50ms' } }),
    /^did not answer within 50 ms$/,
    /`timeouts`/,
  ],
  [
    'it closes the connection',
    async (t) => {
      const server = createTcpServer((socket) => void socket.once('data', () => socket.destroy()))
      return failureOf(t, `http://127.0.0.1:${await portOf(t, server)}/mcp`)
    },
    /^broke the connection before it answered: connection closed by the other side \(\w+\)$/,
    /https:\/\//,
  ],
  [
    'TLS is spoken to a server without',
    async (t) => failureOf(t, `https://127.0.0.1:${await answering(t, (_, response) => response.end())}/mcp`),
    /^can't be reached: it does not speak TLS \(\w+\)$/,
    /write http:\/\//,
  ],
  [
    'plain text is spoken to a server with TLS',
    async (t) => failureOf(t, `http://127.0.0.1:${await tlsPort(t)}/mcp`),
    /^broke the connection before it answered: /,
    /a url that begins with https:\/\//,
  ],
  [
    'it speaks no HTTP',
    async (t) => {
      const server = createTcpServer((socket) => void socket.write('220 mail.example ESMTP\r\n'))
      return failureOf(t, `http://127.0.0.1:${await portOf(t, server)}/mcp`)
    },
    /^answered with what is not HTTP$/,
    /another protocol/,
  ],
  [
    'its authority is unknown',
    async (t) => failureOf(t, `https://127.0.0.1:${await tlsPort(t)}/mcp`),
    /^can't be reached: its certificate is not signed by an authority that is trusted here \(\w+\)$/,
    /tls: \{ ca: … \}/,
  ],
  [
    'its certificate has expired',
    async (t) => failureOf(t, { url: `https://127.0.0.1:${await tlsPort(t, { days: [-9, -1] })}/mcp`, tls: ca }),
    /^can't be reached: its certificate has expired \(CERT_HAS_EXPIRED\)$/,
    /renew/,
  ],
  [
    'its certificate is not valid yet',
    async (t) => failureOf(t, { url: `https://127.0.0.1:${await tlsPort(t, { days: [1, 9] })}/mcp`, tls: ca }),
    /^can't be reached: its certificate is not valid yet/,
    /clock/,
  ],
  [
    'its certificate is another host’s',
    async (t) => failureOf(t, { url: `https://127.0.0.1:${await tlsPort(t, { names: ['DNS:other.example'] })}/mcp`, tls: ca }),
    /^can't be reached: its certificate is for another host name \(ERR_TLS_CERT_ALTNAME_INVALID\)$/,
    /tls: \{ serverName: … \}/,
  ],
  [
    'it wants a client certificate',
    async (t) => failureOf(t, { url: `https://127.0.0.1:${await tlsPort(t, { asks: true })}/mcp`, tls: ca }),
    /: (it wants a client certificate|connection closed by the other side) \(\w+\)$/,
    /tls: \{ cert: …, key: … \}/,
  ],
  [
    'it answers with a page',
    async (t) => failureOf(t, `http://127.0.0.1:${await answering(t, reply(200, 'text/html; charset=utf-8', '<html>'))}/`),
    /^answered \S+ with a web page \(200\) and no JSON-RPC$/,
    /\/mcp/,
  ],
  [
    'it wants credentials',
    async (t) => failureOf(t, `http://127.0.0.1:${await answering(t, reply(401, 'application/json', '{"jsonrpc":"2.0"}'))}/mcp`),
    /^answered server\/discover with 401: it wants credentials$/,
    /credentials: \{ header: \{ Authorization: "Bearer \$\{TOKEN\}" \} \}/,
  ],
  [
    'it denies access',
    async (t) => failureOf(t, `http://127.0.0.1:${await answering(t, reply(403, 'text/plain', 'no'))}/mcp`),
    /^answered server\/discover with 403: it denies access$/,
    /credentials: \{/,
  ],
  [
    'nothing is at its path',
    async (t) => failureOf(t, `http://127.0.0.1:${await answering(t, reply(404, 'text/plain', 'no'))}/`),
    /^answered initialize with 404$/,
    /path of its url: most servers are at \/mcp/,
  ],
  [
    'it moved',
    async (t) => failureOf(t, `http://127.0.0.1:${await answering(t, reply(308, 'text/plain', ''))}/mcp`),
    /^answered server\/discover with a redirect \(308\)$/,
    /write the url/,
  ],
  [
    'it is broken',
    async (t) => failureOf(t, `http://127.0.0.1:${await answering(t, reply(502, 'text/html', '<html>'))}/mcp`),
    /^answered server\/discover with status 502 and no JSON-RPC$/,
    /proxy/,
  ],
  [
    'it refuses in its own words, which callers don’t get',
    async (t) =>
      failureOf(t, `http://127.0.0.1:${await answering(t, (request, response) => void replyWithError(request, response))}/mcp`, {
        era: 'legacy',
      }),
    /^answered initialize with error -32000$/,
    /^it says: the licence has expired$/,
  ],
]

for (const [name, failure, says, remedy] of rows)
  test(`told of a server where ${name}`, async (t) => {
    const found = await failure(t)
    assert.match(found.says, says)
    assert.match(found.remedy, remedy)
    assert.doesNotMatch(found.says, /127\.0\.0\.1|\.invalid/, 'callers learn no address')
  })

function reply(status: number, type: string, body: string): RequestListener {
  return (_, response) => void response.writeHead(status, { 'content-type': type }).end(body)
}

async function replyWithError(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request) body += chunk
  const error = { code: -32000, message: 'the licence has expired' }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(body).id, error }))
}

/** A server that takes no POST, and its GETs; resolves `asked` after so many POSTs. */
async function older(t: TestContext, postStatus: number, onGet: (response: ServerResponse) => void, posts: number) {
  const gets: IncomingMessage[] = []
  const asked = Promise.withResolvers<void>()
  let count = 0
  const port = await answering(t, (request, response) => {
    if (request.method === 'GET') {
      gets.push(request)
      return onGet(response)
    }
    if (++count === posts) asked.resolve()
    response.writeHead(postStatus).end()
  })
  return { url: `http://127.0.0.1:${port}/sse`, gets, asked: asked.promise }
}

const stream = { 'content-type': 'text/event-stream' }

test('a server that has only HTTP+SSE is told apart by one GET, whose stream is closed, however often it is tried', async (t) => {
  for (const status of [400, 404, 405]) {
    const isClosed = Promise.withResolvers<void>()
    const server = await older(
      t,
      status,
      (response) => {
        response.on('close', isClosed.resolve)
        response.writeHead(200, stream).write('event: endpoint\ndata: /messages?session=1\n\n')
      },
      6,
    )
    const upstream = openServer(t, server.url, { credentials: { header: { 'X-Key': 'k' } } })
    await upstream.ensureFresh()
    await Promise.all([isClosed.promise, server.asked])
    const { lastError, remedy } = upstream.status()
    assert.equal(lastError, 'speaks the older HTTP+SSE transport, which is not supported yet')
    assert.match(remedy ?? '', /Streamable HTTP/)
    assert.deepEqual(
      server.gets.map(({ headers }) => [headers.accept, headers['x-key']]),
      [['text/event-stream', 'k']],
    )
  }
})

test('no other answer to the GET is taken for HTTP+SSE', async (t) => {
  const others: readonly ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(404).end(),
    (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('event: endpoint\ndata: /\n\n'),
    (response) => response.writeHead(401, stream).end('event: endpoint\ndata: /\n\n'),
    (response) => response.writeHead(200, stream).end('event: message\ndata: {}\n\nevent: endpoint\ndata: /\n\n'),
    (response) => response.writeHead(200, stream).end(),
    (response) => response.writeHead(200, stream).write(`: ${'x'.repeat(100_000)}`),
    (response) => response.destroy(),
  ]
  for (const [index, onGet] of others.entries()) {
    const server = await older(t, 405, onGet, 1)
    const { says } = await failureOf(t, server.url)
    assert.deepEqual([says, server.gets.length], ['answered initialize with 405', 1], `${index}`)
  }
})
