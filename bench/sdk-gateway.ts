import { createServer } from 'node:http'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, ProtocolError, ProtocolErrorCode, Server } from '@modelcontextprotocol/server'

/** The yardstick: two servers behind one endpoint for both eras, as one would write it with the official SDK and its own list cache. */
const [port, ...urls] = process.argv.slice(2)
if (port === undefined || urls.length === 0) throw new Error('usage: sdk-gateway PORT URL…')

const identity = { name: 'sdk-gateway', version: '1.0.0' }

const upstreams = new Map<string, Client>(
  await Promise.all(
    urls.map(async (url, index) => {
      const client = new Client(identity, { versionNegotiation: { mode: 'auto' }, defaultCacheTtlMs: 60_000 })
      await client.connect(new StreamableHTTPClientTransport(new URL(url)))
      return [`s${index + 1}`, client] as const
    }),
  ),
)

function makeServer(): Server {
  const server = new Server(identity, { capabilities: { tools: {} } })
  server.setRequestHandler('tools/list', async () => {
    const lists = await Promise.all(
      [...upstreams].map(async ([prefix, client]) => {
        const { tools } = await client.listTools()
        return tools.map((tool) => ({ ...tool, name: `${prefix}_${tool.name}` }))
      }),
    )
    return { tools: lists.flat() }
  })
  server.setRequestHandler('tools/call', ({ params }, context) => {
    const separator = params.name.indexOf('_')
    const client = upstreams.get(params.name.slice(0, separator))
    if (client === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${params.name}`)
    return client.callTool({ ...params, name: params.name.slice(separator + 1) }, { signal: context.mcpReq.signal })
  })
  return server
}

const isHostAllowed = localhostHostValidation()
const isOriginAllowed = localhostOriginValidation()
const handle = toNodeHandler(createMcpHandler(makeServer))

createServer((request, response) => {
  if (!isHostAllowed(request, response) || !isOriginAllowed(request, response)) return
  // Under exactOptionalPropertyTypes the adapter's own type doesn't admit Node's, whose method may be undefined.
  void handle(request as Parameters<typeof handle>[0], response)
}).listen(Number(port), '127.0.0.1')
