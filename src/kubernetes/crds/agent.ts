import { configSchema, type Key } from '../../config/config.ts'
import type { Raw } from '../objects/objects.ts'
import { conditionColumn, define } from './definition.ts'
import { conditions, group, kind, name } from './fields.ts'
import { integer, list, matches, object, text } from './schema.ts'

/** Our own kind. What an agent of a document has under the same name here is taken from the document's schema. */

const keys = agentKeys()

/** Bounds that the document doesn't have: they keep the rules within the API server's budget. */
const maxPatterns = 1024

const backendRef = object(
  'One backend.',
  {
    group: group("Its group. Not written: the kind's own."),
    kind: kind('Backend or AgentgatewayBackend. Not written: Backend.'),
    name: name('Its name.'),
    namespace: text("Its namespace. Not written: this object's. Another one must hold a ReferenceGrant for it.", { max: 63 }),
  },
  {
    required: ['name'],
    rules: [
      {
        rule: "(has(self.kind) ? self.kind : 'Backend') in ['Backend', 'AgentgatewayBackend']",
        message: 'an Agent selects from a Backend (gateway.kgateway.dev) or an AgentgatewayBackend (agentgateway.dev)',
      },
      {
        rule: "!has(self.group) || self.group == (has(self.kind) && self.kind == 'AgentgatewayBackend' ? 'agentgateway.dev' : 'gateway.kgateway.dev')",
        message:
          'a Backend is of the group gateway.kgateway.dev, an AgentgatewayBackend of agentgateway.dev: leave group out, or correct it',
      },
    ],
  },
)

export const agent = define({
  group: 'mcplex.dev',
  kind: 'Agent',
  description:
    'What one kind of client may see: tools, prompts and resources of some backends. An HTTPRoute whose backendRef names it leads to it.',
  shortNames: ['mcpagent'],
  categories: ['mcplex'],
  columns: [
    conditionColumn('Accepted', '.status', 'Whether it can be served.'),
    { name: 'Servers', type: 'integer', jsonPath: '.status.servers', description: 'MCP servers of its backends.' },
    { name: 'Tools', type: 'integer', jsonPath: '.status.tools', description: 'Tools that it sees.' },
  ],
  spec: object(
    'What it may see, and where from.',
    {
      backendRefs: list(`${about('from')} No two may have a server of one name.`, backendRef, { min: 1, max: 64 }),
      tools: patterns('tools', 512),
      prompts: patterns('prompts', 512),
      resources: patterns('resources', 1024),
      instructions: text(about('instructions'), { max: 65_536 }),
      prefix: text(about('prefix'), { values: choicesOf('prefix').map((value) => value.replace(/^./, (first) => first.toUpperCase())) }),
      access: text(about('access'), { max: 16_384 }),
    },
    { required: ['backendRefs'] },
  ),
  status: object('What has become of it.', {
    conditions: conditions('What is so.'),
    servers: integer('MCP servers of its backends.'),
    tools: integer('Tools that it sees.'),
  }),
})

function agentKeys(): Readonly<Record<string, Key>> {
  const agents = configSchema.keys['agents']?.schema
  if (agents?.kind !== 'map' || agents.value.kind !== 'object') throw new TypeError('the agents of a document are a map of objects')
  return agents.value.keys
}

function keyOf(key: string): Key {
  const found = keys[key]
  if (found === undefined) throw new TypeError(`an agent of a document has no ${key}`)
  return found
}

function about(key: string): string {
  return keyOf(key).about
}

function choicesOf(key: string): readonly string[] {
  const { schema } = keyOf(key)
  if (schema.kind !== 'choice') throw new TypeError(`${key} is no choice`)
  return schema.values
}

function patterns(key: string, max: number): Raw {
  const { schema } = keyOf(key)
  if (schema.kind !== 'list' || schema.item.kind !== 'text') throw new TypeError(`${key} is no list of texts`)
  const { pattern, hint = '' } = schema.item
  if (pattern === undefined) throw new TypeError(`${key} has no pattern`)
  return list(about(key), text('A pattern.', { max, rules: [matches(re2Of(pattern), hint)] }), { max: maxPatterns })
}

/** The same regular expression for RE2, whose `\s` knows blanks of ASCII alone. */
function re2Of(pattern: RegExp): string {
  return pattern.source.replaceAll('\\s', '\\s\\p{Z}\\x{FEFF}')
}
