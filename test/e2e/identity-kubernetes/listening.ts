import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Client as Client2, StreamableHTTPClientTransport as Transport2 } from '@modelcontextprotocol/client'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { type Headers, modern } from '../identity/eras.ts'
import { atEnd } from '../setup/at-end.ts'
import type { Listener } from '../setup/listeners.ts'

/** A client of each era that proves who it is, both listening when this resolves. */
export async function listenAs(t: TestContext, url: string, headers: Headers): Promise<readonly Listener[]> {
  return [await listenLegacy(t, url, headers), await listenModern(t, url, headers)]
}

async function listenLegacy(t: TestContext, url: string, headers: Headers): Promise<Listener> {
  const { promise: accepted, resolve } = Promise.withResolvers<void>()
  const client = new Client1({ name: 'test', version: '1' })
  let changes = 0
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    changes++
  })
  const fetchAndSee: typeof fetch = async (input, init) => {
    const response = await fetch(input, init)
    if (init?.method === 'GET' && response.ok) resolve()
    return response
  }
  atEnd(t, () => client.close())
  await client.connect(new Transport1(new URL(url), { requestInit: { headers }, fetch: fetchAndSee }) as Transport)
  await accepted
  return { name: 'legacy', client, changes: () => changes }
}

async function listenModern(t: TestContext, url: string, headers: Headers): Promise<Listener> {
  const client = new Client2({ name: 'test', version: '1' }, { versionNegotiation: { mode: modern } })
  let changes = 0
  client.setNotificationHandler('notifications/tools/list_changed', () => {
    changes++
  })
  atEnd(t, () => client.close())
  await client.connect(new Transport2(new URL(url), { requestInit: { headers } }))
  const { honoredFilter } = await client.listen({ toolsListChanged: true })
  assert.deepEqual(honoredFilter, { toolsListChanged: true })
  return { name: 'modern', client, changes: () => changes }
}
