import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { proxyAsker } from './ask-proxy.ts'

const maxBytes = 512 * 1024

async function serve(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const ask = proxyAsker((server.address() as AddressInfo).port)
  return { server, ask: (signal = new AbortController().signal) => ask('127.0.0.1', 'secret', signal, maxBytes) }
}

test('the status is asked for with the token', async (t) => {
  const seen: unknown[] = []
  const { ask } = await serve(t, (request, response) => {
    seen.push([request.method, request.url, request.headers.authorization, request.headers.connection])
    response.end('{ "a": 1 }')
  })
  assert.deepEqual(await ask(), { kind: 'answered', body: Buffer.from('{ "a": 1 }'), bytes: 512 })
  assert.deepEqual(seen, [['GET', '/status', 'Bearer secret', 'close']])
})

test('what is no answer is a failure: another status, a redirect, too much, too many pieces, an end in the midst', async (t) => {
  const rows: readonly [answer: (response: ServerResponse) => void, text: RegExp][] = [
    [(response) => response.writeHead(401).end('{}'), /^answered 401$/],
    [(response) => response.writeHead(302, { location: '/other' }).end(), /^answered 302$/],
    [(response) => response.end('x'.repeat(maxBytes + 1)), /more than 524288 bytes/],
    [sendPieces, /more than 524288 bytes/],
    [sendEarlyHints, /more than one reply/],
    [(response) => response.writeHead(200, { 'content-length': '10' }).write('1', () => response.destroy()), /./],
  ]
  let urls: readonly (string | undefined)[] = []
  let next = rows[0]?.[0]
  const { ask, server } = await serve(t, (request, response) => {
    urls = [...urls, request.url]
    next?.(response)
  })
  for (const [answer, text] of rows) {
    next = answer
    const answered = await ask()
    assert.equal(answered.kind, 'failed')
    assert.match(answered.kind === 'failed' ? answered.text : '', text)
  }
  assert.deepEqual(new Set(urls), new Set(['/status']))
  server.close()
  server.closeAllConnections()
  const refused = await ask()
  assert.match(refused.kind === 'failed' ? refused.text : '', /ECONNREFUSED/)
})

/** One byte each, far fewer than may come at once. */
function sendPieces(response: ServerResponse): void {
  const piece = '1\r\nx\r\n'
  response.socket?.end(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${piece.repeat(2000)}0\r\n\r\n`)
}

function sendEarlyHints(response: ServerResponse): void {
  response.socket?.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(10))
}

test('what was received in vain is told too', async (t) => {
  const { ask } = await serve(t, (_, response) => response.end('x'.repeat(10 * maxBytes)))
  const { kind, bytes } = await ask()
  assert.equal(kind, 'failed')
  assert.ok(bytes > maxBytes && bytes < 2 * maxBytes, `${bytes}`)
})

test('one that is silent is left after a while, and at once where the request is broken off', async (t) => {
  const { ask, server } = await serve(t, () => undefined)
  const broken = new AbortController()
  const asked = ask(broken.signal)
  await once(server, 'request')
  broken.abort()
  assert.equal((await asked).kind, 'failed')
  const silent = await ask()
  assert.match(silent.kind === 'failed' ? silent.text : '', /no answer within 2000 ms/)
})

test('an address of IPv6 is asked', async () => {
  const answered = await proxyAsker(1)('::1', 'secret', new AbortController().signal, maxBytes)
  assert.doesNotMatch(answered.kind === 'failed' ? answered.text : '', /URL/)
  assert.equal(answered.kind, 'failed')
})
