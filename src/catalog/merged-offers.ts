import { type ListKind, listKinds, lists, type Offers } from '../mcp/mcp.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { fullName, type Shown } from './list-table.ts'
import type { CatalogServer, Sight } from './model.ts'
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

/** Whether a view, or one caller's part of it, could let anything of a server's list through. */
export type Reach = (server: CatalogServer, kind: ListKind) => boolean

/** What a selection alone could let through. */
export function reachOf(selections: Selections): Reach {
  return (server, kind) => selections(kind)?.reaches(fullName(kind, server.name, '')) ?? true
}

/**
 * What one caller could see of that. Of resources more may be there than lists say; of tools and prompts that are known, some must be
 * seen.
 */
export function reachBy(sight: Sight, reach: Reach, shown: (kind: ListKind) => readonly Shown[]): Reach {
  return (server, kind) => {
    const { capability } = lists[kind]
    if (!reach(server, kind) || !sight.reaches(server.upstream.settings.backend, server.name, capability)) return false
    if (!isKnown(server.upstream)) return true
    if (!server.upstream.offers()[capability]) return false
    if (capability === 'resources') return true
    return shown(kind).some((one) => one.server === server && sight.sees(one.item))
  }
}

/** Whether anything of a server could be let through: of the others a caller hears nothing. */
export function isSeen(server: CatalogServer, reach: Reach): boolean {
  return listKinds.some((kind) => reach(server, kind))
}

/** The union of what servers offer, as far as it could be let through: nothing that nobody serves. */
export function mergedOffers(servers: readonly CatalogServer[], reach: Reach): Offers {
  const offering = (kind: ListKind) => servers.filter((server) => server.upstream.offers()[lists[kind].capability] && reach(server, kind))
  const seen = servers.filter((server) => isSeen(server, reach))
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
