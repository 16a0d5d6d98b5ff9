import { Client as Client2, StreamableHTTPClientTransport as Transport2, type VersionNegotiationMode } from '@modelcontextprotocol/client'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { AnyClient } from '../setup/clients.ts'
import { initialize, type McpReply, type McpRequest, modernPost, send } from '../setup/mcp-post.ts'

/** How a request proves who makes it. */
export type Headers = Readonly<Record<string, string>>

export const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` })

/** Connects a client that sends these headers with all that it sends. The caller closes it. */
export type Connect = (url: string, headers: Headers) => Promise<AnyClient>

export const modern: VersionNegotiationMode = { pin: '2026-07-28' }

/** Clients of either era, by name. */
export const connects: Readonly<Record<string, Connect>> = {
  'TypeScript SDK 1': async (url, headers) => {
    const client = new Client1({ name: 'test', version: '1' })
    await client.connect(new Transport1(new URL(url), { requestInit: { headers } }) as Transport)
    return client
  },
  'TypeScript SDK 2, legacy': connect2('legacy'),
  'TypeScript SDK 2, modern': connect2(modern),
}

function connect2(mode: VersionNegotiationMode): Connect {
  return async (url, headers) => {
    const client = new Client2({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
    await client.connect(new Transport2(new URL(url), { requestInit: { headers } }))
    return client
  }
}

/** An HTTP reply, read to its end. */
export interface Reply {
  readonly status: number
  /** Empty where there is none. */
  readonly challenge: string
  /** Seconds; 0 where the reply doesn't say. */
  readonly retryAfter: number
  readonly text: string
}

/** Each era's first request at an endpoint, without a client. */
export const firstRequests: Readonly<Record<'legacy' | 'modern', McpRequest>> = {
  legacy: initialize({}),
  modern: modernPost(1, 'server/discover', {}),
}

/** The request with these headers too. */
export function proven(request: McpRequest, headers: Headers): McpRequest {
  return { ...request, headers: { ...request.headers, ...headers } }
}

/** Makes a request and reads the whole reply. */
export async function ask(url: string, { method, headers, body }: McpRequest): Promise<Reply> {
  const reply = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) })
  return {
    status: reply.status,
    challenge: reply.headers.get('www-authenticate') ?? '',
    retryAfter: Number(reply.headers.get('retry-after') ?? 0),
    text: await reply.text(),
  }
}

/** Sends a request whose reply is a stream. */
export function open(url: string, request: McpRequest, headers: Headers): Promise<McpReply> {
  return send(url, proven(request, headers))
}
