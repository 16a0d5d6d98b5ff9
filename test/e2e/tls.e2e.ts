import assert from 'node:assert/strict'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { get as getOverTls } from 'node:https'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { Agent, fetch as undiciFetch } from 'undici'
import { makeAuthority, type TestCertificate } from '../../src/listen/certificate-for-test.ts'
import { startMcplex, temporaryDirectory, untilReady } from './gateway.ts'
import { atEnd } from './setup/at-end.ts'
import { type Child, run } from './setup/child.ts'
import { connect1, textOf } from './setup/clients.ts'
import { freePort } from './setup/ports.ts'
import { legacyServer } from './setup/upstreams.ts'
import { until } from './setup/wait.ts'

const [authority, clients] = [makeAuthority('Servers'), makeAuthority('Clients')]
const issued = (name: string) =>
  authority.issue({ names: [name], alternativeNames: ['DNS:localhost', 'DNS:open.test', 'IP:127.0.0.1'], use: 'server' })
const me = clients.issue({ alternativeNames: ['URI:spiffe://test/me'], use: 'client' })
const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
})
const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

interface Served {
  readonly child: Child
  readonly directory: string
  readonly port: number
  readonly url: string
  admin(path: string): Promise<string>
  show(pair: TestCertificate): Promise<void>
}

/** `mcplex run` with a listener that knows clients by their certificates, and one at the same socket that does not ask. */
async function serve(t: TestContext, more = ''): Promise<Served> {
  const { url: server } = await legacyServer(t)
  const [port, adminPort] = [await freePort(), await freePort()]
  const directory = await temporaryDirectory(t)
  // As Kubernetes and cert-manager do: both at once, by a rename each.
  const show = async ({ cert, key }: TestCertificate) => {
    for (const [name, text] of [
      ['tls.crt', cert],
      ['tls.key', key],
    ] as const) {
      await writeFile(join(directory, `draft.${name}`), text)
      await rename(join(directory, `draft.${name}`), join(directory, name))
    }
  }
  await show(issued('first'))
  await writeFile(join(directory, 'clients.crt'), clients.cert)
  await writeFile(join(directory, 'ca.crt'), authority.cert)
  await writeFile(join(directory, 'me.crt'), me.cert)
  await writeFile(join(directory, 'me.key'), me.key)
  const pair = `certificates: [{ cert: "\${file:tls.crt}", key: "\${file:tls.key}" }]`
  const file = join(directory, 'mcplex.yaml')
  await writeFile(
    file,
    `listeners:
  - { name: closed, port: ${port}, protocol: HTTPS, hostname: localhost, hosts: [localhost], tls: { ${pair}, clientCa: "\${file:clients.crt}" } }
  - { name: open, port: ${port}, protocol: HTTPS, hostname: open.test, hosts: [open.test], tls: { ${pair} } }
admin: { listen: "127.0.0.1:${adminPort}" }
servers: { one: ${server} }
${more}`,
  )
  const child = startMcplex(t, ['run', '--config', file])
  const admin = async (path: string) => (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text()
  await untilReady(child, async () => {
    const ready = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined)
    return ready?.status === 200 ? true : undefined
  })
  return { child, directory, port, url: `https://localhost:${port}/mcp`, admin, show }
}

async function shownBy(port: number): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: authority.cert }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

