import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capability } from '../../mcp/mcp.ts'
import { type Arrival, called, callOf, events, openMet, type Script } from '../open-for-test.ts'

/** A server that gives sessions, `s1` being the gateway's own, and asks on each stream as soon as it is open. */
function askingScript(): Script {
  let opened = 0
  return {
    initialize({ result }) {
      result({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: {} }, { 'mcp-session-id': `s${++opened}` })
    },
    GET: (arrival) => void events(arrival, '{"jsonrpc":"2.0","id":"r","method":"roots/list"}'),
    'tools/call': ({ result }) => result({ content: [] }),
  }
}

const of = (arrivals: readonly Arrival[], method: string) => arrivals.filter((one) => one.method === method)

test('what a server asks outside of calls in a shared session is answered at once: there is nobody to ask', async (t) => {
  const { server, upstream } = await openMet(t, askingScript())
  await upstream.send(callOf({ capabilities: capability.roots }), called('x'))
  const response = await server.arrived('response')
  const { id, error } = response.message
  assert.deepEqual([response.session, id, error], ['s2', 'r', { code: -32601, message: 'Method not found' }])
})

test('a shared session has one stream, and none where its clients can do nothing', async (t) => {
  const { server, upstream } = await openMet(t, askingScript())
  await upstream.send(callOf(), called('x'))
  for (const _ of [1, 2]) await upstream.send(callOf({ capabilities: capability.roots }), called('x'))
  await server.arrived('response')
  assert.deepEqual(
    of(server.arrivals, 'GET').map(({ session }) => session),
    ['s3'],
  )
})
