import {
  Client,
  type CreateMessageResult,
  type ElicitResult,
  type ListRootsResult,
  type McpSubscription,
  type Progress,
  ProtocolError,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client'
import { Recorder } from './recorder.ts'
import type { Answer, Asking, Player } from './script.ts'

/** The TypeScript SDK 2 in one era. */
export function play2(era: 'legacy' | 'modern'): Player {
  return async (url, operations, replies) => {
    const recorder = new Recorder(replies)
    const client = new Client(
      { name: 'test', version: '1' },
      {
        capabilities: { sampling: {}, elicitation: { form: {}, url: {} }, roots: {} },
        versionNegotiation: { mode: era === 'legacy' ? 'legacy' : { pin: '2026-07-28' } },
      },
    )
    client.setRequestHandler('sampling/createMessage', ({ params }) => recorder.sampling(params) as CreateMessageResult)
    client.setRequestHandler('elicitation/create', ({ params }) => recorder.elicitation(params) as ElicitResult)
    client.setRequestHandler('roots/list', () => recorder.roots() as ListRootsResult)
    client.setNotificationHandler('notifications/message', ({ params }) => recorder.hear('log', params))
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => recorder.hear('update', params))
    await client.connect(new StreamableHTTPClientTransport(new URL(url)))
    try {
      const perEra = era === 'legacy' ? legacyWays(client) : modernWays(client)
      return await recorder.play(operations, (operation) => act(client, recorder, perEra, operation), errorOf)
    } finally {
      await client.close()
    }
  }
}

/** What the eras do differently: `meta` goes with every request that may log. */
interface Ways {
  meta(): Record<string, unknown>
  level(level: 'debug' | 'warning'): Promise<unknown>
  subscribe(uri: string): Promise<unknown>
  unsubscribe(uri: string): Promise<unknown>
}

function legacyWays(client: Client): Ways {
  return {
    meta: () => ({}),
    level: (level) => client.setLoggingLevel(level),
    subscribe: async (uri) => {
      await client.subscribeResource({ uri })
      return { subscribed: true }
    },
    unsubscribe: (uri) => client.unsubscribeResource({ uri }),
  }
}

function modernWays(client: Client): Ways {
  let meta = {}
  const open = new Map<string, McpSubscription>() // as many as the script subscribes to
  return {
    meta: () => meta,
    level: async (level) => {
      meta = { 'io.modelcontextprotocol/logLevel': level }
      return {}
    },
    subscribe: async (uri) => {
      const subscription = await client.listen({ resourceSubscriptions: [uri] })
      open.set(uri, subscription)
      return { subscribed: subscription.honoredFilter.resourceSubscriptions?.join() === uri }
    },
    unsubscribe: async (uri) => {
      await open.get(uri)?.close()
      return {}
    },
  }
}

async function act(client: Client, recorder: Recorder, ways: Ways, operation: Asking): Promise<unknown> {
  switch (operation.do) {
    case 'list':
      if (operation.what === 'tools') return client.listTools()
      if (operation.what === 'prompts') return client.listPrompts()
      return operation.what === 'resources' ? client.listResources() : client.listResourceTemplates()
    case 'call': {
      const onprogress = (params: Progress) => {
        if (!isOwn(params)) recorder.progress(params)
      }
      return client.callTool({ name: operation.tool, arguments: { ...operation.arguments }, _meta: ways.meta() }, { onprogress })
    }
    case 'read':
      return client.readResource({ uri: operation.uri, _meta: ways.meta() })
    case 'prompt':
      return client.getPrompt({ name: operation.name, arguments: { ...operation.arguments }, _meta: ways.meta() })
    case 'complete': {
      const { ref, argument, context } = operation
      return client.complete({ ref, argument, ...(context === undefined ? {} : { context: { arguments: { ...context } } }) })
    }
    case 'level':
      return ways.level(operation.level)
    case 'subscribe':
      return ways.subscribe(operation.uri)
    case 'unsubscribe':
      return ways.unsubscribe(operation.uri)
  }
}

/** The client itself tells its caller of the rounds of questions. */
function isOwn({ message }: Progress): boolean {
  return message?.startsWith('Fulfilling input required') === true
}

function errorOf(error: unknown): Answer['error'] {
  return error instanceof ProtocolError ? { code: error.code, message: error.message, data: error.data } : undefined
}