test('MCP over HTTPS, by real clients', async (t) => {
  const { child, directory, port, url, admin } = await serve(t)
  const agent = new Agent({ connect: { ca: authority.cert, cert: me.cert, key: me.key } })
  atEnd(t, () => agent.close())

  await t.test('the official SDK', async (t) => {
    const overTls: typeof fetch = (input, init) => undiciFetch(String(input), { ...init, dispatcher: agent } as object) as never
    const client = await connect1(url, overTls)
    atEnd(t, () => client.close())
    assert.match(textOf((await client.callTool({ name: 'one_echo', arguments: { message: 'over TLS' } })) as never), /over TLS/)
  })
  await t.test('curl, with a client certificate', async () => {
    const file = (name: string) => join(directory, name)
    const args = ['--cacert', file('ca.crt'), '--cert', file('me.crt'), '--key', file('me.key'), '-sS', '-d', initialize]
    const heads = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
    const { code, stdout, stderr } = await run('curl', [...args, ...heads, url], { timeoutMs: 20_000 })
    assert.equal(code, 0, stderr)
    assert.match(stdout, /"protocolVersion":"2025-11-25"/)
  })
  await t.test('node:https, which names another listener in Host', async () => {
    const status = await new Promise((resolve, reject) => {
      getOverTls(
        {
          port,
          host: '127.0.0.1',
          servername: 'open.test',
          path: '/mcp',
          headers: { host: 'localhost' },
          ca: authority.cert,
          agent: false,
        },
        (response) => {
          response.resume()
          resolve(response.statusCode)
        },
      ).on('error', reject)
    })
    assert.equal(status, 421)
  })
  await t.test('plain HTTP is closed', async () => {
    await assert.rejects(fetch(`http://localhost:${port}/mcp`))
    assert.match(await admin('/metrics'), /mcplex_edge_refusals_total\{reason="bad-request"\} 1/)
  })
  await t.test('the banner and the status say https', async () => {
    await until('the banner', () => (child.stderr().includes(url) ? true : undefined), { timeoutMs: 20_000, explain: child.stderr })
    const { listeners } = JSON.parse(await admin('/status'))
    assert.deepEqual(
      listeners.map(({ name, protocol }: Record<string, unknown>) => [name, protocol]),
      [
        ['closed', 'HTTPS'],
        ['open', 'HTTPS'],
      ],
    )
  })
})

test('a certificate is renewed under a connected client, and a broken one is not taken', async (t) => {
  const { child, port, url, show, directory } = await serve(t)
  const agent = new Agent({ connect: { ca: authority.cert }, connections: 1 })
  atEnd(t, () => agent.close())
  let connections = 0
  agent.on('connect', () => {
    connections += 1
  })
  const post = async () => {
    const response = await undiciFetch(url, { method: 'POST', headers, body: initialize, dispatcher: agent })
    await response.text()
    return response.status
  }
  assert.equal(await post(), 200)
  assert.equal(await shownBy(port), 'first')
  await show(issued('second'))
  await until('the second certificate', async () => ((await shownBy(port)) === 'second' ? true : undefined), { timeoutMs: 20_000 })
  await writeFile(join(directory, 'tls.key'), issued('third').key)
  await until('the refusal', () => (child.stderr().includes('the key is not the key of the certificate') ? true : undefined), {
    timeoutMs: 20_000,
    explain: child.stderr,
  })
  assert.equal(await shownBy(port), 'second')
  assert.equal(await post(), 200)
  assert.equal(connections, 1)
  assert.doesNotMatch(child.stderr(), /PRIVATE KEY/)
})

test('a certificate is who calls: without one 401, by its name in rules, in log and record', async (t) => {
  const { url, child, directory } = await serve(
    t,
    `policies:
  authenticate: { mtls: true }
  authorize: { allow: ['source.identity == "spiffe://test/me"'] }
  audit: { sinks: [{ file: audit.jsonl }] }
`,
  )
  const ask = async (pair: Partial<TestCertificate>, body: object) => {
    const dispatcher = new Agent({ connect: { ca: authority.cert, ...pair } })
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, ...body })
    const reply = await undiciFetch(url, { method: 'POST', headers, body: text, dispatcher })
    const answer = await reply.text()
    await dispatcher.close()
    return { status: reply.status, answer, challenge: reply.headers.get('www-authenticate') }
  }
  const bare = await ask({}, { method: 'ping' })
  assert.deepEqual([bare.status, bare.challenge?.startsWith('Bearer realm=')], [401, true], JSON.stringify(bare))
  const other = clients.issue({ alternativeNames: ['URI:spiffe://test/other'], use: 'client' })
  const foreign = makeAuthority('Foreign').issue({ alternativeNames: ['URI:spiffe://test/me'], use: 'client' })
  assert.equal((await ask(foreign, { method: 'ping' })).status, 401)
  assert.equal((await ask(me, { method: 'ping', params: {} })).status, 200)
  assert.equal((await ask(other, { method: 'ping' })).status, 200)
  child.kill('SIGTERM')
  await child.finished
  const records = (await readFile(join(directory, 'audit.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    records.map(({ httpStatus, subject, caller }) => [httpStatus, subject, caller]),
    [
      [401, undefined, undefined],
      [401, undefined, undefined],
      [200, 'spiffe://test/me', 'certificate:spiffe://test/me'],
      [200, 'spiffe://test/other', 'certificate:spiffe://test/other'],
    ],
  )
})
