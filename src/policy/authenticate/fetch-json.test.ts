import assert from 'node:assert/strict'
import dns from 'node:dns'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { syncBuiltinESMExports } from 'node:module'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { isMetadataHost } from '../../mcp/mcp.ts'
import { fetchJson } from './fetch-json.ts'

const asked: string[] = []
const codings: (string | undefined)[] = []
let answer: (response: ServerResponse) => void = () => {}
const server = createServer((request, response) => {
  asked.push(request.url ?? '')
  codings.push(request.headers['accept-encoding'])
  answer(response)
})
let origin = ''

before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(async () => {
  server.closeAllConnections()
  await once(server.close(), 'close')
})

const options = { ca: undefined, timeoutMs: 5000, maxBytes: 1000 }
const body =
  (content: string | Uint8Array, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(200, headers).end(content)

test('a document comes with its text; keys mean nothing to JavaScript', async () => {
  const text = '{"keys":[{"\\u006bid":"a","n":1,"__proto__":{"x":1}}], "big":9007199254740993}'
  answer = body(text)
  const fetched = await fetchJson(`${origin}/a?b=c`, options)
  assert.ok(fetched.kind === 'json')
  assert.equal(fetched.text, text)
  const { keys } = fetched.value as { keys: Record<string, unknown>[] }
  assert.equal(keys[0]?.['kid'], 'a')
  assert.equal(keys[0]?.['x'], undefined)
  assert.deepEqual(asked, ['/a?b=c'])
  assert.deepEqual(codings, ['identity'])
})

test('what is not taken is a failure in words, without a word of the body', async () => {
  const rows: readonly (readonly [answer: (response: ServerResponse) => void, why: RegExp])[] = [
    [(response) => response.writeHead(302, { location: `${origin}/secret` }).end('secret'), /302, and redirects are not followed/],
    [(response) => response.writeHead(307, { location: 'http://127.0.0.2/secret' }).end('secret'), /307, and redirects/],
    [(response) => response.writeHead(500).end('secret'), /answered 500/],
    [(response) => response.writeHead(204).end(), /answered 204/],
    [body('secret'), /not JSON/],
    [body('{"secret":1,"secret":2}'), /not JSON.*repeated-key/],
    [body('['.repeat(100) + ']'.repeat(100)), /not JSON.*too-deep/],
    [body(Buffer.from([0x22, 0xff, 0x22])), /not UTF-8/],
    [body('\ufeff{}'), /not UTF-8/],
    [body(`"${'s'.repeat(1000)}"`), /more than 1000 bytes/],
    [body(gzipSync('{}'), { 'content-encoding': 'gzip' }), /compressed/],
    [body('{}', { 'content-encoding': 'br' }), /compressed/],
    [(response) => void response.writeHead(200, { 'content-length': '9' }).write('{"a"', () => response.destroy()), /can't be reached \(/],
    [(response) => response.socket?.end('secret\r\n\r\n'), /can't be reached \(HTTPParserError\)/],
    [(response) => response.socket?.destroy(), /can't be reached \(UND_ERR_SOCKET\)/],
  ]
  for (const [how, why] of rows) {
    answer = how
    const fetched = await fetchJson(origin, options)
    assert.ok(fetched.kind === 'failed', String(why))
    assert.match(fetched.why, why)
    assert.ok(!fetched.why.includes('secret'), fetched.why)
  }
  assert.ok(!asked.includes('/secret'))
})

test('an endless body is broken off at its bound, silence and drops at the time-out', async () => {
  let isClosed: Promise<unknown> = Promise.resolve()
  answer = (response) => {
    isClosed = once(response, 'close')
    response.writeHead(200)
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(500)));
    }
    response.on('drain', more)
    more()
  }
  assert.deepEqual(await fetchJson(origin, options), { kind: 'failed', why: 'its answer has more than 1000 bytes' })
  await isClosed
  answer = () => {}
  assert.deepEqual(await fetchJson(origin, { ...options, timeoutMs: 50 }), { kind: 'failed', why: 'no answer within 50 ms' })
  answer = (response) => void response.writeHead(200).write('{')
  assert.deepEqual(await fetchJson(origin, { ...options, timeoutMs: 50 }), { kind: 'failed', why: 'no answer within 50 ms' })
})

test('replies before the reply end it', async () => {
  const sockets: Socket[] = []
  const chatty = createTcpServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {}).write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100))
  })
  await once(chatty.listen(0, '127.0.0.1'), 'listening')
  const fetched = await fetchJson(`http://127.0.0.1:${(chatty.address() as AddressInfo).port}`, options)
  for (const socket of sockets) socket.destroy()
  await once(chatty.close(), 'close')
  assert.deepEqual(fetched, { kind: 'failed', why: 'it answered with more than one reply' })
})

