import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { parseConfig } from '../../config/config.ts'
import { speak } from '../../listen/speak-for-test.ts'
import { createLog, createMetrics } from '../../observe/observe.ts'
import { freePort } from '../demo/demo.ts'
import { startGateway } from './start-gateway.ts'

test('a stop with a delay: not ready at once, served on with a word to leave, then drained', async () => {
  const health = await freePort(20_000 + Math.floor(Math.random() * 12_000))
  const { config } = parseConfig(
    `{ listen: "127.0.0.1:0", servers: {}, admin: { listen: "127.0.0.1:0" }, health: { listen: "127.0.0.1:${health}" } }`,
    {
      env: {},
      readFile: () => '',
    },
  )
  assert.ok(config)
  const log = createLog({ level: 'error', format: 'json', color: false, stream: process.stderr })
  const started = await startGateway(config, {
    log,
    metrics: createMetrics(),
    secret: (reference) => reference,
    auditing: { open: () => assert.fail(), problemsOf: () => [] },
  })
  assert.ok(started.kind === 'started')
  await started.gateway.settled()
  const port = started.places()[0]?.port ?? 0
  const readiness = async () => {
    const reply = await fetch(`http://127.0.0.1:${health}/readyz`)
    return [reply.status, ((await reply.json()) as { reasons: unknown }).reasons]
  }
  const request = (more: readonly string[], body: object) => {
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, ...body })
    const head = [
      'POST /mcp HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      'Content-Type: application/json',
      'Accept: application/json, text/event-stream',
    ]
    return [...head, ...more, `Content-Length: ${text.length}`, '', text].join('\r\n')
  }
  const initialize = request([], {
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
  })
  const isWhole = (text: string) => text.endsWith('}')

  const client = await speak(port, initialize)
  const [, session = ''] = /mcp-session-id: (\S+)/i.exec(await client.until(isWhole)) ?? []
  const listening = await speak(
    port,
    ['GET /mcp HTTP/1.1', `Host: 127.0.0.1:${port}`, 'Accept: text/event-stream', `Mcp-Session-Id: ${session}`, '', ''].join('\r\n'),
  )
  await listening.until((text) => text.includes('event-stream'))
  assert.deepEqual(await readiness(), [200, []])

  const delay = Promise.withResolvers<void>()
  const stopped = started.stop({ delay: delay.promise, graceMs: 60_000 })
  assert.deepEqual(await readiness(), [503, ['draining']])
  // A connection from before, and a new one.
  const before = client.heard().length
  client.socket.write(request([`Mcp-Session-Id: ${session}`], { method: 'ping' }))
  assert.match((await client.closed()).slice(before), /^HTTP\/1\.1 200 [\s\S]*connection: close\r\n[\s\S]*"result":\{\}/i)
  assert.match(await (await speak(port, initialize)).closed(), /^HTTP\/1\.1 200 [\s\S]*connection: close\r\n/i)
  assert.ok(!listening.heard().endsWith('0\r\n\r\n'))

  delay.resolve()
  await stopped
  assert.match(await listening.closed(), /0\r\n\r\n$/)
  const [error] = await once(connect(port, '127.0.0.1'), 'error')
  assert.equal(error.code, 'ECONNREFUSED')
})
