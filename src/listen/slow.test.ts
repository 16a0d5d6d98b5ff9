import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Exchange } from '../mcp/mcp.ts'
import { transports } from './transports-for-test.ts'

const get = 'GET /mcp HTTP/1.1\r\nHost: a\r\n\r\n'
const post = (headers: string, body = '') => `POST /mcp HTTP/1.1\r\nHost: a\r\n${headers}\r\n${body}`
/** More than the sockets of a connection hold. */
const large = 'x'.repeat(8 * 1024 * 1024)
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
        assert.ok(exchange.isTooSlow)
        speaker.socket.destroy()
      }
      listener.close()
    })

    for (const [what, send] of [
      ['reply', (exchange: Exchange) => exchange.reply(200, {}, 'x')],
      ['stream', (exchange: Exchange) => exchange.stream({}).write(large)],
    ] as const)
      test(`a ${what} that waits behind a stream without end is cut, although its client reads`, async () => {
        const { listener, port, next } = await openForTest({ idleTimeoutMs: 100 }, { keepAliveMs: 20 })
        const speaker = await speak(port, get.repeat(2))
        const endless = (await next()).stream({})
        const second = await next()
        send(second)
        await aborted(second)
        assert.ok(second.isTooSlow)
        assert.ok(endless.isClosed)
        speaker.socket.destroy()
        listener.close()
      })

    test('a stream that gets its turn in time is sent whole', async () => {
      const { listener, port, next } = await openForTest({ idleTimeoutMs: 5000 })
      const speaker = await speak(port, get.repeat(2))
      const first = await next()
      const stream = (await next()).stream({})
      stream.write(large)
      stream.write('last')
      stream.end()
      await nextTurn()
      first.reply(200, {})
      await speaker.until((text) => text.endsWith('last\r\n0\r\n\r\n'))
      speaker.socket.destroy()
      listener.close()
    })

    test('a stream whose client stops reading is cut after the idle time, and says why', async () => {
      const { listener, port, next } = await openForTest({ idleTimeoutMs: 50 })
      const speaker = await speak(port, get)
      speaker.socket.pause()
      const exchange = await next()
      const stream = exchange.stream({})
      while (!stream.isClosed) {
        stream.write('x'.repeat(65_536))
        await stream.drained()
        await nextTurn()
      }
      assert.deepEqual([exchange.isGone, exchange.isTooSlow, exchange.isUnderWay], [true, true, false])
      speaker.socket.destroy()
      listener.close()
    })

    test('a client that goes away by itself was not too slow', async () => {
      const { listener, port, next } = await openForTest()
      const speaker = await speak(port, get)
      const exchange = await next()
      exchange.stream({}).write('x')
      const gone = aborted(exchange)
      speaker.socket.destroy()
      await gone
      assert.deepEqual([exchange.isGone, exchange.isTooSlow], [true, false])
      listener.close()
    })

    test('what is pushed on a stream that is behind is bounded, then the client is cut as too slow', async () => {
      const { listener, port, next } = await openForTest({ writeBufferBytes: 200_000 })
      const speaker = await speak(port, get)
      speaker.socket.pause()
      const exchange = await next()
      const stream = exchange.stream({})
      while (stream.drained() === undefined) {
        stream.push('x'.repeat(50_000))
        await nextTurn()
      }
      const inKernel = exchange.bytesOut
      while (!stream.isClosed) {
        stream.push('x'.repeat(50_000))
        await nextTurn()
      }
      assert.ok(exchange.bytesOut - inKernel <= 250_000, String(exchange.bytesOut - inKernel))
      assert.ok(exchange.isTooSlow)
      stream.push('late')
      speaker.socket.destroy()
      listener.close()
    })

    test('what is pushed does not count what waits for the client: a slow one that takes a large event keeps its stream', async () => {
      const { listener, port, next } = await openForTest({ writeBufferBytes: 1000 })
      const speaker = await speak(port, get)
      speaker.socket.pause()
      const exchange = await next()
      const stream = exchange.stream({})
      stream.write(large)
      stream.push('y'.repeat(900))
      stream.write('z')
      speaker.socket.resume()
      await stream.drained()
      stream.end()
      const heard = await speaker.until((text) => text.endsWith('\r\n0\r\n\r\n'))
      const [, body = ''] = heard.split('\r\n\r\n')
      const said = body.replace(/(?:^|\r\n)[0-9a-f]+\r\n/g, '')
      assert.ok(said.startsWith(`${large}${'y'.repeat(900)}z`), String(said.length))
      speaker.socket.destroy()
      listener.close()
    })

    test('a stream that is ended while its client is behind is still taken to its end', async () => {
      const { listener, port, next } = await openForTest()
      const speaker = await speak(port, get)
      speaker.socket.pause()
      const exchange = await next()
      const stream = exchange.stream({})
      stream.write(large)
      stream.write('last')
      stream.end()
      stream.write('late')
      assert.deepEqual([stream.isClosed, stream.drained(), exchange.isUnderWay], [true, undefined, true])
      speaker.socket.resume()
      await speaker.until((text) => text.endsWith('last\r\n0\r\n\r\n'))
      speaker.socket.destroy()
      listener.close()
    })

    test('drained says when to wait, and when to go on', async () => {
      const { listener, port, next } = await openForTest()
      const speaker = await speak(port, get)
      speaker.socket.pause()
      const stream = (await next()).stream({})
      let rounds = 0
      let drained: Promise<void> | undefined
      while (drained === undefined) {
        stream.write('x'.repeat(10_000))
        drained = stream.drained()
        rounds += 1
        await nextTurn()
      }
      speaker.socket.resume()
      await drained
      assert.ok(!stream.isClosed)
      assert.ok(rounds > 1)
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
