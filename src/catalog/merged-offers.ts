import { type ListKind, listKinds, lists, type Offers } from '../mcp/mcp.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { fullName } from './list-table.ts'
import type { CatalogServer } from './model.ts'
import type { Selection } from './selection.ts'

/** What a view selects of each list; undefined: everything. */
export type Selections = (kind: ListKind) => Selection | undefined

/** Whether a server has ever been met. */
export function isKnown(upstream: Upstream): boolean {
  const { tools, prompts, resources } = upstream.offers()
  return tools || prompts || resources || upstream.status().state === 'ready'
}

/** Whether a server has that list, or may have it since it was never met. */
export function mayOffer(upstream: Upstream, kind: ListKind): boolean {
  return upstream.offers()[lists[kind].capability] || !isKnown(upstream)
}

/** Whether a selection could let anything of a server's list through. */
export function isReached(server: CatalogServer, kind: ListKind, selections: Selections): boolean {
  return selections(kind)?.reaches(fullName(kind, server.name, '')) ?? true
}

/** Whether a selection could let anything of a server through: of the others a caller hears nothing. */
export function isSeen(server: CatalogServer, selections: Selections): boolean {
  return listKinds.some((kind) => isReached(server, kind, selections))
}

/** The union of what servers offer, as far as a selection could let it through: nothing that nobody serves. */
export function mergedOffers(servers: readonly CatalogServer[], selections: Selections): Offers {
  const offering = (kind: ListKind) =>
    servers.filter((server) => server.upstream.offers()[lists[kind].capability] && isReached(server, kind, selections))
  const seen = servers.filter((server) => isSeen(server, selections))
  const offers = seen.map(({ upstream }) => upstream.offers())
  // A view of which nothing is known yet will have tools: clients that are told otherwise never ask again.
  const tools = offers.some((one) => one.tools) || !seen.some(({ upstream }) => isKnown(upstream))
  const prompts = offering('prompts')
  const resources = offering('resources')
  return {
    tools,
    prompts: prompts.length > 0,
    resources: resources.length > 0,
    completions: [...prompts, ...resources].some(({ upstream }) => upstream.offers().completions),
    logging: offers.some((one) => one.logging),
    toolsChange: tools,
    promptsChange: prompts.length > 0,
    resourcesChange: resources.length > 0,
    subscribe: resources.some(({ upstream }) => upstream.offers().subscribe),
    apps: resources.map(({ upstream }) => upstream.offers().apps).find((text) => text !== undefined),
  }
}
