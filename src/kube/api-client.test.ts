import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { type ApiStreamRequest, createApiClient } from './api-client.ts'
import { type Arrival, openFakeApi, status } from './fake-api-for-test.ts'
import type { JsonLine } from './json-lines.ts'

function watching(more: Partial<ApiStreamRequest> = {}): ApiStreamRequest {
  return { path: '/api/v1/things', query: { watch: '1' }, signal: new AbortController().signal, stallMs: 5000, ...more }
}

test('a request carries its method, query, body, type, agent and credentials', async (t) => {
  const api = await openFakeApi(t, [({ reply }) => reply(201, { kind: 'Thing' }), ({ reply }) => reply(200, {})], {
    headers: async () => ({ authorization: 'Bearer x' }),
  })
  const query = { fieldManager: 'mcplex.dev/controller', force: 'true' }
  const contentType = 'application/apply-patch+yaml'
  const reply = await api.client.request({ method: 'PATCH', path: '/api/v1/things/a', query, body: { spec: 'ü' }, contentType })
  assert.deepEqual(reply, { kind: 'reply', status: 201, body: { kind: 'Thing' }, retryAfterMs: undefined })
  await api.client.request({ method: 'GET', path: '/api/v1/things' })
  const [patch, get] = api.arrivals
  assert.deepEqual([patch?.method, patch?.path, patch?.query, patch?.body], ['PATCH', '/api/v1/things/a', query, '{"spec":"ü"}'])
  assert.equal(patch?.headers['content-type'], contentType)
  assert.equal(patch?.headers['user-agent'], 'test')
  assert.equal(patch?.headers.authorization, 'Bearer x')
  assert.deepEqual([get?.method, get?.query, get?.body, get?.headers['content-type']], ['GET', {}, '', undefined])
})

test('a server below a path is asked below it', async (t) => {
  const api = await openFakeApi(t, [({ reply }) => reply(200, {})])
  const client = createApiClient({ ...api.identity, server: `${api.identity.server}/clusters/c1/` }, { userAgent: 'test' })
  await client.request({ method: 'GET', path: '/version' })
  await client.close()
  assert.equal(api.arrivals[0]?.path, '/clusters/c1/version')
})

test('every answer is a reply, whatever its status and body', async (t) => {
  const api = await openFakeApi(t, [
    ({ reply }) => reply(429, status(429, 'slow down'), { 'retry-after': '7' }),
    ({ response }) => response.writeHead(502, { 'retry-after': 'Fri, 20 Nov 2026 10:00:00 GMT' }).end('<html>'),
    ({ response }) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
  ])
  const get = async () => await api.client.request({ method: 'GET', path: '/x' })
  assert.deepEqual(await get(), { kind: 'reply', status: 429, body: status(429, 'slow down'), retryAfterMs: 7000 })
  assert.deepEqual(await get(), { kind: 'reply', status: 502, body: undefined, retryAfterMs: undefined })
  assert.deepEqual(await get(), { kind: 'reply', status: 302, body: undefined, retryAfterMs: undefined })
})

test('an answer of more bytes than are read is said to be too large', async (t) => {
  const part = Buffer.alloc(1024 * 1024, ' ')
  const endless = new Readable({
    read() {
      this.push(part)
    },
  })
  const api = await openFakeApi(t, [({ response }) => endless.pipe(response.writeHead(200))])
  const reply = await api.client.request({ method: 'GET', path: '/x' })
  assert.deepEqual(reply, { kind: 'unreachable', text: 'answered with more than 134217728 bytes', isTooLarge: true })
})

test('a 401 is tried once more with fresh credentials', async (t) => {
  let token = 'old'
  const refuseOld = ({ headers, reply }: { headers: { authorization?: string }; reply(code: number, body: unknown): void }) =>
    headers.authorization === 'Bearer new' ? reply(200, { ok: true }) : reply(401, status(401, 'Unauthorized'))
  const api = await openFakeApi(t, Array(6).fill(refuseOld), {
    headers: async () => ({ authorization: `Bearer ${token}` }),
    refresh: () => {
      token = token === 'old' ? 'new' : 'older'
    },
  })
  const request = { method: 'GET', path: '/x' } as const
  assert.deepEqual(await api.client.request(request), { kind: 'reply', status: 200, body: { ok: true }, retryAfterMs: undefined })
  token = 'wrong'
  const reply = await api.client.request(request)
  assert.equal(reply.kind === 'reply' && reply.status, 401)
  assert.equal(api.arrivals.length, 4)
  token = 'old'
  assert.equal((await api.client.stream(watching())).kind, 'stream')
})

