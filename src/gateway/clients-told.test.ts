import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openListener } from '../listen/listen.ts'
import { configOf, openGateway } from './open-for-test.ts'
import { openServers } from './transcripts/scripted-server.ts'

test('a new configuration says how many clients that listen were told: once each, and only those whose lists it changes', async (t) => {
  const servers = await openServers([{ name: 'a', kind: 'stateful', offers: new Map([['tools', ['x', 'y']]]) }])
  for (const server of servers.byName.values()) server.isPlaying = false
  const documentOf = (tools: string) =>
    configOf(
      `{ servers: { a: "${servers.url}/a" }, agents: { one: { tools: [${tools}] }, two: { tools: ["*"] }, gone: { tools: ["*"] } } }`,
    )
  const first = documentOf('"*"')
  const { gateway, port, close } = await openGateway(first, openListener)
  const ending = new AbortController()
  /** Kept until the end: a response that nobody holds any more is closed when garbage is collected. */
  const streams: Response[] = []
  t.after(async () => {
    ending.abort()
    streams.length = 0
    await close()
    servers.close()
  })
  await gateway.settled()
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const listen = async (agent: string) => {
    const url = `http://127.0.0.1:${port}/mcp/${agent}`
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } }
    const reply = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
    })
    await reply.text()
    const session = { 'mcp-session-id': reply.headers.get('mcp-session-id') ?? '' }
    const stream = await fetch(url, { headers: { ...session, accept: 'text/event-stream' }, signal: ending.signal })
    assert.equal(stream.status, 200)
    streams.push(stream)
  }
  for (const agent of ['one', 'one', 'two', 'gone']) await listen(agent)

  assert.equal(await gateway.apply(first), 0)
  assert.equal(await gateway.apply(documentOf('"a_x"')), 2)
  const { gone: _, ...agents } = first.agents
  const routes = first.routes.filter(({ name }) => name !== 'gone')
  assert.equal(await gateway.apply({ ...first, agents, routes }), 3)
  assert.equal(await gateway.apply({ ...first, agents, routes }), 0)
})
