import { Client, type ClientCapabilities, type ClientOptions, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

/** What the referee tells the client that it starts. */
export interface Assignment {
  readonly url: string
  readonly isModern: boolean
  readonly toolCalls: readonly ToolCall[]
}

interface ToolCall {
  readonly name: string
  readonly arguments: Record<string, unknown>
}

type Scenario = (assignment: Assignment) => Promise<void>

/** What a client does in each of the referee's client scenarios but those about authorization. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  initialize: (assignment) => connected(assignment, {}, listTools),
  'json-schema-ref-no-deref': (assignment) => connected(assignment, {}, listTools),
  'request-metadata': (assignment) =>
    connected(assignment, { roots: { listChanged: true }, sampling: {}, elicitation: {} }, async () => undefined),
  tools_call: (assignment) => connected(assignment, {}, callListed('add_numbers', { a: 5, b: 3 })),
  'sse-retry': (assignment) => connected(assignment, {}, callListed('test_reconnection', {})),
  'elicitation-sep1034-client-defaults': (assignment) =>
    connected(assignment, { elicitation: { form: { applyDefaults: true } } }, async (client) => {
      client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: {} }))
      await callListed('test_client_elicitation_defaults', {})(client)
    }),
  'sep-2322-client-request-state': (assignment) =>
    connected(assignment, { elicitation: {} }, async (client) => {
      client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { confirmed: true } }))
      for (const name of ['test_mrtr_echo_state', 'test_mrtr_no_state', 'test_mrtr_unrelated']) await client.callTool({ name })
      // Without a `resultType` the SDK may refuse the result; what counts is that it doesn't try again.
      await client.callTool({ name: 'test_mrtr_no_result_type' }).catch(() => undefined)
    }),
  'http-standard-headers': (assignment) =>
    connected(assignment, {}, async (client) => {
      const { tools } = await client.listTools()
      for (const { name } of tools.slice(0, 1)) await client.callTool({ name })
      const { resources } = await client.listResources()
      for (const { uri } of resources.slice(0, 1)) await client.readResource({ uri })
      await client.listResourceTemplates()
      const { prompts } = await client.listPrompts()
      for (const { name } of prompts.slice(0, 1)) await client.getPrompt({ name })
    }),
  'http-custom-headers': (assignment) =>
    connected(assignment, {}, async (client) => {
      await client.listTools()
      for (const call of assignment.toolCalls) await client.callTool(call)
    }),
  'http-invalid-tool-headers': (assignment) =>
    connected(assignment, {}, async (client) => {
      const { tools } = await client.listTools()
      for (const { name } of tools) await client.callTool({ name, arguments: { region: 'us-west1' } }).catch(() => undefined)
    }),
  'json-schema-2020-12-preservation': (assignment) =>
    connected(assignment, {}, async (client) => {
      const { tools } = await client.listTools()
      const schema = tools.find(({ name }) => name === 'json_schema_2020_12_tool')?.inputSchema
      await client.callTool({ name: 'json_schema_echo', arguments: { schema } })
    }),
}

async function connected(
  { url, isModern }: Assignment,
  capabilities: ClientCapabilities,
  act: (client: Client) => Promise<void>,
): Promise<void> {
  const options: ClientOptions = { capabilities, versionNegotiation: { mode: isModern ? 'auto' : 'legacy' } }
  const client = new Client({ name: 'everything-client', version: '1.0.0' }, options)
  await client.connect(new StreamableHTTPClientTransport(new URL(url)))
  try {
    await act(client)
  } finally {
    await client.close()
  }
}

async function listTools(client: Client): Promise<void> {
  await client.listTools()
}

function callListed(name: string, args: Record<string, unknown>): (client: Client) => Promise<void> {
  return async (client) => {
    const { tools } = await client.listTools()
    if (!tools.some((tool) => tool.name === name)) throw new Error(`no tool ${name} in the list`)
    await client.callTool({ name, arguments: args })
  }
}
