import { type ListKind, listKinds, lists, type Offers } from '../mcp/mcp.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { fullName, type Shown } from './list-table.ts'
import type { CatalogServer, Sight } from './model.ts'
import type { Selection } from './selection.ts'

/** The selection of a view for each kind of list; undefined: everything is selected. */
export type Selections = (kind: ListKind) => Selection | undefined

/** Whether a server has ever been met. */
export function isKnown(upstream: Upstream): boolean {
  const { tools, prompts, resources } = upstream.offers()
  return tools || prompts || resources || upstream.status().state === 'ready'
}

/** Whether a server offers that list; also true for a server that was never met, since it may. */
export function mayOffer(upstream: Upstream, kind: ListKind): boolean {
  return upstream.offers()[lists[kind].capability] || !isKnown(upstream)
}

/** Whether a view, or the part of it that one caller sees, could contain any entry of a server's list. */
export type Reach = (server: CatalogServer, kind: ListKind) => boolean

/** The reach of a selection alone. */
export function reachOf(selections: Selections): Reach {
  return (server, kind) => selections(kind)?.reaches(fullName(kind, server.name, '')) ?? true
}

/**
 * The reach of one caller. A server may have more resources than it lists, so it counts although none of them is visible; of the tools and
 * prompts of a known server, at least one must be visible.
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

/** Whether a caller could see anything of a server. Other servers are not mentioned to it at all. */
export function isSeen(server: CatalogServer, reach: Reach): boolean {
  return listKinds.some((kind) => reach(server, kind))
}

/** The union of what servers offer, as far as the caller could see any of it. */
export function mergedOffers(servers: readonly CatalogServer[], reach: Reach): Offers {
  const offering = (kind: ListKind) => servers.filter((server) => server.upstream.offers()[lists[kind].capability] && reach(server, kind))
  const seen = servers.filter((server) => isSeen(server, reach))
  const offers = seen.map(({ upstream }) => upstream.offers())
  // While no server was met yet, tools are offered: clients that are told otherwise never ask again.
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
