import assert from 'node:assert/strict'
import { request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { parseConfig } from '../config/config.ts'
import type { Gateway, GatewayStatus, Readiness } from '../gateway/gateway.ts'
import { createMetrics } from '../observe/observe.ts'
import { type AdminOptions, openAdmin } from './admin.ts'

const parsed = parseConfig(
  '{ servers: { s: { http: http://127.0.0.1:1/mcp, credentials: { header: { Authorization: hunter2 } } } }, agents: { a: {} } }',
  {
    env: {},
    readFile: () => '',
  },
)
assert.ok(parsed.config)
const { config } = parsed

const status: GatewayStatus = {
  configDigest: 'd',
  version: '1',
  servers: [
    {
      backend: 'b',
      name: 's',
      state: 'down',
      era: undefined,
      version: undefined,
      serverName: undefined,
      tools: 0,
      prompts: 0,
      resources: 0,
      lastError: 'gone',
      since: Date.UTC(2026, 10, 20, 8, 0, 0, 7),
    },
  ],
  agents: [{ name: 'a', tools: 1, anonymousTools: undefined }],
}

/** A gateway of which only the views are asked. */
function gateway(readiness: Readiness): Gateway {
  return {
    serve: () => assert.fail('an admin listener serves no MCP'),
    recordEdgeRefusal: () => assert.fail('an admin listener serves no MCP'),
    apply: () => assert.fail('an admin listener changes nothing'),
    logFirstReadiness: () => assert.fail('an admin listener says nothing'),
    becomeUnready: () => assert.fail('an admin listener drains nothing'),
    startDraining: () => assert.fail('an admin listener drains nothing'),
    async settled() {},
    async close() {},
    status: () => status,
    readiness: () => readiness,
    showTo: () => assert.fail(),
    explain: async ({ agent, tool }) => ({ agent, tool, outcome: 'hidden', mayBeRefused: false, steps: [], elsewhere: [] }),
    toolsOf: (agent) => (agent === 'a' ? '{"tools":[]}' : undefined),
    config: () => config,
  }
}

const ready: Readiness = { isReady: true, reasons: [], degraded: [], faults: [], closedWays: 0 }

async function open(t: TestContext, more: Partial<AdminOptions> = {}) {
  const options: AdminOptions = {
    host: '127.0.0.1',
    port: 0,
    token: undefined,
    isHealthOnly: false,
    gateway: gateway(ready),
    metrics: createMetrics(),
    listeners: () => [{ name: 'default', address: '127.0.0.1', port: 8080 }],
    ...more,
  }
  const admin = await openAdmin(options)
  assert.ok(admin.kind === 'open')
  t.after(() => admin.close())
  const ask = (path: string, headers: Readonly<Record<string, string>> | string[] = {}, method = 'GET') =>
    new Promise<{ status: number; type: string; challenge: string | undefined; body: string }>((resolve, reject) => {
      const sent = request({ port: admin.port, host: '127.0.0.1', path, headers, method }, async (response) => {
        const body = (await response.setEncoding('utf8').toArray()).join('')
        const type = response.headers['content-type'] ?? ''
        resolve({ status: response.statusCode ?? 0, type, challenge: response.headers['www-authenticate'], body })
      })
      sent.on('error', reject).end()
    })
  return { ask, port: admin.port }
}

test('every path', async (t) => {
  const { ask } = await open(t)
  assert.deepEqual(JSON.parse((await ask('/healthz')).body), { status: 'ok' })
  assert.deepEqual(JSON.parse((await ask('/readyz')).body), { status: 'ok', reasons: [], degraded: [] })
  const metrics = await ask('/metrics')
  assert.match(metrics.type, /^text\/plain/)
  assert.match(metrics.body, /^# HELP /m)
  const view = await ask('/status')
  assert.deepEqual(JSON.parse(view.body), {
    ...JSON.parse(JSON.stringify({ ...status, servers: status.servers.map((one) => ({ ...one, since: '2026-11-20T08:00:00.007Z' })) })),
    listeners: [{ name: 'default', address: '127.0.0.1', port: 8080 }],
  })
  assert.deepEqual(
    [(await ask('/tools?agent=a')).body, (await ask('/tools?agent=b')).status, (await ask('/tools')).status],
    ['{"tools":[]}\n', 404, 404],
  )
  const missing = await ask('/nothing')
  assert.deepEqual([missing.status, JSON.parse(missing.body).paths.length], [404, 6])
})

test('why is told to who shows the token alone, as JSON, and asked in JSON', async (t) => {
  const { ask } = await open(t)
  assert.equal((await ask('/why?agent=a&tool=b')).status, 403)
  const { ask: asked } = await open(t, { token: 'secret' })
  const headers = { authorization: 'Bearer secret' }
  assert.equal((await asked('/why?agent=a&tool=b')).status, 401)
  const { status: code, body } = await asked(`/why?agent=a&tool=b&claims=${encodeURIComponent('{"sub":"x"}')}`, headers)
  assert.deepEqual(
    [code, JSON.parse(body)],
    [200, { agent: 'a', tool: 'b', outcome: 'hidden', mayBeRefused: false, steps: [], elsewhere: [] }],
  )
  for (const query of ['agent=a', 'tool=b', 'agent=a&tool=b&claims=[]', 'agent=a&tool=b&claims={', 'agent=a&tool=b&arguments=1'])
    assert.equal((await asked(`/why?${query}`, headers)).status, 400, query)
  for (const agent of ['nobody', 'constructor', '']) {
    const reply = await asked(`/why?agent=${agent}&tool=b`, headers)
    assert.deepEqual([reply.status, JSON.parse(reply.body)], [404, { error: `there is no agent "${agent}"` }])
  }
})

test('the status says which document of Kubernetes is in force, as of now', async (t) => {
  let source: ReturnType<NonNullable<AdminOptions['source']>> = { digest: 'abc', version: '0.1.0', isLastGood: true }
  const { ask } = await open(t, { source: () => source })
  assert.deepEqual(JSON.parse((await ask('/status')).body).source, source)
  source = { ...source, isLastGood: false, refused: { digest: 'def', version: '0.2.0', text: 'why' } }
  assert.deepEqual(JSON.parse((await ask('/status')).body).source, source)
})

test('the configuration is shown without its secrets', async (t) => {
  const { ask } = await open(t)
  const { status: code, body } = await ask('/config')
  assert.equal(code, 200)
  assert.ok(body.includes('http://127.0.0.1:1/mcp') && !body.includes('hunter2'), body)
})

test('readiness: 503 while starting or draining, 200 with names where servers are missing', async (t) => {
  for (const [readiness, code, word] of [
    [{ isReady: false, reasons: ['starting'], degraded: [], faults: [], closedWays: 0 }, 503, 'unready'],
    [{ isReady: true, reasons: [], degraded: ['b/s: gone'], faults: [], closedWays: 0 }, 200, 'degraded'],
  ] as const) {
    const { ask } = await open(t, { gateway: gateway(readiness) })
    const reply = await ask('/readyz')
    const { reasons, degraded } = readiness
    assert.deepEqual([reply.status, JSON.parse(reply.body)], [code, { status: word, reasons, degraded }])
    assert.equal((await ask('/healthz')).status, 200)
  }
})

test('with a token everything but health wants it, whatever the host is called', async (t) => {
  const { ask } = await open(t, { token: 'secret' })
  for (const path of ['/metrics', '/config', '/status', '/tools?agent=a', '/nothing']) {
    for (const authorization of [undefined, 'Bearer', 'Bearer other1', 'Bearer secret2', 'secret', 'Basic secret', 'bearer  secret']) {
      const reply = await ask(path, { host: 'pod.example', ...(authorization === undefined ? {} : { authorization }) })
      assert.deepEqual([reply.status, reply.challenge], [401, 'Bearer'], `${path} ${authorization}`)
    }
    const anyCase = await ask(path, { host: 'pod.example', authorization: 'bearer secret' })
    assert.notEqual(anyCase.status, 401, path)
    const passed = await ask(path, { host: 'pod.example', authorization: 'Bearer secret' })
    assert.notEqual(passed.status, 401)
  }
  assert.equal((await ask('/healthz')).status, 200)
  assert.equal((await ask('/readyz')).status, 200)
})

test('a request that names itself or its token twice is refused, whichever of the two is good', async (t) => {
  const { ask } = await open(t, { token: 'secret' })
  const host = ['host', 'localhost']
  for (const headers of [
    [...host, 'authorization', 'Bearer secret', 'authorization', 'Bearer other'],
    [...host, 'authorization', 'Bearer other', 'Authorization', 'Bearer secret'],
    [...host, 'authorization', 'Bearer secret', 'authorization', 'Bearer secret'],
    [...host, 'authorization', 'Bearer secret', 'host', 'pod.example'],
  ])
    for (const path of ['/status', '/healthz']) assert.equal((await ask(path, headers)).status, 400, headers.join(' '))
})

test('without a token only the machine’s own names are served: no page elsewhere can read it', async (t) => {
  const { ask } = await open(t)
  for (const [host, code] of [
    ['localhost:15000', 200],
    ['127.0.0.1', 200],
    ['127.9.9.9:1', 200],
    ['[::1]:15000', 200],
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['127.0.0.1.evil.example', 403],
  ] as const)
    assert.equal((await ask('/status', { host })).status, code, host)
})

test('the health listener has nothing else, under any name', async (t) => {
  const { ask } = await open(t, { isHealthOnly: true })
  for (const [path, code] of [
    ['/healthz', 200],
    ['/readyz', 200],
    ['/metrics', 404],
    ['/config', 404],
    ['/status', 404],
    ['/tools?agent=a', 404],
  ] as const)
    assert.equal((await ask(path, { host: 'pod.example:15021' })).status, code, path)
})

test('it is for reading', async (t) => {
  const { ask } = await open(t)
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) assert.equal((await ask('/status', {}, method)).status, 405, method)
  assert.deepEqual([(await ask('/status', {}, 'HEAD')).status, (await ask('/status', {}, 'HEAD')).body], [200, ''])
  for (const odd of ['//', '//x', '/%', '/status/', '/../status', '*']) assert.ok((await ask(odd)).status < 500, odd)
})

test('a port that is taken is told', async (t) => {
  const { port } = await open(t)
  const again = await openAdmin({
    host: '127.0.0.1',
    port,
    token: undefined,
    isHealthOnly: true,
    gateway: gateway(ready),
    metrics: createMetrics(),
    listeners: () => [],
  })
  assert.ok(again.kind === 'port-in-use' && again.text.includes(String(port)))
})
