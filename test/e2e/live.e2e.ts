import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Gateway, startGateway, temporaryDirectory } from './gateway.ts'
import { atEnd } from './setup/at-end.ts'
import { type AnyClient, connect1, connect2, textOf } from './setup/clients.ts'
import { hasTool, type Listener, listenAll } from './setup/listeners.ts'
import { freePort } from './setup/ports.ts'
import { control, legacyServer, modernServer, type Upstream } from './setup/upstreams.ts'
import { until } from './setup/wait.ts'

const servers = (rows: Readonly<Record<string, Upstream>>) =>
  `servers:\n${Object.entries(rows)
    .map(([name, { url }]) => `  ${name}: ${url}\n`)
    .join('')}`

test('a changed file adds and removes servers under listening clients', async (t) => {
  const [modern, legacy, third] = [await modernServer(t), await legacyServer(t), await modernServer(t)]
  const gateway = await startGateway(t, servers({ modern, legacy }))
  const listeners = await listenAll(t, gateway.url)
  const session = await text(listeners, 'legacy_whoami')
  const otherSession = await text(listeners.slice(1), 'legacy_whoami')

  for (const how of ['in place', 'by rename'] as const) {
    await t.test(`added ${how}`, async (t) => {
      await changes(t, listeners, gateway, () => gateway.write(servers({ modern, legacy, third }), how), hasTool('third_echo', true))
      for (const { client } of listeners) assert.equal(await echo(client, 'third'), 'hello')
    })
    await t.test(`removed ${how}`, async (t) => {
      await changes(t, listeners, gateway, () => gateway.write(servers({ modern, legacy }), how), hasTool('third_echo', false))
      for (const { client } of listeners) await assert.rejects(echo(client, 'third'), /Unknown tool: third_echo/)
    })
  }
  await t.test('a server that moved is asked at its new address', async (t) => {
    const moved = await legacyServer(t)
    await changes(
      t,
      listeners,
      gateway,
      () => gateway.write(servers({ modern: moved, legacy }), 'in place'),
      hasTool('modern_whoami', true),
    )
    await changes(t, listeners, gateway, () => gateway.write(servers({ modern, legacy }), 'in place'), hasTool('modern_whoami', false))
  })
  await t.test('untouched servers kept their sessions', async () => {
    assert.equal(await text(listeners, 'legacy_whoami'), session)
    assert.equal(await text(listeners.slice(1), 'legacy_whoami'), otherSession)
  })
  await t.test("a server's own change reaches the clients", async (t) => {
    await changes(t, listeners, gateway, () => control(legacy, '/extra'), hasTool('legacy_extra', true))
    await changes(t, listeners, gateway, () => control(modern, '/extra'), hasTool('modern_extra', true))
  })
})

test('calls in flight finish, on a server that stays and on one that goes', async (t) => {
  const [stays, goes, goesToo] = [await legacyServer(t), await modernServer(t), await legacyServer(t, 'json')]
  const gateway = await startGateway(t, servers({ stays, goes, 'goes-too': goesToo }))
  const client = await connect2(gateway.url, { pin: '2026-07-28' })
  atEnd(t, () => client.close())
  const calls = ['stays_hold', 'goes_hold', 'goes-too_hold'].map((name) => client.callTool({ name }))
  for (const server of [stays, goes, goesToo])
    await until('the call', async () => ((await control(server, '/held')) === '1' ? true : undefined))
  await gateway.write(servers({ stays }), 'in place')
  await until('the change', () => hasTool('goes_hold', false)(client))
  for (const server of [stays, goes, goesToo]) await control(server, '/release')
  assert.deepEqual((await Promise.all(calls)).map(textOf), ['released', 'released', 'released'])
})

test('a bad file changes nothing and the log says why', async (t) => {
  const server = await legacyServer(t)
  const gateway = await startGateway(t, servers({ one: server }))
  const client = await connect1(gateway.url)
  atEnd(t, () => client.close())
  const session = textOf(await client.callTool({ name: 'one_whoami' }))
  for (const [body, words] of [
    ['servers: { one: [\n', /yaml-syntax/],
    [`servers:\n  one: ${server.url}\nserverz: {}\n`, /unknown-key.*serverz/s],
    ['servers:\n  one: "${MCPLEX_E2E_UNSET}"\n', /unset-variable.*MCPLEX_E2E_UNSET/s],
  ] as const) {
    await gateway.write(body, 'by rename')
    await until(`${words} in the log`, () => (words.test(gateway.log()) ? true : undefined), { explain: gateway.log })
    assert.equal(textOf(await client.callTool({ name: 'one_whoami' })), session)
    assert.equal((await gateway.admin('/readyz')).status, 200)
  }
  await gateway.write(servers({ two: server }), 'in place')
  await until('the good file', () => hasTool('two_echo', true)(client))
})

