import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

export type Era = 'legacy' | 'modern'
export const eras: readonly Era[] = ['legacy', 'modern']

/** What a call asks a flowing server for: so many progress notifications of so many characters, then the answer. */
export interface Flood {
  readonly messages: number
  readonly chars: number
}

export interface FlowingServer {
  readonly url: string
  /** Bytes that its sockets have taken, of events and answers. */
  written(): number
  /** Calls that came, each with the reply that its test gives where it said so in `onCall`. */
  onCall: ((call: FlowingCall) => void) | undefined
  /** The newest stream by GET of a legacy session. */
  readonly streams: readonly ServerResponse[]
}

export interface FlowingCall {
  readonly id: number
  readonly progressToken: unknown
  readonly arguments: Readonly<Record<string, unknown>>
  readonly response: ServerResponse
  /** JSON text of the answer: a result with one text. */
  answer(text?: string): string
}

interface Received {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly arguments?: Flood; readonly _meta?: { readonly progressToken?: unknown } }
}

/** For tests: a server with the one tool `x`, which sends as fast as its reader takes it. A legacy one keeps a session. */
export async function openFlowing(t: TestContext, era: Era): Promise<FlowingServer> {
  let written = 0
  const streams: ServerResponse[] = []
  const about = era === 'modern' ? { resultType: 'complete', ttlMs: 60_000, cacheScope: 'public' } : {}
  const http = createServer(async (incoming, response) => {
    const { id, method = incoming.method, params } = JSON.parse((await textOf(incoming)) || '{}') as Received
    const json = (value: object, headers = {}) =>
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
    const result = (value: object, headers = {}) => json({ jsonrpc: '2.0', id, result: { ...about, ...value } }, headers)
    switch (method) {
      case 'server/discover':
        if (era === 'modern') return result({ supportedVersions: ['2026-07-28'], capabilities: { tools: {}, logging: {} } })
        return response.writeHead(404).end()
      case 'initialize':
        return result(
          { protocolVersion: '2025-11-25', capabilities: { tools: {}, logging: {} }, serverInfo: { name: 's', version: '1' } },
          { 'mcp-session-id': `${Math.random()}` },
        )
      case 'GET':
        streams.push(response.writeHead(200, { 'content-type': 'text/event-stream' }))
        return response.flushHeaders()
      case 'tools/list':
        return result({ tools: [{ name: 'x', inputSchema: { type: 'object' } }] })
      case 'tools/call': {
        const answer = (text = 'done') => JSON.stringify({ jsonrpc: '2.0', id, result: { ...about, content: [{ type: 'text', text }] } })
        const call = { id: id ?? 0, progressToken: params?._meta?.progressToken, arguments: { ...params?.arguments }, response, answer }
        return server.onCall === undefined ? flood(call) : server.onCall(call)
      }
      default:
        return response.writeHead(202).end()
    }
  })
  const flood = async ({
    response,
    arguments: { messages = 0, chars = 0 },
    progressToken,
    answer,
  }: FlowingCall & { arguments: Partial<Flood> }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const message = 'x'.repeat(chars)
    for (let progress = 1; progress <= messages && !response.destroyed; progress++) {
      const params = { progressToken, progress, message }
      const text = `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params })}\n\n`
      written += text.length
      if (!response.write(text)) await room(response)
    }
    response.end(`data: ${answer()}\n\n`)
  }
  await once(http.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    http.close()
    http.closeAllConnections()
  })
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`
  const server: FlowingServer = { url, written: () => written, onCall: undefined, streams }
  return server
}

/** Lets other work go on, for a test that waits for something; throws once its time is over. */
export async function turn(t: TestContext): Promise<void> {
  t.signal.throwIfAborted()
  await nextTurn()
}

/** Resolves when a response takes more, or is gone. */
export function room(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}

async function textOf(message: IncomingMessage): Promise<string> {
  return (await message.setEncoding('utf8').toArray()).join('')
}

/** A client of a gateway; its replies are read as fast as the test reads them. */
export interface FlowClient {
  /** Calls the tool; resolves with the reply's head. */
  call(args: object, id?: number): Promise<IncomingMessage>
  /** Opens the stream of a legacy session. */
  listen(): Promise<IncomingMessage>
  /** A legacy client gives up on its call. */
  cancel(id: number): Promise<IncomingMessage>
}

/** @param tool by the name that the gateway gives it */
export async function openClient(port: number, era: Era, tool = 's_x'): Promise<FlowClient> {
  const headers: Record<string, string> = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' }
  const post = async (method: string, body?: object) => {
    const sent = request({ port, host: '127.0.0.1', method, path: '/mcp', headers, agent: false }).end(body && JSON.stringify(body))
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    return response
  }
  let envelope = {}
  if (era === 'legacy') {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } }
    const hello = await post('POST', { jsonrpc: '2.0', id: 0, method: 'initialize', params })
    hello.resume()
    headers['mcp-session-id'] = String(hello.headers['mcp-session-id'])
    headers['mcp-protocol-version'] = '2025-11-25'
  } else {
    envelope = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'c', version: '1' },
    }
    Object.assign(headers, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': tool })
  }
  return {
    call: (args, id = 1) =>
      post('POST', {
        jsonrpc: '2.0',
        id,
        method: 'tools/call',
        params: { name: tool, arguments: args, _meta: { ...envelope, progressToken: `token ${id}` } },
      }),
    listen: () => post('GET'),
    cancel: (requestId) => post('POST', { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } }),
  }
}

/** Reads a reply to its end, so many turns of the loop after each piece; the JSON of its events. Throws where it breaks off. */
export async function readSlowly(response: IncomingMessage, turns: number): Promise<readonly WireMessage[]> {
  const pieces: Buffer[] = []
  for await (const piece of response) {
    pieces.push(piece)
    for (let turn = 0; turn < turns; turn++) await nextTurn()
  }
  return eventsOf(Buffer.concat(pieces).toString())
}

export interface WireMessage {
  readonly id?: number
  readonly params?: { readonly progress?: number; readonly message?: string }
  readonly result?: { readonly isError?: boolean; readonly content: readonly { readonly text: string }[] }
  readonly error?: { readonly code: number; readonly message: string }
}

export function eventsOf(text: string): readonly WireMessage[] {
  return text
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => JSON.parse(event.slice('data: '.length)))
}
