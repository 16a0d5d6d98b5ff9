import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseConfig } from '../../config/config.ts'
import { createLog, createMetrics, type LogFormat } from '../../observe/observe.ts'
import { startDemo } from '../demo/demo.ts'
import { sayReady } from './say-ready.ts'
import { startGateway } from './start-gateway.ts'

/** A gateway over the two servers of the demo, the first of which answers nothing until `letIn` is called; and what it says. */
async function open(t: TestContext, { format, isTTY }: { readonly format: LogFormat; readonly isTTY: boolean }) {
  const demo = await startDemo()
  const gate = Promise.withResolvers<void>()
  const late = createServer(async (request, response) => {
    const body: Buffer[] = []
    for await (const chunk of request) body.push(chunk)
    await gate.promise
    const { connection: _connection, host: _host, 'content-length': _length, ...headers } = request.headers
    const method = request.method ?? 'POST'
    const reply = await fetch(demo.urls.math, { method, headers: headers as Record<string, string>, body: Buffer.concat(body) })
    const type = reply.headers.get('content-type')
    response.writeHead(reply.status, type === null ? {} : { 'content-type': type }).end(await reply.text())
  })
  await once(late.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(late.address() as AddressInfo).port}/mcp`
  const document = { listen: '127.0.0.1:0', admin: { listen: '127.0.0.1:0' }, servers: { date: demo.urls.date, late: url } }
  const { config } = parseConfig(JSON.stringify(document), { env: {}, readFile: () => '' })
  assert.ok(config)
  const written = { stdout: '', stderr: '' }
  const lines: PromiseWithResolvers<void>[] = []
  const output = (name: keyof typeof written) => ({
    isTTY,
    on() {},
    write(text: string, done?: () => void) {
      written[name] += text
      done?.()
      for (const line of lines) line.resolve()
    },
  })
  const log = createLog({ level: 'info', format, stream: output('stderr'), color: false })
  const auditing = { open: () => assert.fail(), problemsOf: () => [] }
  const started = await startGateway(config, { log, metrics: createMetrics(), secret: (reference) => reference, auditing })
  assert.ok(started.kind === 'started')
  t.after(async () => {
    gate.resolve()
    await started.stop({ delay: Promise.resolve(), graceMs: 0 })
    late.closeAllConnections()
    late.close()
    demo.close()
  })
  // The other server has answered before the short wait for the first one begins, however busy the machine is.
  while (!started.gateway.status().servers.some(({ state }) => state === 'ready')) await nextTurn()
  const about = { file: 'mcplex.yaml', note: undefined, stopped: Promise.withResolvers<void>().promise, log }
  return {
    written,
    letIn: gate.resolve,
    say: (output_: 'text' | 'json') =>
      sayReady(started, { ...about, output: output_ }, { stdout: output('stdout'), stderr: output('stderr') }, 50),
    /** Resolves when stderr has something that matches. */
    async hears(pattern: RegExp) {
      while (!pattern.test(written.stderr)) {
        const line = Promise.withResolvers<void>()
        lines.push(line)
        await line.promise
      }
    },
  }
}

const recordsIn = (text: string): readonly Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

test('a log of JSON holds nothing else: what is served is one record, and a server that comes later is another', async (t) => {
  const house = await open(t, { format: 'auto', isTTY: false })
  await house.say('text')
  house.letIn()
  await house.hears(/server is ready/)
  const [ready, server] = recordsIn(house.written.stderr)
  assert.deepEqual(
    [ready?.['msg'], ready?.['ready'], ready?.['servers'], ready?.['notReady']],
    ['ready', 1, 2, [{ name: 'late', state: 'has not answered yet' }]],
  )
  assert.deepEqual([server?.['msg'], server?.['server'], server?.['tools'], server?.['level']], ['server is ready', 'late', 2, 'info'])
  assert.equal(house.written.stdout, '')
})

test('where the log is text it is lines for people', async (t) => {
  const house = await open(t, { format: 'text', isTTY: true })
  await house.say('text')
  assert.match(
    house.written.stderr,
    /^mcplex \S+ ready in \S+ s: 1 of 2 servers, 1 tool; configuration mcplex\.yaml\n {2}endpoint {2}http:/,
  )
  assert.match(house.written.stderr, /\n {2}late {6}has not answered yet\n {2}date {6}legacy/)
})

test('as data it goes to stdout, whatever the log is', async (t) => {
  const house = await open(t, { format: 'text', isTTY: true })
  await house.say('json')
  assert.deepEqual(JSON.parse(house.written.stdout).totals, { ready: 1, servers: 2, tools: 1 })
  assert.doesNotMatch(house.written.stderr, /ready in/)
})
