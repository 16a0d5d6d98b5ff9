import { choice, either, integer, type Key, list, map, type ObjectShape, object, type Schema, secret, text } from '../schema/schema.ts'
import { configSchema } from './config-schema.ts'
import { server } from './server-keys.ts'
import { addedHeader, headerValueFault, listenAddress, name, url, words } from './texts.ts'

/** A server in the form that configurations of MCP clients have. */
export interface ClientServer {
  readonly type?: 'http' | 'streamable-http' | 'sse' | 'stdio'
  readonly url?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly command?: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const laterCommand = 'run it behind an HTTP bridge and use `url`; a later version brings it'
const clientServer = object<ClientServer>(
  'clientServer',
  {
    type: { schema: choice(['http', 'streamable-http', 'sse', 'stdio'], ['sse', 'stdio']), about: 'How it is reached.' },
    url: { schema: url, about: 'Where it is.' },
    headers: {
      schema: map(addedHeader, secret('text', { fault: headerValueFault })),
      about: 'Headers that go with every request; become `credentials.header`.',
    },
    command: { schema: words, about: 'A program that speaks over its standard input and output.', later: laterCommand },
    args: { schema: list(words), about: 'Its arguments.', later: laterCommand },
    env: { schema: map(text('variable'), secret('text')), about: 'Its environment.', later: laterCommand },
  },
  [
    { kind: 'one-of', keys: ['url', 'command'] },
    { kind: 'excludes', key: 'url', others: ['args', 'env'] },
  ],
)

const { http, sse } = server.keys
const serverOrUrl: Schema<unknown> = either<unknown, unknown>(url, {
  ...server,
  title: 'shortServer',
  keys: { ...server.keys, ...(http && { http: orUrl(http) }), ...(sse && { sse: orUrl(sse) }) },
})

function orUrl(key: Key): Key {
  return { ...key, schema: either<unknown, unknown>(url, key.schema), about: `${key.about} A URL, or an object.` }
}

/** The schema of a document: the long form, and in addition the keys of the short form. */
export const documentSchema: ObjectShape = {
  kind: 'object',
  title: 'document',
  keys: {
    $schema: { schema: words, about: 'For editors; means nothing.' },
    listen: {
      schema: either<string, number>(listenAddress, integer(0, 65_535)),
      about:
        'Where clients connect, instead of `listeners`: PORT, HOST:PORT or [IPv6]:PORT; a bare port binds 127.0.0.1. Not written: 127.0.0.1:8080.',
    },
    servers: {
      schema: map(name, serverOrUrl),
      about: 'MCP servers by name, each a URL or an object; together the backend `default`.',
      examples: [
        { math: 'http://127.0.0.1:8001/mcp', github: { http: 'https://api.githubcopilot.com/mcp/', timeouts: { request: '2m' } } },
      ],
    },
    mcpServers: {
      schema: map(text('name'), clientServer),
      about: "`servers` as a client's configuration has them.",
      examples: [{ math: { type: 'http', url: 'http://127.0.0.1:8001/mcp' } }],
    },
    ...configSchema.keys,
  },
  rules: [{ kind: 'excludes', key: 'listen', others: ['listeners'] }],
  hasExtensions: true,
}
