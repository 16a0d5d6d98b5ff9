/**
 * The server that the referee's server scenarios want: everything-server.ts PORT [--era both|legacy|modern].
 * Legacy clients get sessions whose streams can be resumed; modern clients are served without any.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import {
  localhostHostValidation,
  localhostOriginValidation,
  type NodeIncomingMessageLike,
  NodeStreamableHTTPServerTransport,
  toNodeHandler,
} from '@modelcontextprotocol/node'
import {
  classifyInboundRequest,
  createMcpHandler,
  createRequestStateCodec,
  McpServer,
  type RegisteredPrompt,
  type RegisteredTool,
} from '@modelcontextprotocol/server'
import { EventLog } from './event-log.ts'
import { registerPrompts } from './everything-prompts.ts'
import { registerResources } from './everything-resources.ts'
import { registerTools, type SealedState } from './everything-tools.ts'

const { positionals, values } = parseArgs({ allowPositionals: true, options: { era: { type: 'string', default: 'both' } } })
const states = createRequestStateCodec<SealedState>({ key: randomBytes(32) })
const modern = createMcpHandler(() => makeServer().server, { legacy: 'reject' })
const serveModern = toNodeHandler(modern)

/** By session id; as many as the referee opens in one run. */
const sessions = new Map<string, Made & { readonly transport: NodeStreamableHTTPServerTransport }>()

/** How often each list has changed. */
const editions = { tools: 1, prompts: 1 }

interface Made {
  readonly server: McpServer
  readonly tool: RegisteredTool
  readonly prompt: RegisteredPrompt
}

function makeServer(): Made {
  const server = new McpServer(
    { name: 'everything', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: states.verify },
    },
  )
  const around = { declared: () => server.server.getClientCapabilities() ?? {}, seal: (state: SealedState) => states.mint(state), change }
  const tool = registerTools(server, around, edition('tools'))
  const prompt = registerPrompts(server, edition('prompts'))
  registerResources(server)
  return { server, tool, prompt }
}

function edition(of: keyof typeof editions): string {
  return `Edition ${editions[of]}.`
}

/** Changes a list, and tells all who listen, whichever era they speak. */
function change(list: 'tools' | 'prompts'): void {
  editions[list]++
  if (list === 'tools') modern.notify.toolsChanged()
  else modern.notify.promptsChanged()
  for (const { tool, prompt } of sessions.values()) {
    if (list === 'tools') tool.update({ description: edition('tools') })
    else prompt.update({ description: edition('prompts') })
  }
}

async function openSession(): Promise<NodeStreamableHTTPServerTransport> {
  const made = makeServer()
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: new EventLog(),
    retryInterval: 500,
    onsessioninitialized: (id) => void sessions.set(id, { ...made, transport }),
    onsessionclosed: (id) => void sessions.delete(id),
  })
  await made.server.connect(transport)
  return transport
}

async function serveLegacy(request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void> {
  const id = request.headers['mcp-session-id']
  if (typeof id !== 'string') return (await openSession()).handleRequest(request, response, body)
  const session = sessions.get(id)
  if (session !== undefined) return session.transport.handleRequest(request, response, body)
  refuse(response, 404, -32001, 'Session not found')
}

function isModern(request: IncomingMessage, body: unknown): boolean {
  if (values.era !== 'both') return values.era === 'modern'
  const { 'mcp-protocol-version': version, 'mcp-method': method } = request.headers
  const classified = classifyInboundRequest({
    httpMethod: request.method ?? '',
    ...(typeof version === 'string' ? { protocolVersionHeader: version } : {}),
    ...(typeof method === 'string' ? { mcpMethodHeader: method } : {}),
    body,
  })
  return classified.kind !== 'legacy'
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body: unknown
  try {
    body = request.method === 'POST' ? await json(request) : undefined
  } catch {
    return refuse(response, 400, -32700, 'Parse error')
  }
  return isModern(request, body) ? serveModern(request as NodeIncomingMessageLike, response, body) : serveLegacy(request, response, body)
}

function refuse(response: ServerResponse, status: number, code: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null }))
}

const isLocalHost = localhostHostValidation()
const isLocalOrigin = localhostOriginValidation()

createServer((request, response) => {
  if (isLocalHost(request, response) && isLocalOrigin(request, response)) void serve(request, response)
}).listen(Number(positionals[0]), '127.0.0.1')