test('a secret in a file is read anew when it changes, however soon', async (t) => {
  let sent = ''
  const port = await freePort()
  const server = createServer((request, response) => {
    sent = request.headers.authorization ?? ''
    response.writeHead(401).end()
  }).listen(port, '127.0.0.1')
  atEnd(t, () => server.close().closeAllConnections())
  const token = join(await temporaryDirectory(t), 'token')
  const document = `servers:\n  one:\n    http: http://127.0.0.1:${port}/mcp\n    credentials: { header: { Authorization: "Bearer \${file:${token}}" } }\n`
  const gateway = await startGateway(t, 'servers: {}\n')
  await writeFile(token, 'first\n')
  await gateway.write(document, 'in place')
  for (const next of ['second', 'third']) {
    const before = sent
    await until('another secret', () => (sent === before ? undefined : true), { explain: gateway.log })
    await writeFile(token, `${next}\n`)
  }
  await until('the last secret', () => (sent === 'Bearer third' ? true : undefined), { explain: gateway.log })
  assert.doesNotMatch(`${(await gateway.admin('/config')).text}${gateway.log()}`, /Bearer (first|second|third)/)
})

test('a server under SIGSTOP delays nobody', async (t) => {
  const [well, stuck] = [await legacyServer(t), await modernServer(t)]
  const gateway = await startGateway(t, `servers:\n  well: ${well.url}\n  stuck: { http: ${stuck.url}, timeouts: { request: 3s } }\n`)
  const client = await connect1(gateway.url)
  atEnd(t, () => client.close())
  assert.ok(await hasTool('stuck_echo', true)(client))
  stuck.kill('SIGSTOP')
  let isPending = true
  const call = client.callTool({ name: 'stuck_echo', arguments: { message: 'hello' } }).finally(() => {
    isPending = false
  })
  assert.equal(await echo(client, 'well'), 'hello')
  const newcomer = await connect2(gateway.url, { pin: '2026-07-28' })
  atEnd(t, () => newcomer.close())
  assert.ok(await hasTool('well_echo', true)(newcomer))
  assert.equal(await echo(newcomer, 'well'), 'hello')
  assert.ok(isPending, 'the others were served while the stuck call waited')
  const failed = await call
  assert.equal(failed.isError, true)
  assert.match(textOf(failed), /stuck/)
  stuck.kill('SIGCONT')
  await until('the server served again', async () => ((await echo(client, 'stuck')) === 'hello' ? true : undefined))
})

test('a server that never answered disturbs neither the start nor the others', async (t) => {
  const [well, stuck] = [await legacyServer(t), await modernServer(t)]
  stuck.kill('SIGSTOP')
  const gateway = await startGateway(t, servers({ stuck, well }))
  const listeners = await listenAll(t, gateway.url)
  for (const { client } of listeners) assert.equal(await echo(client, 'well'), 'hello')
  await changes(t, listeners, gateway, async () => stuck.kill('SIGCONT'), hasTool('stuck_echo', true))
  for (const { client } of listeners) assert.equal(await echo(client, 'stuck'), 'hello')
})

test('SIGTERM: not ready at once, work in flight finishes, exit 0', async (t) => {
  const [modern, legacy] = [await modernServer(t), await legacyServer(t)]
  const gateway = await startGateway(t, servers({ modern, legacy }))
  const listeners = await listenAll(t, gateway.url)
  const calls = listeners.flatMap(({ client }) => ['modern_hold', 'legacy_hold'].map((name) => client.callTool({ name })))
  for (const server of [modern, legacy]) await until('the calls', async () => ((await control(server, '/held')) === '2' ? true : undefined))
  gateway.terminate()
  const notReady = await until('not ready', async () => {
    const reply = await gateway.admin('/readyz')
    return reply.status === 503 ? reply : undefined
  })
  assert.match(notReady.text, /drain/i)
  for (const server of [modern, legacy]) await control(server, '/release')
  assert.deepEqual((await Promise.all(calls)).map(textOf), ['released', 'released', 'released', 'released'])
  await gateway.stop()
})

/** Makes a change and waits until every listener was told and sees it. */
async function changes(
  t: TestContext,
  listeners: readonly Listener[],
  gateway: Gateway,
  change: () => Promise<unknown>,
  isSeen: (client: AnyClient) => Promise<true | undefined>,
): Promise<void> {
  const before = listeners.map((listener) => listener.changes())
  const startedAt = performance.now()
  await change()
  const waits = listeners.map(async ({ name, client, changes }, index) => {
    const told = () => (changes() > (before[index] ?? 0) ? true : undefined)
    await until(`list_changed for the ${name} client`, told, { explain: gateway.log })
    t.diagnostic(`${name}: list_changed after ${Math.round(performance.now() - startedAt)} ms`)
    await until(`the change in the ${name} client's list`, () => isSeen(client), { explain: gateway.log })
  })
  await Promise.all(waits)
}

async function echo(client: AnyClient, server: string): Promise<string> {
  return textOf(await client.callTool({ name: `${server}_echo`, arguments: { message: 'hello' } }))
}

/** What the first of the listeners gets from a tool without arguments. */
async function text(listeners: readonly Listener[], name: string): Promise<string> {
  const [listener] = listeners
  return listener === undefined ? '' : textOf(await listener.client.callTool({ name }))
}
