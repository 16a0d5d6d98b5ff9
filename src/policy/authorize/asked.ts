import { type Failure, factsOf, type ItemFacts, Mcp, Prompt, Resource, Tool } from '../../cel/cel.ts'
import { type Item, readJson } from '../../mcp/mcp.ts'
import type { Asking } from '../seam.ts'

/** The method by which an item of each kind is used; a list shows the items for which it is allowed. */
export const ownMethod = { tools: 'tools/call', prompts: 'prompts/get', resources: 'resources/read' } satisfies Readonly<
  Record<Item['kind'], string>
>

const jsonLimits = { depth: 64, tokens: 100_000 }
export const noArguments: ReadonlyMap<string, unknown> = new Map()

/** The facts that rules see when they are asked about an item. */
export function factsAbout(asking: Asking, item: Item, method: string, given: ReadonlyMap<string, unknown>): ItemFacts {
  const { jwt, apiKey, source, request } = factsOf(asking.caller, asking.head)
  return { jwt, apiKey, source, request, mcp: new Mcp(method, aboutOf(item, given)) }
}

function aboutOf(item: Item, given: ReadonlyMap<string, unknown>): Tool | Prompt | Resource {
  switch (item.kind) {
    case 'tools':
      return new Tool(item.name, item.server, item.annotations, given)
    case 'prompts':
      return new Prompt(item.name, item.server)
    case 'resources':
      return new Resource(item.name, item.server)
  }
}

/** Parses a call's arguments; what two parsers could understand differently is a failure. */
export function readArguments(
  args: string | undefined,
): { readonly kind: 'value'; readonly value: ReadonlyMap<string, unknown> } | Failure {
  if (args === undefined) return { kind: 'value', value: noArguments }
  const read = readJson(args, jsonLimits)
  if (read.kind === 'fault') return { kind: 'failure', why: `can't read the arguments: ${read.text}` }
  return read.value instanceof Map
    ? { kind: 'value', value: read.value }
    : { kind: 'failure', why: 'is asked of arguments that are no object' }
}
