import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Exchange } from '../mcp/mcp.ts'
import { plainAddress } from './connection.ts'
import { transports } from './transports-for-test.ts'

const goneFrom = (exchange: Exchange) => new Promise<void>((resolve) => exchange.onGone(resolve))

const get = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n'
const post = (headers: string, body = '') => `POST /mcp HTTP/1.1\r\nHost: a\r\n${headers}\r\n${body}`

for (const { over, openForTest, speak } of transports)
  describe(`over ${over}`, () => {
    test('a reply carries its fields, its length and what was set before', async () => {
      const { listener, port, next } = await openForTest({}, { clock: () => 42, idPrefix: 'id-' })
      const speaker = await speak(port, post('Content-Length: 2\r\n', '{}'))
      const exchange = await next()
      assert.deepEqual([exchange.requestId, exchange.startedAt, exchange.status], ['id-1', 42, 0])
      assert.deepEqual([exchange.head.listener, exchange.head.remote], ['test', '127.0.0.1'])
      assert.deepEqual(Buffer.from((await exchange.body()) as Uint8Array).toString(), '{}')
      exchange.setHeader('vary', 'A')
      exchange.setHeader('vary', 'Origin')
      exchange.reply(200, { 'content-type': 'application/json' }, '{"é":1}')
      const heard = await speaker.until((text) => text.endsWith('}'))
      assert.match(heard, /^HTTP\/1\.1 200 OK\r\nvary: Origin\r\ncontent-type: application\/json\r\ncontent-length: 8\r\n/)
      assert.deepEqual([exchange.status, exchange.bytesIn, exchange.bytesOut], [200, 2, 8])
      listener.close()
    })

    test('202 and 204 have no body, and HEAD has none but its length', async () => {
      const { listener, port, next } = await openForTest()
      const speaker = await speak(port, post('') + post('') + get.replace('GET', 'HEAD') + get)
      for (const [status, body] of [
        [202, ''],
        [204, ''],
        [200, 'hello'],
        [200, 'last'],
      ] as const)
        (await next()).reply(status, {}, body)
      const heard = await speaker.until((text) => text.endsWith('last'))
      const [accepted, none, head] = heard.split(/(?=HTTP\/1\.1 )/)
      assert.match(accepted ?? '', /content-length: 0\r\n[\s\S]*\r\n\r\n$/)
      assert.doesNotMatch(none ?? '', /content-length/)
      assert.match(head ?? '', /content-length: 5\r\n[\s\S]*\r\n\r\n$/)
      listener.close()
    })

    test('a stream is sent as it is written, and is not cached or buffered on the way', async () => {
      const { listener, port, next } = await openForTest()
      const speaker = await speak(port, get)
      const exchange = await next()
      const stream = exchange.stream({ 'mcp-session-id': 's' })
      const head = await speaker.until((text) => text.includes('\r\n\r\n'))
      for (const field of [
        'mcp-session-id: s',
        'content-type: text/event-stream',
        'cache-control: no-cache, no-transform',
        'x-accel-buffering: no',
      ])
        assert.ok(head.includes(`${field}\r\n`), field)
      stream.write('data: é\n\n')
      await speaker.until((text) => text.includes('data: '))
      assert.deepEqual([exchange.status, exchange.bytesOut], [200, 10])
      stream.end()
      stream.end()
      stream.write('data: late\n\n')
      speaker.socket.write(get)
      ;(await next()).reply(200, {}, 'next')
      assert.ok(!(await speaker.until((text) => text.endsWith('next'))).includes('late'))
      listener.close()
    })

    // Node can't reset what is wrapped in TLS (tls.test.ts has a relay for it).
    if (over === 'HTTP')
      test('a client that goes away is told of, fails body(), and later replies do nothing', async () => {
        const { listener, port, next } = await openForTest()
        const speaker = await speak(port, post('Content-Length: 5\r\n', 'hel'))
        const exchange = await next()
        const body = exchange.body()
        const gone = goneFrom(exchange)
        speaker.socket.resetAndDestroy()
        await gone
        const failed = await body
        assert.ok('kind' in failed && failed.reason === 'cancelled')
        exchange.reply(200, {}, 'x')
        const stream = exchange.stream({})
        assert.ok(stream.isClosed)
        stream.write('x')
        assert.equal(stream.drained(), undefined)
        stream.end()
        assert.equal(exchange.status, 0)
        listener.close()
      })

    test('every request that waits on a connection learns that its client is gone, also when it asks afterwards', async () => {
      const { listener, port, next } = await openForTest()
      const speaker = await speak(port, get.repeat(3))
      const exchanges = [await next(), await next(), await next()]
      const gone = exchanges.slice(0, 2).map((exchange) => goneFrom(exchange))
      speaker.socket.destroy()
      await Promise.all(gone)
      assert.ok(exchanges.every((exchange) => exchange.isGone))
      listener.close()
    })

    test('a client is not gone when its reply has arrived', async () => {
      const { listener, port, next } = await openForTest()
      const speaker = await speak(port, get)
      const exchange = await next()
      exchange.reply(200, {}, 'done')
      await speaker.until((text) => text.endsWith('done'))
      speaker.socket.write(get) // when this one is there, the first is over
      const second = await next()
      speaker.socket.destroy()
      await goneFrom(second)
      assert.ok(!exchange.isGone)
      listener.close()
    })

    test('a reply before the body: the connection goes on where the length is known, else it is closed', async () => {
      const { listener, port, next } = await openForTest()
      const known = await speak(port, post('Content-Length: 5\r\n'))
      ;(await next()).reply(401, {})
      await known.until((text) => text.includes('401'))
      known.socket.write(`hello${get}`)
      ;(await next()).reply(200, {})
      await known.until(() => known.statuses().length === 2)
      assert.deepEqual(known.statuses(), [401, 200])

      for (const headers of ['Transfer-Encoding: chunked\r\n', 'Content-Length: 5\r\nExpect: 100-continue\r\n']) {
        const other = await speak(port, post(headers))
        ;(await next()).reply(401, {})
        assert.match(await other.closed(), /^HTTP\/1\.1 401 [\s\S]*connection: close\r\n/)
      }
      listener.close()
    })

    test('bytes that are no request never take the place of a reply that is awaited', async () => {
      const { listener, port, next, refusals } = await openForTest()
      const speaker = await speak(port, `${get}nonsense\r\n\r\n`)
      const exchange = await next()
      assert.equal(await speaker.closed(), '')
      assert.ok(exchange.isGone)
      assert.equal(refusals[0]?.status, 0)
      listener.close()
    })

    test('bytes that are no request, after a complete reply, are 400', async () => {
      const { listener, port, next } = await openForTest()
      const speaker = await speak(port, get)
      ;(await next()).reply(200, {}, 'done')
      await speaker.until((text) => text.endsWith('done'))
      speaker.socket.write('nonsense\r\n\r\n')
      await speaker.closed()
      assert.deepEqual(speaker.statuses(), [200, 400])
      listener.close()
    })

    test('a body whose framing breaks fails body(), and nothing after it is read as a request', async () => {
      const { listener, port, next, refusals } = await openForTest()
      const speaker = await speak(port, post('Transfer-Encoding: chunked\r\n', `5\r\nhelloX${get}`))
      const exchange = await next()
      const body = await exchange.body()
      assert.ok('kind' in body && body.reason === 'bad-request')
      exchange.reply(400, {})
      await speaker.closed()
      assert.deepEqual(speaker.statuses(), [400])
      assert.equal(refusals.length, 0)
      listener.close()
    })
  })

test('an IPv4 address is the same on a dual-stack socket', () => {
  assert.equal(plainAddress('::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(plainAddress('2001:db8::ffff:1'), '2001:db8::ffff:1')
})
