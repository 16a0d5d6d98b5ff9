import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Exchange } from '../mcp/mcp.ts'
import { transports } from './transports-for-test.ts'

const get = 'GET /mcp HTTP/1.1\r\nHost: a\r\n\r\n'
const post = (headers: string, body = '') => `POST /mcp HTTP/1.1\r\nHost: a\r\n${headers}\r\n${body}`
const aborted = (exchange: Exchange) => new Promise<void>((resolve) => exchange.onGone(resolve))

for (const { over, openForTest, speak, headTimeoutMs } of transports)
  describe(`over ${over}`, () => {
    const short = { headTimeoutMs, bodyTimeoutMs: 100 }
    for (const [name, bytes] of [
      ['a head that stops half way', 'GET / HTTP/1.1\r\nHos'],
      ['a connection that says nothing', ''],
    ] as const)
      test(`${name} is 408`, async () => {
        const { listener, port, refusals } = await openForTest(short)
        const speaker = await speak(port, bytes)
        assert.match(await speaker.closed(), /^HTTP\/1\.1 408 /)
        assert.deepEqual(refusals[0]?.reason, 'head-timeout')
        listener.close()
      })

    test('a body that stops half way fails body() with body-timeout, and the reply still arrives', async () => {
      const { listener, port, next } = await openForTest(short)
      const speaker = await speak(port, post('Content-Length: 5\r\n', 'hel'))
      const exchange = await next()
      const body = await exchange.body()
      assert.ok('kind' in body && body.reason === 'body-timeout')
      assert.equal(exchange.bytesIn, 3)
      exchange.reply(408, {}, 'too slow')
      assert.match(await speaker.closed(), /^HTTP\/1\.1 408 [\s\S]*too slow$/)
      listener.close()
    })

    test('a body that stops after it was answered closes the connection without a second reply', async () => {
      const { listener, port, next } = await openForTest(short)
      const speaker = await speak(port, post('Content-Length: 5\r\n', 'hel'))
      const exchange = await next()
      exchange.reply(401, {})
      await speaker.closed()
      assert.deepEqual(speaker.statuses(), [401])
      listener.close()
    })

    test('an idle connection is closed', async () => {
      const { listener, port, next } = await openForTest({ idleTimeoutMs: 50 })
      const speaker = await speak(port, get)
      const exchange = await next()
      exchange.reply(200, {})
      await speaker.closed()
      assert.deepEqual(speaker.statuses(), [200])
      listener.close()
    })

    test('a reply that nobody reads is cut, also behind another reply', async () => {
      const { listener, port, next } = await openForTest({ idleTimeoutMs: 50 })
      const large = 'x'.repeat(32 * 1024 * 1024)
      for (const before of [0, 1]) {
        const speaker = await speak(port)
        speaker.socket.pause()
        speaker.socket.write(get.repeat(before + 1))
        const first = before === 1 ? await next() : undefined
        const exchange = await next()
        exchange.reply(200, {}, large)
        first?.reply(200, {})
        await aborted(exchange)
        speaker.socket.destroy()
      }
      listener.close()
    })

    test('a stream whose client stops reading is cut after the idle time', async () => {
      const { listener, port, next } = await openForTest({ idleTimeoutMs: 50 })
      const speaker = await speak(port, get)
      speaker.socket.pause()
      const exchange = await next()
      const stream = exchange.stream({})
      while (!stream.isClosed) {
        if (!stream.write('x'.repeat(65_536))) await stream.drained()
        await nextTurn()
      }
      assert.ok(exchange.isGone)
      speaker.socket.destroy()
      listener.close()
    })

    test('a stream that is written to without waiting holds a bounded amount, then is cut', async () => {
      const { listener, port, next } = await openForTest({ writeBufferBytes: 200_000 })
      const speaker = await speak(port, get)
      speaker.socket.pause()
      const exchange = await next()
      const stream = exchange.stream({})
      while (stream.write('x'.repeat(50_000))) await nextTurn()
      const inKernel = exchange.bytesOut
      while (!stream.isClosed) {
        stream.write('x'.repeat(50_000))
        await nextTurn()
      }
      assert.ok(exchange.bytesOut - inKernel <= 250_000, String(exchange.bytesOut - inKernel))
      assert.equal(stream.write('late'), true)
      speaker.socket.destroy()
      listener.close()
    })

    test('write says when to wait, and drained when to go on', async () => {
      const { listener, port, next } = await openForTest()
      const speaker = await speak(port, get)
      speaker.socket.pause()
      const stream = (await next()).stream({})
      let rounds = 0
      while (stream.write('x'.repeat(10_000))) {
        rounds += 1
        await nextTurn()
      }
      const drained = stream.drained()
      speaker.socket.resume()
      await drained
      assert.ok(!stream.isClosed)
      assert.ok(rounds > 0)
      stream.write('data: last\n\n')
      stream.end()
      await speaker.until((text) => text.endsWith('data: last\n\n\r\n0\r\n\r\n'))
      speaker.socket.destroy()
      listener.close()
    })

    test('a quiet stream gets comments', async () => {
      const { listener, port, next } = await openForTest({}, { keepAliveMs: 20 })
      const speaker = await speak(port, get)
      const stream = (await next()).stream({})
      await speaker.until((text) => (text.match(/:\n\n/g) ?? []).length >= 2)
      stream.end()
      speaker.socket.destroy()
      listener.close()
    })

    test('connections beyond the limit are closed at once, and there is room again when one has gone', async () => {
      const { listener, port, refusals, next } = await openForTest({ connections: 2 })
      const kept = [await speak(port, get), await speak(port, get)]
      const exchanges = [await next(), await next()]
      const third = await speak(port, get)
      assert.equal(await third.closed(), '')
      assert.deepEqual([refusals[0]?.reason, refusals[0]?.status], ['overloaded', 0])
      assert.equal(listener.connections, 2)
      kept[0]?.socket.destroy()
      await aborted(exchanges[0] ?? assert.fail())
      const fourth = await speak(port, get)
      ;(await next()).reply(200, {})
      await fourth.until((text) => text.startsWith('HTTP/1.1 200'))
      listener.close()
    })

    test('the 17th request that waits on one connection is 503, after the replies to the others', async () => {
      const { listener, port, next } = await openForTest()
      const speaker = await speak(port, get.repeat(20))
      for (let i = 0; i < 16; i += 1) (await next()).reply(200, {})
      await speaker.closed()
      assert.deepEqual(speaker.statuses(), [...Array(16).fill(200), 503])
      listener.close()
    })
  })
