import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { openListener } from './listen.ts'
import { transports } from './transports-for-test.ts'

const get = 'GET /mcp HTTP/1.1\r\nHost: a\r\n\r\n'

for (const { over, openForTest, speak } of transports)
  describe(`over ${over}`, () => {
    test('draining finishes what is in flight, closes what is idle, refuses what is new', async () => {
      const drains: number[] = []
      const { listener, port, next, refusals } = await openForTest({}, { onDrain: () => drains.push(1) })
      const idle = await speak(port, get)
      ;(await next()).reply(200, {}, 'done')
      await idle.until((text) => text.endsWith('done'))
      const silent = await speak(port)
      await once(silent.socket, 'connect')
      const busy = await speak(port, get)
      const exchange = await next()
      const drained = listener.drain(60_000)
      assert.deepEqual(drains, [1])
      await Promise.all([idle.closed(), silent.closed()])
      const [error] = await once(connect(port, '127.0.0.1'), 'error')
      assert.equal(error.code, 'ECONNREFUSED')
      busy.socket.write(get)
      while (refusals.length === 0) await new Promise<void>((resolve) => setImmediate(resolve))
      assert.equal(refusals[0]?.reason, 'draining')
      exchange.reply(200, {}, 'finished')
      const heard = await busy.closed()
      assert.match(heard, /^HTTP\/1\.1 200 [\s\S]*connection: close\r\n[\s\S]*finished/)
      await drained
      assert.equal(listener.connections, 0)
    })

    test('clients that are let go are served on: each reply is the last of its connection, and only a reply closes one', async () => {
      const { listener, port, next } = await openForTest()
      const idle = await speak(port, get)
      ;(await next()).reply(200, {}, 'first')
      await idle.until((text) => text.endsWith('first'))
      const streaming = await speak(port, get)
      const stream = (await next()).stream({})
      await streaming.until((text) => text.includes('event-stream'))
      const busy = await speak(port, get)
      const exchange = await next()

      listener.letGo()
      stream.write('data: on\n\n')
      await streaming.until((text) => text.includes('data: on'))
      exchange.reply(200, {}, 'busy')
      assert.match(await busy.closed(), /connection: close\r\n[\s\S]*busy$/)
      idle.socket.write(get)
      ;(await next()).reply(200, {}, 'second')
      const [, , second = ''] = (await idle.closed()).split('HTTP/1.1 ')
      assert.match(second, /^200 [\s\S]*connection: close\r\n[\s\S]*second$/)
      const fresh = await speak(port, get)
      const opened = (await next()).stream({})
      opened.write('data: new\n\n')
      assert.match(await fresh.until((text) => text.includes('data: new')), /connection: close\r\n/)
      opened.end()
      await fresh.closed()

      stream.end()
      assert.doesNotMatch(await streaming.until((text) => text.endsWith('0\r\n\r\n')), /connection: close/)
      await listener.drain(60_000)
    })

    test('letting go takes no reply from requests that were pipelined', async () => {
      const { listener, port, next } = await openForTest()
      const speaker = await speak(port, get + get)
      const [first, second] = [await next(), await next()]
      listener.letGo()
      second.reply(200, {}, 'second')
      first.reply(200, {}, 'first')
      await speaker.until((text) => text.endsWith('second'))
      speaker.socket.write(get)
      ;(await next()).reply(200, {}, 'third')
      const replies = (await speaker.closed()).split('HTTP/1.1 ').slice(1)
      assert.deepEqual(
        replies.map((reply) => [reply.slice(reply.indexOf('\r\n\r\n') + 4), reply.includes('connection: close')]),
        [
          ['first', false],
          ['second', false],
          ['third', true],
        ],
      )
      listener.close()
    })

    test('draining loses nothing of a large reply that is on its way', async () => {
      const { listener, port, next } = await openForTest()
      const speaker = await speak(port)
      speaker.socket.pause()
      speaker.socket.write(get)
      const exchange = await next()
      exchange.reply(200, {}, 'x'.repeat(32 * 1024 * 1024))
      const drained = listener.drain(60_000)
      speaker.socket.resume()
      const heard = await speaker.closed()
      assert.equal(heard.length - heard.indexOf('\r\n\r\n') - 4, 32 * 1024 * 1024)
      await drained
    })

    test('a stream that its owner ends lets the drain end', async () => {
      const { listener, port, next } = await openForTest({}, { onDrain: () => stream.end() })
      const speaker = await speak(port, get)
      const stream = (await next()).stream({})
      await speaker.until((text) => text.includes('event-stream'))
      await listener.drain(60_000)
      assert.match(await speaker.closed(), /0\r\n\r\n$/)
    })

    test('what is not finished within the grace is cut', async () => {
      const { listener, port, next } = await openForTest()
      const speaker = await speak(port, get)
      const exchange = await next()
      const again = listener.drain(50)
      assert.equal(listener.drain(60_000), again)
      await again
      assert.ok(exchange.isGone)
      assert.equal(await speaker.closed(), '')
    })

    test('a port that is taken and an address that is not ours are values', async () => {
      const { listener, port } = await openForTest()
      const options = { name: 'x', address: '127.0.0.1', port, onExchange: () => {} }
      assert.equal((await openListener(options)).kind, 'port-in-use')
      assert.equal((await openListener({ ...options, address: '192.0.2.1' })).kind, 'failed')
      listener.close()
      assert.equal((await openListener({ ...options, address: 'no.such.host.invalid' })).kind, 'failed')
    })

    test('a refused client that neither sends on nor closes is cut', async () => {
      const { listener, port, refusals } = await openForTest()
      const speaker = await speak(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n')
      await speaker.until((text) => text.includes(' 413 '))
      assert.equal(refusals.length, 1)
      await listener.drain(60_000)
      assert.equal(listener.connections, 0)
      speaker.socket.destroy()
    })
  })
