import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Client as Client2 } from '@modelcontextprotocol/client'
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { atEnd } from './at-end.ts'
import { type AnyClient, connect1, connect2 } from './clients.ts'

/** A client that counts how often it was told that the list of tools changed. */
export interface Listener {
  readonly name: string
  readonly client: AnyClient
  readonly changes: () => number
}

/** One listener of each era, both listening when this resolves. */
export async function listenAll(t: TestContext, url: string): Promise<readonly [Listener, Listener]> {
  return [await listenLegacy(t, url), await listenModern(t, url)]
}

/** A legacy client whose GET stream the server has accepted. */
export async function listenLegacy(t: TestContext, url: string): Promise<Listener> {
  const { promise: accepted, resolve } = Promise.withResolvers<void>()
  const client = await connect1(url, async (input, init) => {
    const response = await fetch(input, init)
    if (init?.method === 'GET' && response.ok) resolve()
    return response
  })
  atEnd(t, () => client.close())
  let changes = 0
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    changes++
  })
  await accepted
  return { name: 'legacy', client, changes: () => changes }
}

/** A modern client whose subscriptions/listen the server has acknowledged. */
export async function listenModern(t: TestContext, url: string): Promise<Listener> {
  const client = await connect2(url, { pin: '2026-07-28' })
  atEnd(t, () => client.close())
  let changes = 0
  client.setNotificationHandler('notifications/tools/list_changed', () => {
    changes++
  })
  const { honoredFilter } = await client.listen({ toolsListChanged: true })
  assert.deepEqual(honoredFilter, { toolsListChanged: true })
  return { name: 'modern', client, changes: () => changes }
}

/** A probe: true once a client's list holds the tool, or, with `expected` false, no longer holds it. */
export function hasTool(name: string, expected: boolean): (client: AnyClient) => Promise<true | undefined> {
  return async (client) => {
    // The SDK 2 client would answer from its own cache for as long as the list's ttlMs says.
    const { tools } = client instanceof Client2 ? await client.listTools({}, { cacheMode: 'refresh' }) : await client.listTools()
    return tools.some((tool) => tool.name === name) === expected ? true : undefined
  }
}
