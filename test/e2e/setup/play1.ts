import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  CreateMessageRequestSchema,
  type CreateMessageResult,
  ElicitRequestSchema,
  type ElicitResult,
  ListRootsRequestSchema,
  type ListRootsResult,
  LoggingMessageNotificationSchema,
  McpError,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { Recorder } from './recorder.ts'
import type { Answer, Asking, Player } from './script.ts'

/** The TypeScript SDK 1. */
export const play1: Player = async (url, operations, replies) => {
  const recorder = new Recorder(replies)
  const client = new Client(
    { name: 'test', version: '1' },
    { capabilities: { sampling: {}, elicitation: { form: {}, url: {} }, roots: {} } },
  )
  client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => recorder.sampling(params) as CreateMessageResult)
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => recorder.elicitation(params) as ElicitResult)
  client.setRequestHandler(ListRootsRequestSchema, () => recorder.roots() as ListRootsResult)
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => recorder.hear('log', params))
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => recorder.hear('update', params))
  await client.connect(new StreamableHTTPClientTransport(new URL(url)) as Transport)
  try {
    return await recorder.play(operations, (operation) => act(client, recorder, operation), errorOf)
  } finally {
    await client.close()
  }
}

async function act(client: Client, recorder: Recorder, operation: Asking): Promise<unknown> {
  switch (operation.do) {
    case 'list':
      if (operation.what === 'tools') return client.listTools()
      if (operation.what === 'prompts') return client.listPrompts()
      return operation.what === 'resources' ? client.listResources() : client.listResourceTemplates()
    case 'call': {
      const onprogress = (params: object) => recorder.progress(params)
      return client.callTool({ name: operation.tool, arguments: { ...operation.arguments } }, undefined, { onprogress })
    }
    case 'read':
      return client.readResource({ uri: operation.uri })
    case 'prompt':
      return client.getPrompt({ name: operation.name, arguments: { ...operation.arguments } })
    case 'complete': {
      const { ref, argument, context } = operation
      return client.complete({ ref, argument, ...(context === undefined ? {} : { context: { arguments: { ...context } } }) })
    }
    case 'level':
      return client.setLoggingLevel(operation.level)
    case 'subscribe':
      await client.subscribeResource({ uri: operation.uri })
      return { subscribed: true }
    case 'unsubscribe':
      return client.unsubscribeResource({ uri: operation.uri })
  }
}

function errorOf(error: unknown): Answer['error'] {
  return error instanceof McpError ? { code: error.code, message: error.message, data: error.data } : undefined
}
