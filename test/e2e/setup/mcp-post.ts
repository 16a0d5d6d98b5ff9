import { type Dispatcher, request } from 'undici'

/** A JSON-RPC message as it stands on the wire. */
export interface WireMessage {
  readonly jsonrpc?: unknown
  readonly id?: unknown
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** A reply whose head has come. */
export interface McpReply {
  readonly status: number
  readonly session: string | undefined
  /** One message of a JSON body, or any number of an event stream, each as it comes. Throws where the connection breaks; to stop early closes it. */
  readonly messages: AsyncGenerator<WireMessage, undefined>
}

/** What one HTTP request says. */
export interface McpRequest {
  readonly method: 'POST' | 'GET' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface SendOptions {
  /** The connections to use; a pool of the process by default. */
  readonly dispatcher?: Dispatcher
  /** Closes the connection. */
  readonly signal?: AbortSignal
}

const versions = { legacy: '2025-11-25', modern: '2026-07-28' }
const accept = 'application/json, text/event-stream'
const clientInfo = { name: 'test', version: '1' }

/** An `initialize` of 2025-11-25. */
export function initialize(capabilities: object): McpRequest {
  const params = { protocolVersion: versions.legacy, capabilities, clientInfo }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params })
  return { method: 'POST', headers: { accept, 'content-type': 'application/json' }, body }
}

/** A legacy message within a session. */
export function legacyPost(session: string, message: Omit<WireMessage, 'jsonrpc'>): McpRequest {
  return {
    method: 'POST',
    headers: { ...sessionHeaders(session), 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  }
}

/** A session's own stream, or its end. */
export function sessionRequest(method: 'GET' | 'DELETE', session: string): McpRequest {
  return { method, headers: sessionHeaders(session) }
}

/** A request of 2026-07-28 with the envelope and the headers that belong to it; `_meta` of the parameters is kept. */
export function modernPost(id: string | number, method: string, params: Readonly<Record<string, unknown>>, capabilities = {}): McpRequest {
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': versions.modern,
    'io.modelcontextprotocol/clientCapabilities': capabilities,
    'io.modelcontextprotocol/clientInfo': clientInfo,
  }
  const named = params['name'] ?? params['uri']
  return {
    method: 'POST',
    headers: {
      accept,
      'content-type': 'application/json',
      'mcp-protocol-version': versions.modern,
      'mcp-method': method,
      ...(typeof named === 'string' ? { 'mcp-name': named } : {}),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: { ...envelope, ...(params['_meta'] as object) } } }),
  }
}

/** Sends one request and resolves when the head of its reply has come. */
export async function send(url: string, { method, headers, body }: McpRequest, options: SendOptions = {}): Promise<McpReply> {
  // Silence is the business of each test's own time-out.
  const more = { ...options, ...(body === undefined ? {} : { body }), headersTimeout: 0, bodyTimeout: 0 }
  const reply = await request(url, { method, headers, ...more })
  const session = reply.headers['mcp-session-id']
  const isStream = String(reply.headers['content-type']).startsWith('text/event-stream')
  return {
    status: reply.statusCode,
    session: typeof session === 'string' ? session : undefined,
    messages: isStream ? events(reply.body) : single(reply.body),
  }
}

/** All messages of a reply, after its end. */
export async function allOf(reply: McpReply): Promise<WireMessage[]> {
  const all: WireMessage[] = []
  for await (const message of reply.messages) all.push(message)
  return all
}

function sessionHeaders(session: string): Readonly<Record<string, string>> {
  return { accept, 'mcp-protocol-version': versions.legacy, 'mcp-session-id': session }
}

async function* single(body: Dispatcher.ResponseData['body']): AsyncGenerator<WireMessage, undefined> {
  const text = await body.text()
  if (text.startsWith('{')) yield JSON.parse(text) as WireMessage
}

async function* events(body: Dispatcher.ResponseData['body']): AsyncGenerator<WireMessage, undefined> {
  let text = ''
  body.setEncoding('utf8')
  for await (const chunk of body) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = text
        .slice(0, end)
        .split('\n')
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trim())
        .join('\n')
      text = text.slice(end + 2)
      if (data !== '') yield JSON.parse(data) as WireMessage
    }
  }
}
