import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import type { Exchange } from '../mcp/mcp.ts'
import type { EdgeLimits } from './limits.ts'
import type { TestListener } from './open-for-test.ts'
import { statusesOf } from './speak-for-test.ts'
import { transports } from './transports-for-test.ts'

const host = 'Host: localhost:8080\r\n'
const get = `GET /next HTTP/1.1\r\n${host}\r\n`
const post = (headers: string, body = '') => `POST /mcp HTTP/1.1\r\n${host}${headers}\r\n${body}`
const fields = (count: number) => Array.from({ length: count }, (_, i) => `x-${i}: y\r\n`).join('')

async function echo(exchange: Exchange): Promise<void> {
  const body = await exchange.body()
  if ('kind' in body)
    return exchange.reply(body.reason === 'body-too-large' ? 413 : body.reason === 'body-timeout' ? 408 : 400, {}, body.text)
  const { path, query, host } = exchange.head
  const seen = {
    path,
    query,
    host,
    accept: exchange.head.header('accept'),
    agent: exchange.head.header('user-agent'),
    user: exchange.head.header('x_mcp_user'),
    bytes: body.byteLength,
  }
  exchange.reply(200, { 'content-type': 'application/json' }, JSON.stringify(seen))
}

for (const { over, openForTest, speak } of transports)
  describe(`over ${over}`, () => {
    const open = (limits: Partial<EdgeLimits> = {}) => openForTest(limits, { onExchange: echo })

    describe('every ambiguous request gets one refusal, and its connection is closed', () => {
      const followed: Exchange[] = []
      const refused: readonly (readonly [name: string, bytes: string, status: number])[] = [
        ['101 header fields', `GET / HTTP/1.1\r\n${host}${fields(100)}\r\n`, 431],
        ['2,000 header fields', `GET / HTTP/1.1\r\n${host}${fields(2000)}\r\n`, 431],
        ['an Origin behind 1,100 fields', `GET / HTTP/1.1\r\n${host}${fields(1100)}Origin: https://evil.example\r\n\r\n`, 431],
        ['a head over 16 KiB', `GET / HTTP/1.1\r\n${host}x: ${'y'.repeat(17_000)}\r\n\r\n`, 431],
        ['a target over 16 KiB', `GET /${'y'.repeat(17_000)} HTTP/1.1\r\n${host}\r\n`, 431],
        ['Host twice', `GET / HTTP/1.1\r\n${host}Host: localhost:8080\r\n\r\n`, 400],
        ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
        ['no Host in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', 400],
        ...['', 'a/b', 'a?b', 'a#b', 'user@a', 'a b', 'a,b', 'a:x', 'a:', '[::1', '::1', 'a%2eb', '\xe9'].map(
          (value) => [`Host ${JSON.stringify(value)}`, `GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`, 400] as const,
        ),
        ...[
          'Authorization',
          'Content-Type',
          'Origin',
          'Mcp-Session-Id',
          'mcp-method',
          'Mcp-Anything',
          'MCP-Protocol-Version',
          'Last-Event-ID',
          'Cookie',
        ].map((name) => [`${name} twice`, `GET / HTTP/1.1\r\n${host}${name}: a\r\n${name.toUpperCase()}: a\r\n\r\n`, 400] as const),
        ['Content-Length twice', post('Content-Length: 1\r\nContent-Length: 1\r\n', 'x'), 400],
        ['Content-Length with a sign', post('Content-Length: +1\r\n', 'x'), 400],
        ['Content-Length in a list', post('Content-Length: 1, 1\r\n', 'x'), 400],
        ['Content-Length and Transfer-Encoding', post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400],
        ['Transfer-Encoding and Content-Length', post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', '0\r\n\r\n'), 400],
        ['Transfer-Encoding: xchunked', post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'), 501],
        ['Transfer-Encoding: gzip, chunked', post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'), 501],
        ['Transfer-Encoding: chunked, identity', post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'), 501],
        ['Transfer-Encoding twice', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 501],
        ['Transfer-Encoding in HTTP/1.0', `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
        ['a chunk size that is none', post('Transfer-Encoding: chunked\r\n', 'zz\r\nx\r\n0\r\n\r\n'), 400],
        ['a chunk longer than it says', post('Transfer-Encoding: chunked\r\n', '1\r\nxx\r\n0\r\n\r\n'), 400],
        ['a chunk extension of 20 kB', post('Transfer-Encoding: chunked\r\n', `1;${'e'.repeat(20_000)}\r\nx\r\n0\r\n\r\n`), 413],
        ['Content-Encoding: gzip', post('Content-Encoding: gzip\r\nContent-Length: 1\r\n', 'x'), 415],
        ...['GET', 'HEAD', 'DELETE', 'OPTIONS'].flatMap((method) => [
          [`${method} with Content-Length`, `${method} / HTTP/1.1\r\n${host}Content-Length: 1\r\n\r\nx`, 400] as const,
          [`${method} in chunks`, `${method} / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400] as const,
        ]),
        ['absolute-form for another host', `GET http://evil.example/ HTTP/1.1\r\n${host}\r\n`, 400],
        ['absolute-form for another port', `GET http://localhost:8081/ HTTP/1.1\r\n${host}\r\n`, 400],
        ['absolute-form with a user', `GET http://u@localhost:8080/ HTTP/1.1\r\n${host}\r\n`, 400],
        ['absolute-form of another scheme', `GET ftp://localhost:8080/ HTTP/1.1\r\n${host}\r\n`, 400],
        ['asterisk-form', `OPTIONS * HTTP/1.1\r\n${host}\r\n`, 400],
        ['CONNECT', `CONNECT localhost:8080 HTTP/1.1\r\n${host}\r\n`, 501],
        ['Expect of another kind', post('Expect: 200-ok\r\nContent-Length: 1\r\n', 'x'), 417],
        ['Expect of two kinds', post('Expect: 100-continue, x\r\nContent-Length: 1\r\n', 'x'), 417],
        ...[
          '/a/../b',
          '/..',
          '/a/%2e%2e/b',
          '/a/.%2E',
          '/a%2f..%2fb',
          '/a/..;x/b',
          '/a/./b',
          '/a%00b',
          '/a\\b',
          '/a%5Cb',
          '/a#b',
          '/\xe9',
        ].map((path) => [`path ${path}`, `GET ${path} HTTP/1.1\r\n${host}\r\n`, 400] as const),
        ['a header folded onto two lines', `GET / HTTP/1.1\r\n${host}a: b\r\n c\r\n\r\n`, 400],
        ['a space before the colon', `GET / HTTP/1.1\r\n${host}a : b\r\n\r\n`, 400],
        ['a bare line feed', 'GET / HTTP/1.1\nHost: a\n\n', 400],
        ['a NUL in a header', `GET / HTTP/1.1\r\n${host}a: \0\r\n\r\n`, 400],
        ['HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
        ['noise', '\x16\x03\x01\x02\x00\x01\x00\x01', 400],
      ]
      let edge: TestListener
      before(async () => {
        edge = await openForTest(
          {},
          { onExchange: (exchange) => (exchange.head.path === '/next' ? followed.push(exchange) : echo(exchange)) },
        )
      })
      after(() => {
        edge.listener.close()
        assert.equal(followed.length, 0, 'what follows a refused request is not looked at')
      })
      for (const [name, bytes, status] of refused)
        test(`${name}: ${status}`, async () => {
          const told = edge.refusals.length
          const speaker = await speak(edge.port, bytes + get)
          const heard = await speaker.closed()
          assert.deepEqual(speaker.statuses(), [status], heard)
          assert.match(heard, /\r\nconnection: close\r\n/i)
          const inBody = /chunk (size|longer|ext)/.test(name) // becomes an exchange before the fault is seen
          if (!inBody) {
            assert.equal(edge.refusals.length, told + 1)
            const refusal = edge.refusals.at(-1)
            assert.equal(refusal?.status, status)
            assert.equal(refusal?.remote, '127.0.0.1')
            const isHead = bytes.startsWith('HEAD')
            if (!isHead) assert.equal(JSON.parse(heard.slice(heard.indexOf('\r\n\r\n') + 4)).error.data.requestId, refusal?.requestId)
          }
        })
    })

    describe('every plain request becomes an exchange, and its connection goes on', () => {
      const taken: readonly (readonly [name: string, bytes: string, seen: Record<string, unknown>])[] = [
        ['100 header fields', `GET / HTTP/1.1\r\n${host}${fields(99)}\r\n`, { path: '/' }],
        [
          'path and query as sent',
          `GET /A%20b//c.d/...;x?q=%2e%2e/../&\\ HTTP/1.1\r\n${host}\r\n`,
          { path: '/A%20b//c.d/...;x', query: 'q=%2e%2e/../&\\' },
        ],
        ['a dot that is no segment', `GET /.well-known/x..y/.z HTTP/1.1\r\n${host}\r\n`, { path: '/.well-known/x..y/.z' }],
        ['Host in lower case', 'GET / HTTP/1.1\r\nHost: LocalHost:80\r\n\r\n', { host: 'localhost:80' }],
        ['Host with an IPv6 address', 'GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n', { host: '[::1]:80' }],
        ['absolute-form for this host', `GET http://LOCALHOST:8080/a?b HTTP/1.1\r\n${host}\r\n`, { path: '/a', query: 'b' }],
        ['absolute-form without a path', `GET http://localhost:8080?b HTTP/1.1\r\n${host}\r\n`, { path: '/', query: 'b' }],
        ['Accept twice is joined', `GET / HTTP/1.1\r\n${host}Accept: a\r\naccept: b\r\n\r\n`, { accept: 'a, b' }],
        [
          'User-Agent twice is joined, where Node alone would drop the second',
          `GET / HTTP/1.1\r\n${host}User-Agent: a\r\nUser-Agent: b\r\n\r\n`,
          { agent: 'a, b' },
        ],
        ['a field with an underscore is not there', `GET / HTTP/1.1\r\n${host}X_Mcp_User: root\r\n\r\n`, { user: undefined }],
        ['a body of known length', post('Content-Length: 5\r\n', 'hello'), { bytes: 5 }],
        [
          'a body in chunks, with extensions and trailers',
          post('Transfer-Encoding: Chunked\r\n', '2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nHost: evil\r\n\r\n'),
          { bytes: 5, host: 'localhost:8080' },
        ],
        ['an empty body in chunks', post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n'), { bytes: 0 }],
        ['GET with Content-Length: 0', `GET / HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`, { bytes: 0 }],
        ['Content-Encoding: identity', post('Content-Encoding: identity\r\nContent-Length: 1\r\n', 'x'), { bytes: 1 }],
      ]
      let edge: TestListener
      before(async () => {
        edge = await open()
      })
      after(() => edge.listener.close())
      for (const [name, bytes, seen] of taken)
        test(name, async () => {
          const speaker = await speak(edge.port, bytes + get)
          const heard = await speaker.until((text) => text.includes('"/next"'))
          assert.deepEqual(speaker.statuses(), [200, 200])
          const body = JSON.parse(/\r\n\r\n(\{.*?\})HTTP/.exec(heard)?.[1] ?? '')
          for (const key in seen) assert.equal(body[key], seen[key], key)
          speaker.socket.destroy()
        })

      test('HTTP/1.0 is answered and closed', async () => {
        const speaker = await speak(edge.port, `GET /old HTTP/1.0\r\n${host}\r\n`)
        assert.match(await speaker.closed(), /^HTTP\/1\.1 200 /)
      })

      test('Expect: 100-continue is answered before the body comes', async () => {
        const speaker = await speak(edge.port, post('Expect: 100-continue\r\nContent-Length: 5\r\n'))
        await speaker.until((text) => text === 'HTTP/1.1 100 Continue\r\n\r\n')
        speaker.socket.write(`hello${get}`)
        await speaker.until((text) => text.includes('"/next"'))
        assert.match(speaker.heard(), /"bytes":5/)
        speaker.socket.destroy()
      })

      test('200 requests on one connection are answered in order', async () => {
        const speaker = await speak(edge.port)
        for (let i = 0; i < 200; i += 1) {
          speaker.socket.write(`GET /${i} HTTP/1.1\r\n${host}\r\n`)
          if (i % 10 === 9) await speaker.until((text) => text.includes(`"/${i}"`))
        }
        const paths = [...speaker.heard().matchAll(/"path":"\/(\d+)"/g)].map((match) => Number(match[1]))
        assert.deepEqual(
          paths,
          Array.from({ length: 200 }, (_, i) => i),
        )
        speaker.socket.destroy()
      })
    })

    describe('bodies over the limit', () => {
      const mebibyte = 'x'.repeat(1024 * 1024)
      let edge: TestListener
      before(async () => {
        edge = await open()
      })
      after(() => edge.listener.close())

      test('20 MiB announced by Content-Length and sent all the same: the 413 arrives', async () => {
        const speaker = await speak(edge.port, post(`Content-Length: ${20 * mebibyte.length}\r\n`))
        const written = Array.from({ length: 20 }, () => new Promise<unknown>((resolve) => speaker.socket.write(mebibyte, resolve)))
        assert.ok(
          (await Promise.all(written)).every((error) => !error),
          'the connection is not reset while the client sends',
        )
        await speaker.closed()
        assert.deepEqual(speaker.statuses(), [413])
        assert.equal(edge.refusals.at(-1)?.reason, 'body-too-large')
      })

      test('20 MiB in chunks: the 413 arrives', async () => {
        const speaker = await speak(edge.port, post('Transfer-Encoding: chunked\r\n'))
        for (let i = 0; i < 20; i += 1) speaker.socket.write(`100000\r\n${mebibyte}\r\n`)
        await speaker.closed()
        assert.deepEqual(speaker.statuses(), [413])
      })

      test('20 MiB with Expect: 413 and no 100', async () => {
        const speaker = await speak(edge.port, post(`Expect: 100-continue\r\nContent-Length: ${20 * mebibyte.length}\r\n`))
        assert.match(await speaker.closed(), /^HTTP\/1\.1 413 /)
      })

      test('a body of exactly the limit is taken, in either framing', async () => {
        const body = mebibyte.repeat(4)
        const speaker = await speak(edge.port, post(`Content-Length: ${body.length}\r\n`, body))
        await speaker.until((text) => text.includes(`"bytes":${body.length}`))
        speaker.socket.write(post('Transfer-Encoding: chunked\r\n', `400000\r\n${body}\r\n0\r\n\r\n`))
        await speaker.until(() => speaker.statuses().length === 2)
        assert.deepEqual(speaker.statuses(), [200, 200])
        speaker.socket.destroy()
      })
    })

    test('any soup of fields is answered or closed, and the listener lives', async () => {
      const { listener } = await open({ headTimeoutMs: 200, bodyTimeoutMs: 200 })
      const name = fc.constantFrom(
        'Host',
        'host',
        'Content-Length',
        'Transfer-Encoding',
        'Expect',
        'Upgrade',
        'Connection',
        'Origin',
        'X_a',
        '__proto__',
        'constructor',
        ' ',
        '\t',
        'é',
      )
      const value = fc.oneof(
        fc.constantFrom(
          'a',
          'localhost',
          '0',
          '1',
          '5',
          'chunked',
          'gzip',
          '100-continue',
          'upgrade',
          'close',
          'keep-alive',
          'websocket',
          '-1',
          '99999999999999999999',
          '',
          '\0',
        ),
        fc.string({ unit: 'binary-ascii', maxLength: 8 }),
      )
      const line = fc.tuple(name, value, fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r')).map(([n, v, end]) => `${n}: ${v}${end}`)
      const method = fc.constantFrom('GET', 'POST', 'HEAD', 'DELETE', 'OPTIONS', 'CONNECT', 'PUT', 'FOO', 'get')
      const target = fc.oneof(
        fc.constantFrom('/', '/mcp', '*', 'http://a/', '/..', 'a:80', ''),
        fc.string({ unit: 'binary-ascii', maxLength: 8 }),
      )
      const body = fc.oneof(
        fc.constantFrom('', 'hello', '0\r\n\r\n', '5\r\nhello\r\n0\r\n\r\n'),
        fc.string({ unit: 'binary-ascii', maxLength: 20 }),
      )
      const request = fc
        .tuple(method, target, fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', ''), fc.array(line, { maxLength: 6 }), body)
        .map(([m, t, version, lines, rest]) => `${m} ${t} ${version}\r\n${lines.join('')}\r\n${rest}`)
      await fc.assert(
        fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 3 }), async (requests) => {
          const speaker = await speak(listener.port, requests.join(''))
          speaker.socket.end()
          const heard = await speaker.closed()
          assert.ok(heard === '' || heard.startsWith('HTTP/1.1 '), heard)
          assert.ok(statusesOf(heard).every((status) => status !== 500))
        }),
        { numRuns: 300 },
      )
      const speaker = await speak(listener.port, get)
      await speaker.until((text) => text.includes('"/next"'))
      listener.close()
    })
  })
