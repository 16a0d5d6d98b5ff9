import { setTimeout as delay } from 'node:timers/promises'
import {
  type CallToolResult,
  type ClientCapabilities,
  fromJsonSchema,
  type InputRequiredResult,
  type JsonSchemaType,
  type McpServer,
  type RegisteredTool,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { askingTools } from './everything-asking-tools.ts'
import { audio, image } from './everything-media.ts'

export type Arguments = Readonly<Record<string, unknown>>
export type ToolAnswer = CallToolResult | InputRequiredResult

/** What tools need of the server that they run in. */
export interface Surroundings {
  /** What the client of this request or session declared. */
  declared(): ClientCapabilities
  /** Seals the state so that only this process can have written it. */
  seal(state: SealedState): Promise<string>
  /** Changes a list, and says so to all who listen. */
  change(list: 'tools' | 'prompts'): void
}

/** What a tool carries through the client from one round to the next. */
export interface SealedState {
  readonly round: number
  readonly name?: string
}

/** One tool: a row of the table. Without `input` it takes an empty object. */
export interface EverythingTool {
  readonly description: string
  readonly input?: Readonly<Record<string, unknown>>
  readonly run: (args: Arguments, context: ServerContext, around: Surroundings) => ToolAnswer | Promise<ToolAnswer>
}

/** A result of one text block. */
export function text(value: string): CallToolResult {
  return { content: [{ type: 'text', text: value }] }
}

/** Registers every tool that a server scenario of the referee calls, and one whose description tells the list's edition, which it gives. */
export function registerTools(server: McpServer, around: Surroundings, edition: string): RegisteredTool {
  for (const [name, { description, input, run }] of Object.entries({ ...plainTools, ...askingTools })) {
    const inputSchema = fromJsonSchema<Arguments>((input ?? { type: 'object', properties: {} }) as JsonSchemaType)
    server.registerTool(name, { description, inputSchema }, (args, context) => run(args, context, around))
  }
  return server.registerTool('test_changing_tool', { description: edition }, () => text('Changed.'))
}

const plainTools: Readonly<Record<string, EverythingTool>> = {
  test_simple_text: { description: 'Answers with one text block.', run: () => text('A text, and nothing but a text.') },
  test_image_content: { description: 'Answers with one image.', run: () => ({ content: [{ type: 'image', ...image }] }) },
  test_audio_content: { description: 'Answers with one sound.', run: () => ({ content: [{ type: 'audio', ...audio }] }) },
  test_embedded_resource: {
    description: 'Answers with one embedded resource.',
    run: () => ({ content: [{ type: 'resource', resource: { uri: 'test://embedded', mimeType: 'text/plain', text: 'Embedded.' } }] }),
  },
  test_multiple_content_types: {
    description: 'Answers with a text, an image and an embedded resource.',
    run: () => ({
      content: [
        { type: 'text', text: 'Three blocks:' },
        { type: 'image', ...image },
        { type: 'resource', resource: { uri: 'test://mixed', mimeType: 'application/json', text: '{"kind":"mixed"}' } },
      ],
    }),
  },
  test_error_handling: {
    description: 'Fails.',
    run: () => ({ ...text('It failed, as it was meant to.'), isError: true }),
  },
  test_tool_with_logging: {
    description: 'Logs three times while it runs.',
    run: async (_args, context) => {
      for (const line of ['started', 'half way', 'done']) {
        await context.mcpReq.log('info', line, 'everything')
        await delay(20)
      }
      return text('Logged three times.')
    },
  },
  test_logging_tool: {
    description: 'Logs once.',
    run: async (_args, context) => {
      await context.mcpReq.log('info', 'logged', 'everything')
      return text('Logged once.')
    },
  },
  test_tool_with_progress: {
    description: 'Reports progress in three steps to who asked for it.',
    run: async (_args, context) => {
      const progressToken = context.mcpReq._meta?.progressToken
      if (progressToken === undefined) return text('Nobody asked for progress.')
      for (const progress of [0, 50, 100]) {
        const params = { progressToken, progress, total: 100, message: `${progress} of 100` }
        await context.mcpReq.notify({ method: 'notifications/progress', params })
        await delay(20)
      }
      return text(`Reported to ${progressToken}.`)
    },
  },
  test_reconnection: {
    description: 'Closes its own stream and answers once the client has come back for the rest.',
    run: async (_args, context) => {
      context.http?.closeSSE?.()
      await delay(100)
      return text('Still here.')
    },
  },
  test_streaming_elicitation: { description: 'Asks for nothing.', run: () => text('Asked for nothing.') },
  test_trigger_tool_change: {
    description: 'Changes the list of tools.',
    run: (_args, _context, around) => {
      around.change('tools')
      return text('Done.')
    },
  },
  test_trigger_prompt_change: {
    description: 'Changes the list of prompts.',
    run: (_args, _context, around) => {
      around.change('prompts')
      return text('Done.')
    },
  },
  test_x_mcp_header: {
    description: 'Names the region, which a header repeats.',
    input: {
      type: 'object',
      properties: {
        region: { type: 'string', description: 'Repeated in a header.', 'x-mcp-header': 'Region' },
        level: { type: 'integer', description: 'In the body only.' },
      },
    },
    run: ({ region }) => text(`Region: ${String(region ?? 'none')}.`),
  },
  json_schema_2020_12_tool: {
    description: 'Has an input schema with the words of JSON Schema 2020-12.',
    input: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: {
        address: { $anchor: 'addressDef', type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } },
      },
      properties: {
        name: { type: 'string' },
        address: { $ref: '#/$defs/address' },
        contactMethod: { type: 'string', enum: ['phone', 'email'] },
        phone: { type: 'string' },
        email: { type: 'string' },
      },
      allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
      if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
      // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
      then: { required: ['phone'] },
      else: { required: ['email'] },
      additionalProperties: false,
    },
    run: (args) => text(JSON.stringify(args)),
  },
}
