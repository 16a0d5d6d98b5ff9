import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startGateway } from './gateway.ts'
import { atEnd } from './setup/at-end.ts'
import { connect1, connect2, textOf } from './setup/clients.ts'
import { need } from './setup/part.ts'
import { python1 } from './setup/python.ts'
import { legacyServer, seedServer } from './setup/upstreams.ts'
import { until } from './setup/wait.ts'

const add = { name: 'math_add', arguments: { a: 2, b: 3 } }
const date = { name: 'date_get_current_date' }

test('math is killed with -9 and comes back', async (t) => {
  const python = await need(t, python1())
  if (python === undefined) return
  const math = await seedServer(t, 'math', python)
  const gateway = await startGateway(t, `servers:\n  math: ${math.url}\n  date: ${(await seedServer(t, 'date', python)).url}\n`)
  const clients = [await connect1(gateway.url), await connect2(gateway.url, { pin: '2026-07-28' })]
  atEnd(t, () => Promise.all(clients.map((client) => client.close())))
  for (const client of clients) assert.match(textOf(await client.callTool(add)), /\b5\b/)

  math.kill('SIGKILL')
  await math.ended
  for (const client of clients) {
    const startedAt = performance.now()
    assert.match(textOf(await client.callTool(date)), /\d{4}-\d\d-\d\d/)
    t.diagnostic(`date answers after ${Math.round(performance.now() - startedAt)} ms`)
    const failed = await client.callTool(add)
    assert.equal(failed.isError, true)
    assert.match(textOf(failed), /math/)
    const names = (await client.listTools()).tools.map((tool) => tool.name)
    assert.deepEqual(names, ['math_add', 'math_multiply', 'date_get_current_date'], 'the last known tools stay listed')
  }
  const readiness = await gateway.admin('/readyz')
  assert.equal(readiness.status, 200)
  assert.match(readiness.text, /math/)
  assert.doesNotMatch(readiness.text, /date/)
  const metrics = (await gateway.admin('/metrics')).text
  assert.match(metrics, /^mcplex_server_up\{mcplex_server="math"\} 0$/m)
  assert.match(metrics, /^mcplex_server_up\{mcplex_server="date"\} 1$/m)
  assert.match(gateway.log(), /"level":"(warn|error)"[^\n]*math/)

  await seedServer(t, 'math', python, math.port)
  const listensAt = performance.now()
  for (const client of clients) {
    const served = async () => (/\b5\b/.test(textOf(await client.callTool(add))) ? true : undefined)
    await until('math serves again', served, { timeoutMs: 5000, explain: gateway.log })
  }
  t.diagnostic(`math serves again after ${Math.round(performance.now() - listensAt)} ms`)
  await until('ready without a word of math', async () => (/math/.test((await gateway.admin('/readyz')).text) ? undefined : true))
  assert.match((await gateway.admin('/metrics')).text, /^mcplex_server_up\{mcplex_server="math"\} 1$/m)
})

test('sessions that a server has forgotten are opened again, for everyone who waits', async (t) => {
  for (const replies of ['sse', 'json'] as const) {
    const server = await legacyServer(t, replies)
    const gateway = await startGateway(t, `servers:\n  old: ${server.url}\n`)
    const clients = [await connect1(gateway.url), await connect2(gateway.url, { pin: '2026-07-28' })]
    atEnd(t, () => Promise.all(clients.map((client) => client.close())))
    const ask = () => Promise.all(clients.flatMap((client) => [1, 2, 3].map(() => client.callTool({ name: 'old_whoami' }))))
    let known = new Set((await ask()).map(textOf))
    for (let round = 1; round <= 3; round++) {
      assert.equal(known.size, 2, `one session a client: ${[...known]}`)
      const headers = { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' }
      for (const id of known)
        assert.equal((await fetch(server.url, { method: 'DELETE', headers: { ...headers, 'mcp-session-id': id } })).status, 200)
      const answers = await ask()
      assert.ok(
        answers.every((answer) => answer.isError !== true && !known.has(textOf(answer))),
        `${answers.map(textOf)}\n${gateway.log().slice(-2000)}`,
      )
      known = new Set(answers.map(textOf))
    }
  }
})
