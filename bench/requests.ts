import { isDeepStrictEqual } from 'node:util'

export const eras = ['legacy', 'modern'] as const
export type Era = (typeof eras)[number]
export const kinds = ['call', 'judged', 'list', 'big', 'init'] as const
export type Kind = (typeof kinds)[number]

/** What is in front of the benchmark's servers: its endpoint, the era spoken to it, and the prefix under which it shows each server's tools. */
export interface Endpoint {
  readonly url: string
  readonly era: Era
  readonly prefixes: readonly string[]
  /** What goes with every request beside the protocol's own. */
  readonly headers: Readonly<Record<string, string>>
}

/** One MCP request as it goes over the wire, the same for the probe and for the load. `expected` is in every right reply and in no wrong one. */
export interface McpRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly expected: string
}

/** The parameters of a request; `name` goes into a header too. */
interface Params {
  readonly name?: string
  readonly [key: string]: unknown
}

const versions = { legacy: '2025-11-25', modern: '2026-07-28' } as const satisfies Record<Era, string>
const client = { name: 'bench', version: '1.0.0' }
const ownNames = ['add', 'big', ...Array.from({ length: 48 }, (_, i) => `tool_${String(i + 2).padStart(2, '0')}`)]

/** Makes the request of a kind; calls go to the first server, `judged` being of the tool whose arguments a rule of identity.yaml looks at. `session` is the legacy session to send it in, if there is one. */
export function makeRequest(kind: Kind, endpoint: Endpoint, session?: string): McpRequest {
  const prefix = endpoint.prefixes[0] ?? ''
  switch (kind) {
    case 'call':
      return makeCall(endpoint, `${prefix}add`, '"42"', session)
    case 'judged':
      return makeCall(endpoint, `${prefix}tool_02`, '"42"', session)
    case 'big':
      return makeCall(endpoint, `${prefix}big`, 'the end"', session)
    case 'list':
      return compose(endpoint, 'tools/list', {}, `"${endpoint.prefixes.at(-1) ?? ''}tool_49"`, session)
    case 'init':
      return endpoint.era === 'modern'
        ? compose(endpoint, 'server/discover', {}, '"supportedVersions"')
        : compose(endpoint, 'initialize', { protocolVersion: versions.legacy, capabilities: {}, clientInfo: client }, '"protocolVersion"')
  }
}

/** Greets the endpoint as a client of its era does and returns the legacy session's id, if it gave one. Throws while it isn't ready. */
export async function openSession(endpoint: Endpoint): Promise<string | undefined> {
  const { response, result } = await send(endpoint.url, makeRequest('init', endpoint))
  const spoken = endpoint.era === 'modern' ? result['supportedVersions'] : [result['protocolVersion']]
  if (!Array.isArray(spoken) || !spoken.includes(versions[endpoint.era])) throw new Error(`speaks ${String(spoken)}`)
  const session = response.headers.get('mcp-session-id') ?? undefined
  if (endpoint.era === 'legacy') {
    const headers = headersOf(endpoint, 'notifications/initialized', undefined, session)
    const body = '{"jsonrpc":"2.0","method":"notifications/initialized"}'
    await (await fetch(endpoint.url, { method: 'POST', headers, body })).arrayBuffer()
  }
  return session
}

/** Throws unless the endpoint lists every tool of every server, in order, and a call to each server returns the sum. */
export async function probe(endpoint: Endpoint, session: string | undefined): Promise<void> {
  const list = await send(endpoint.url, makeRequest('list', endpoint, session))
  const names = Array.isArray(list.result['tools'])
    ? list.result['tools'].map((tool: unknown) => (isObject(tool) ? tool['name'] : tool))
    : []
  const wanted = endpoint.prefixes.flatMap((prefix) => ownNames.map((name) => prefix + name))
  if (!isDeepStrictEqual(names, wanted))
    throw new Error(`lists ${names.length} tools, ${wanted.length} wanted: ${names.slice(0, 3).join(', ')}…`)
  for (const prefix of endpoint.prefixes) {
    const { result } = await send(endpoint.url, makeCall(endpoint, `${prefix}add`, '"42"', session))
    if (result['isError'] === true || !isDeepStrictEqual(result['content'], [{ type: 'text', text: '42' }])) {
      throw new Error(`${prefix}add answers ${JSON.stringify(result)}`)
    }
  }
}

function makeCall(endpoint: Endpoint, tool: string, expected: string, session?: string): McpRequest {
  return compose(endpoint, 'tools/call', { name: tool, arguments: { a: 12, b: 30 } }, expected, session)
}

function compose(endpoint: Endpoint, method: string, params: Params, expected: string, session?: string): McpRequest {
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': versions.modern,
    'io.modelcontextprotocol/clientInfo': client,
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const whole = endpoint.era === 'modern' ? { ...params, _meta: envelope } : params
  return {
    headers: headersOf(endpoint, method, params.name, session),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: whole }),
    expected,
  }
}

function headersOf(
  { era, headers }: Endpoint,
  method: string,
  name: string | undefined,
  session: string | undefined,
): Record<string, string> {
  return {
    ...headers,
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    ...(method === 'initialize' ? {} : { 'MCP-Protocol-Version': versions[era] }),
    ...(era === 'modern' ? { 'Mcp-Method': method } : {}),
    ...(era === 'modern' && name !== undefined ? { 'Mcp-Name': name } : {}),
    ...(session === undefined ? {} : { 'Mcp-Session-Id': session }),
  }
}

async function send(url: string, request: McpRequest): Promise<{ response: Response; result: Record<string, unknown> }> {
  const signal = AbortSignal.timeout(10_000)
  const response = await fetch(url, { method: 'POST', headers: request.headers, body: request.body, signal })
  const text = await response.text()
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
  const data = isStream ? text.match(/^data: ?(\{.*)$/m)?.[1] : text
  const message: unknown = JSON.parse(data ?? '')
  if (!isObject(message) || !isObject(message['result'])) throw new Error(`HTTP ${response.status}: ${text.slice(0, 300)}`)
  return { response, result: message['result'] }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
