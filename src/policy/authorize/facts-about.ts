import { factsOf, type ItemFacts, Mcp, Prompt, Resource, Tool } from '../../cel/cel.ts'
import type { Item } from '../../mcp/mcp.ts'
import type { Asking } from '../seam.ts'

/** The method by which an item of each kind is used; a list shows the items for which it is allowed. */
export const ownMethod = { tools: 'tools/call', prompts: 'prompts/get', resources: 'resources/read' } satisfies Readonly<
  Record<Item['kind'], string>
>

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
