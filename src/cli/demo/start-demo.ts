import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { callTool, type DemoTool, dateTools, mathTools } from './demo-tools.ts'

/** Two MCP servers in this process, each on a free port of 127.0.0.1. */
export interface Demo {
  /** The URL of each server, by its name. */
  readonly urls: Readonly<Record<'math' | 'date', string>>
  close(): void
}

/**
 * Starts the servers that mcplex serves where there is no configuration. `math` speaks only 2026-07-28, and `date` only the revisions with
 * a handshake, up to 2025-11-25, so that both eras have to be bridged.
 */
export async function startDemo(now: () => number = Date.now): Promise<Demo> {
  const servers = [modernServer('math', mathTools()), legacyServer('date', dateTools(now))].map(serve)
  const [math = '', date = ''] = await Promise.all(servers.map(listen))
  return {
    urls: { math, date },
    close() {
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
      }
    },
  }
}

interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

interface Message {
  readonly id?: string | number
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

/** Answers a POSTed message, or a DELETE, for which there is no message. */
type Answerer = (message: Message | undefined, request: IncomingMessage) => Reply

const maxBodyBytes = 64 * 1024
const notAllowed: Reply = { status: 405, headers: { allow: 'POST' } }

function modernServer(name: string, tools: readonly DemoTool[]): Answerer {
  const version = '2026-07-28'
  const prefix = 'io.modelcontextprotocol'
  const cache = { ttlMs: 60_000, cacheScope: 'public' }
  const _meta = { [`${prefix}/serverInfo`]: { name, version: '1.0.0' } }

  return (message, { headers }) => {
    if (message === undefined) return notAllowed
    const { id, method, params } = message
    if (id === undefined) return { status: 202 }
    const meta = asObject(params['_meta'])
    const asked = meta?.[`${prefix}/protocolVersion`]
    if (typeof asked !== 'string' || asObject(meta?.[`${prefix}/clientCapabilities`]) === undefined) {
      return failure(400, id, -32602, 'params._meta must hold protocolVersion and clientCapabilities')
    }
    if (asked !== version) return failure(400, id, -32022, 'Unsupported protocol version', { supported: [version], requested: asked })
    const named = method === 'tools/call' ? decodeHeader(headers['mcp-name']) === params['name'] : true
    if (headers['mcp-protocol-version'] !== asked || headers['mcp-method'] !== method || !named) {
      return failure(400, id, -32020, 'MCP-Protocol-Version, Mcp-Method or Mcp-Name differ from the body')
    }
    const complete = (result: object) => success(id, { resultType: 'complete', ...result, _meta })
    if (method === 'server/discover') return complete({ supportedVersions: [version], capabilities: { tools: {} }, ...cache })
    if (method === 'tools/list') return complete({ tools: tools.map((tool) => tool.definition), ...cache })
    if (method !== 'tools/call') return failure(404, id, -32601, 'Method not found')
    const tool = tools.find((tool) => tool.definition.name === params['name'])
    return tool === undefined ? unknownTool(id, params) : complete(callTool(tool, params['arguments']))
  }
}

function legacyServer(name: string, tools: readonly DemoTool[]): Answerer {
  const versions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']
  /** At most 1,000; beyond it the oldest is removed. */
  const sessions = new Set<string>()

  function initialize(id: string | number, requested: unknown): Reply {
    const session = randomUUID()
    sessions.add(session)
    const [oldest] = sessions
    if (sessions.size > 1000 && oldest !== undefined) sessions.delete(oldest)
    const protocolVersion = versions.find((version) => version === requested) ?? versions[0]
    const result = { protocolVersion, capabilities: { tools: {} }, serverInfo: { name, version: '1.0.0' } }
    return { ...success(id, result), headers: { 'mcp-session-id': session } }
  }

  return (message, request) => {
    const session = request.headers['mcp-session-id']
    if (message?.method === 'initialize' && message.id !== undefined) return initialize(message.id, message.params['protocolVersion'])
    if (typeof session !== 'string') return failure(400, message?.id, -32600, 'Mcp-Session-Id is missing')
    if (!sessions.has(session)) return failure(404, message?.id, -32600, 'Session not found')
    if (message === undefined) {
      sessions.delete(session)
      return { status: 204 }
    }
    const { id, method, params } = message
    if (id === undefined) return { status: 202 }
    if (method === 'ping') return success(id, {})
    if (method === 'tools/list') return success(id, { tools: tools.map((tool) => tool.definition) })
    if (method !== 'tools/call') return failure(200, id, -32601, 'Method not found')
    const tool = tools.find((tool) => tool.definition.name === params['name'])
    return tool === undefined ? unknownTool(id, params) : success(id, callTool(tool, params['arguments']))
  }
}

function success(id: string | number, result: object): Reply {
  return { status: 200, body: { jsonrpc: '2.0', id, result } }
}

function failure(status: number, id: string | number | undefined, code: number, message: string, data?: object): Reply {
  return { status, body: { jsonrpc: '2.0', id: id ?? null, error: { code, message, data } } }
}

function unknownTool(id: string | number, params: Message['params']): Reply {
  return failure(200, id, -32602, `Unknown tool: ${String(params['name'])}`)
}

function serve(answer: Answerer): Server {
  return createServer(async (request, response) => {
    const { status, headers, body } = await replyTo(answer, request)
    response.writeHead(status, { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers })
    response.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

async function replyTo(answer: Answerer, request: IncomingMessage): Promise<Reply> {
  if (request.headers.origin !== undefined) return { status: 403 }
  if (request.url !== '/mcp') return { status: 404 }
  if (request.method === 'DELETE') return answer(undefined, request)
  if (request.method !== 'POST') return notAllowed
  const text = await readBody(request)
  if (text === undefined) return { status: 413, headers: { connection: 'close' } }
  const message = parseMessage(text)
  return message === undefined ? failure(400, undefined, -32600, 'Not one JSON-RPC request or notification') : answer(message, request)
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of request) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > maxBodyBytes) return undefined
    }
  } catch {
    return undefined
  }
  return Buffer.concat(chunks).toString()
}

function parseMessage(text: string): Message | undefined {
  try {
    const message = asObject(JSON.parse(text))
    const { jsonrpc, id, method, params = {} } = message ?? {}
    const checked = asObject(params)
    if (jsonrpc !== '2.0' || typeof method !== 'string' || checked === undefined) return undefined
    if (id === undefined) return { method, params: checked }
    return typeof id === 'string' || typeof id === 'number' ? { id, method, params: checked } : undefined
  } catch {
    return undefined
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
}

/** Decodes a header's value from the form `=?base64?…?=`, in which names outside visible ASCII are sent. */
function decodeHeader(value: string | string[] | undefined): string | undefined {
  const text = String(value ?? '')
  const coded = /^=\?base64\?(.*)\?=$/.exec(text)?.[1]
  return coded === undefined ? text : Buffer.from(coded, 'base64').toString()
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`))
  })
}