test('who asks may give up, before and in the midst', async () => {
  const gone = new AbortController()
  answer = () => gone.abort()
  const given = { kind: 'failed', why: 'the request was broken off' }
  assert.deepEqual(await fetchJson(origin, { ...options, signal: gone.signal }), given)
  const before = asked.length
  assert.deepEqual(await fetchJson(origin, { ...options, signal: gone.signal }), given)
  assert.equal(asked.length, before)
})

test('what can be no identity provider is not asked', async () => {
  for (const url of ['file:///etc/passwd', 'ftp://a', 'jwks.json', '', 'data:application/json,{}']) {
    assert.deepEqual(await fetchJson(url, options), { kind: 'failed', why: 'it is not a URL with https or http' }, url)
  }
  const blocked = { kind: 'failed', why: "its host is link-local or a cloud's metadata service" }
  for (const host of [
    '169.254.169.254',
    '0xa9fea9fe',
    '[::ffff:169.254.169.254]',
    '[fe80::1]',
    'metadata.google.internal',
    '169.254.169.254.',
  ]) {
    assert.deepEqual(await fetchJson(`http://${host}/latest`, options), blocked, host)
  }
  for (const host of ['127.0.0.1', '[::1]', 'id.example', '10.0.0.1', 'metadata.example']) assert.ok(!isMetadataHost(host), host)
})

test('a port where nobody listens is a failure with its code', async () => {
  const fetched = await fetchJson('http://127.0.0.1:1/', options)
  assert.deepEqual(fetched, { kind: 'failed', why: "it can't be reached (ECONNREFUSED)" })
  assert.equal((await fetchJson(`http://nowhere.invalid/`, options)).kind, 'failed')
})

test('a name that stands for a link-local address is not asked there', async (t) => {
  let addresses = ['169.254.169.254']
  const lookup = t.mock.method(dns, 'lookup', (_host: string, _options: unknown, done: (error: null, found: unknown) => void) =>
    done(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    ),
  )
  syncBuiltinESMExports()
  answer = body('{}')
  const url = `http://id.example:${new URL(origin).port}/`
  try {
    assert.deepEqual(await fetchJson(url, options), { kind: 'failed', why: "its host is link-local or a cloud's metadata service" })
    addresses = ['169.254.169.254', '127.0.0.1']
    assert.equal((await fetchJson(url, options)).kind, 'json')
  } finally {
    lookup.mock.restore()
    syncBuiltinESMExports()
  }
})

// Signed by itself, for 127.0.0.1, good until 2126.
const cert = `-----BEGIN CERTIFICATE-----
MIIBhjCCASygAwIBAgIUMscgBp27pjGobJE3rkRsEJGdZRowCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjAyMDM5NDdaGA8yMTI2MTAyNzIwMzk0
N1owDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABP5S
AcU0Z6L9bO+PvgyUQKU39TzopI2od0o/3M5Za1mAwmLtPNLPFM5ZeR9rLe5IWnch
qeH0RuW1mj7nipXRbISjZDBiMB0GA1UdDgQWBBS53KewYYW5k3iRj8Ofv0fm2gay
TjAfBgNVHSMEGDAWgBS53KewYYW5k3iRj8Ofv0fm2gayTjAPBgNVHRMBAf8EBTAD
AQH/MA8GA1UdEQQIMAaHBH8AAAEwCgYIKoZIzj0EAwIDSAAwRQIhAIpyJMRlJiq6
4+yed3qg0IDgBvVYNcDUFMuFwUi+LjjdAiB9GOO6mdu/cbx0bqIfwRZR0sqxDVlm
GLHCVqMwE3EpNw==
-----END CERTIFICATE-----`
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgeSULoxNUSHIDAIRx
2jNsa33/1QMLYYzFFh8mB0uJsWChRANCAAT+UgHFNGei/Wzvj74MlEClN/U86KSN
qHdKP9zOWWtZgMJi7TzSzxTOWXkfay3uSFp3Ianh9EbltZo+54qV0WyE
-----END PRIVATE KEY-----`

test('over TLS its authority must be known, and its name fit', async () => {
  const safe = createTlsServer({ cert, key }, (_request, response) => response.end('{}'))
  await once(safe.listen(0, '127.0.0.1'), 'listening')
  const { port } = safe.address() as AddressInfo
  const at = (host: string, ca: string | undefined) => fetchJson(`https://${host}:${port}/`, { ...options, ca })
  assert.equal((await at('127.0.0.1', cert)).kind, 'json')
  assert.deepEqual(await at('127.0.0.1', undefined), { kind: 'failed', why: "it can't be reached (DEPTH_ZERO_SELF_SIGNED_CERT)" })
  assert.deepEqual(await at('localhost', cert), { kind: 'failed', why: "it can't be reached (ERR_TLS_CERT_ALTNAME_INVALID)" })
  assert.equal((await at('127.0.0.1', 'no certificate')).kind, 'failed')
  await once(safe.close(), 'close')
})
