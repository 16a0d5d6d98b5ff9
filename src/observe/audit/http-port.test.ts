import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createHttpPort } from './http-port.ts'

interface Got {
  readonly headers: IncomingMessage['headers']
  readonly url: string | undefined
  readonly body: string
}

/** A real server on a free port; `answer` is called when the body is there. */
async function collector(t: TestContext, answer: (response: ServerResponse, count: number, request: IncomingMessage) => void) {
  const got: Got[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      got.push({ headers: request.headers, url: request.url, body })
      answer(response, got.length, request)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in?tenant=a`
  return { got, url, server }
}

function portTo(t: TestContext, url: string) {
  const port = createHttpPort({ url, headers: { authorization: 'Bearer hunter2' } })
  t.after(() => port.close())
  return port
}

const lines = Buffer.from('{"a":1}\n{"b":"é"}\n')

test('a batch is one POST of JSON lines with the headers of the settings, and any 2xx takes it', async (t) => {
  for (const status of [200, 202, 204]) {
    const { got, url } = await collector(t, (response) => response.writeHead(status).end(status === 204 ? undefined : 'x'.repeat(200_000)))
    const port = portTo(t, url)
    assert.deepEqual(await port.send(lines), { lines: 2, failure: undefined })
    assert.deepEqual(await port.send(lines), { lines: 2, failure: undefined })
    assert.equal(got.length, 2)
    assert.equal(got[0]?.body, lines.toString())
    assert.equal(got[0]?.url, '/in?tenant=a')
    assert.equal(got[0]?.headers['content-type'], 'application/x-ndjson')
    assert.equal(got[0]?.headers.authorization, 'Bearer hunter2')
  }
})

test('anything else takes nothing, redirects are not followed, and the failure names no secret', async (t) => {
  const other = await collector(t, (response) => response.end())
  for (const status of [301, 307, 400, 401, 500, 503]) {
    const { got, url } = await collector(t, (response) => response.writeHead(status, { location: other.url }).end('hunter2'))
    assert.deepEqual(await portTo(t, url).send(lines), { lines: 0, failure: { kind: 'failed', text: `it answered ${status}` } })
    assert.equal(got.length, 1)
  }
  assert.equal(other.got.length, 0)
})

test('a server that is down fails, and takes what is sent when it is back', async (t) => {
  const { url, server } = await collector(t, (response) => response.end())
  const { port: number } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const port = portTo(t, url)
  const { lines: taken, failure } = await port.send(lines)
  assert.equal(taken, 0)
  assert.match(failure?.text ?? '', /ECONNREFUSED/)
  assert.doesNotMatch(failure?.text ?? '', /hunter2|tenant/)
  server.listen(number, '127.0.0.1')
  await once(server, 'listening')
  assert.deepEqual(await port.send(lines), { lines: 2, failure: undefined })
})

test('no answer, or one that never ends, fails after 5 s', async (t) => {
  for (const how of ['silence', 'endless'] as const) {
    const arrived = Promise.withResolvers<void>()
    const { url } = await collector(t, (response) => {
      if (how === 'endless') response.writeHead(200).write('x')
      setImmediate(arrived.resolve)
    })
    const port = portTo(t, url)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const sent = port.send(lines)
    await arrived.promise
    t.mock.timers.tick(4999)
    t.mock.timers.tick(1)
    const { lines: taken, failure } = await sent
    t.mock.timers.reset()
    assert.deepEqual([taken, failure?.text], [0, 'no answer within 5000 ms'], how)
  }
})

test('a connection that was kept and is gone costs no failure', async (t) => {
  let kept: IncomingMessage | undefined
  const { got, url } = await collector(t, (response, count, request) => {
    if (count === 2) request.socket.destroy()
    else response.end()
    kept = request
  })
  const port = portTo(t, url)
  assert.deepEqual(await port.send(lines), { lines: 2, failure: undefined })
  assert.deepEqual(await port.send(lines), { lines: 2, failure: undefined })
  assert.deepEqual([got.length, kept?.socket.destroyed], [3, false])
})

test('it is tried again after 1 s, then twice as long up to 30 s', async (t) => {
  const port = portTo(t, 'http://127.0.0.1:9/x?secret=hunter2')
  assert.deepEqual([1, 2, 3, 5, 6, 100].map(port.retryMs), [1000, 2000, 4000, 16_000, 30_000, 30_000])
  assert.equal(port.name, 'http://127.0.0.1:9/x')
  assert.deepEqual([port.settle(), port.sendNow(lines).lines], [false, 0])
})