test('what keeps a request from an answer is said, never thrown', async (t) => {
  const silent = await openFakeApi(t, [() => {}, () => {}, ({ write }) => write('{"a'), ({ reset }) => reset()])
  const ask = async (more: object = {}) => await silent.client.request({ method: 'GET', path: '/x', ...more })
  const text = async (reply: ReturnType<typeof ask>) => {
    const got = await reply
    return got.kind === 'unreachable' ? got.text : `answered ${got.status}`
  }
  assert.match(await text(ask({ timeoutMs: 50 })), /no answer within 50 ms/)
  const stop = new AbortController()
  const stopped = text(ask({ signal: stop.signal }))
  await silent.arrival(2)
  stop.abort()
  assert.match(await stopped, /broken off/)
  assert.match(await text(ask({ signal: stop.signal })), /broken off/)
  assert.equal(silent.arrivals.length, 2)
  assert.match(await text(ask({ timeoutMs: 50 })), /no answer within 50 ms/)
  assert.match(await text(ask()), /other side closed|ECONNRESET/)

  const gone = createApiClient({ ...silent.identity, server: 'http://127.0.0.1:1' }, { userAgent: 'test' })
  assert.match(await text(gone.request({ method: 'GET', path: '/x' })), /ECONNREFUSED/)
  await gone.close()
  assert.match(await text(gone.request({ method: 'GET', path: '/x' })), /destroyed/)

  const headers = () => Promise.reject(new Error('the token is unreadable'))
  const tokenless = createApiClient({ ...silent.identity, headers }, { userAgent: 'test' })
  assert.match(await text(tokenless.request({ method: 'GET', path: '/x' })), /the token is unreadable/)
  assert.deepEqual(await tokenless.stream(watching()), { kind: 'unreachable', text: 'the token is unreadable' })
  await tokenless.close()
})

test('a stream gives its lines and says how it ended', async (t) => {
  const api = await openFakeApi(t, [
    ({ send, response }) => {
      send({ n: 1 }, { n: 2 })
      response.end()
    },
    ({ write }) => write('{"n":1}\n{"n"'),
    ({ send }) => send({ n: 1 }),
    ({ reply }) => reply(503, status(503, 'starting'), { 'retry-after': '1' }),
    () => {},
  ])
  const read = async (more: Partial<ApiStreamRequest> = {}) => {
    const stream = await api.client.stream(watching(more))
    if (stream.kind !== 'stream') return stream
    const lines: JsonLine[] = []
    for await (const line of stream.lines) lines.push(line)
    return lines
  }
  assert.deepEqual(await read(), [
    { kind: 'line', value: { n: 1 } },
    { kind: 'line', value: { n: 2 } },
    { kind: 'end', text: undefined },
  ])
  const broken = await api.client.stream(watching())
  assert.ok(broken.kind === 'stream')
  const got: JsonLine[] = []
  for await (const line of broken.lines) {
    got.push(line)
    if (line.kind === 'line') api.arrivals.at(-1)?.reset()
  }
  assert.match(JSON.stringify(got), /^\[{"kind":"line","value":{"n":1}},{"kind":"end","text":"[^"]+"}\]$/)
  assert.match(JSON.stringify(await read({ stallMs: 50 })), /"n":1.*"kind":"end","text":"Body Timeout/)
  assert.deepEqual(await read(), { kind: 'reply', status: 503, body: status(503, 'starting'), retryAfterMs: 1000 })
  assert.match(JSON.stringify(await read({ stallMs: 50 })), /"unreachable","text":"Headers Timeout/)
})

test('a stream that is over makes room for another', async (t) => {
  const limit = 1000
  const api = await openFakeApi(
    t,
    Array(limit + 1).fill(({ reply }: Arrival) => reply(200, {})),
  )
  for (let n = 0; n <= limit; n++) {
    const stream = await api.client.stream(watching())
    assert.ok(stream.kind === 'stream', `stream ${n}: ${JSON.stringify(stream)}`)
    for await (const _ of stream.lines);
  }
})

test('who aborts a stream, or leaves it, closes its connection', async (t) => {
  const api = await openFakeApi(t, [({ send }) => send({ n: 1 }), ({ send }) => send({ n: 1 })])
  for (const [at, leave] of (['abort', 'break'] as const).entries()) {
    const stop = new AbortController()
    const stream = await api.client.stream(watching({ signal: stop.signal }))
    assert.ok(stream.kind === 'stream')
    const closed = once((await api.arrival(at + 1)).response, 'close')
    for await (const line of stream.lines) {
      if (line.kind === 'end') assert.match(line.text ?? '', /abort/)
      else if (leave === 'break') break
      else stop.abort()
    }
    await closed
  }
})
