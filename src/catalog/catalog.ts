import { changeKinds, type ListKind } from '../mcp/mcp.ts'
import { createExpose } from './expose-answer.ts'
import { exposedUri } from './exposed-uri.ts'
import { buildTable, fullName, type ListTable, type MergedServer } from './list-table.ts'
import { createListWarnings } from './list-warnings.ts'
import { type Reach, reachBy, reachOf, type Selections } from './merged-offers.ts'
import type { Catalog, CatalogEvents, CatalogServer, CatalogSettings, Named, Sight } from './model.ts'
import { createFindResource, prefixedUri } from './resource-owners.ts'
import { createSelection } from './selection.ts'
import { createShownLists, type ShownLists } from './shown-lists.ts'
import { createView } from './view.ts'

export type {
  Catalog,
  CatalogEvents,
  CatalogServer,
  CatalogSettings,
  CursorSealer,
  Expose,
  Listed,
  Named,
  Owner,
  SelectionPatterns,
  Sight,
} from './model.ts'
export { matches as matchesPattern } from './selection.ts'

export function createCatalog(settings: CatalogSettings, events: CatalogEvents): Catalog {
  const { servers } = settings
  const selections = selectionsOf(settings)
  const merged = servers.map((server): MergedServer => {
    const isListed = (uri: string) => {
      const exposed = exposedUri(server.name, uri)
      return current('resources').table.owners.has(exposed) && findResource(exposed) !== undefined
    }
    return { server, expose: server.isPrefixed ? createExpose(server.name, isListed) : (answer) => answer }
  })
  const byName = new Map(merged.map((one) => [one.server.name, one]))
  const warn = createListWarnings(servers, selections, events)
  const known: { [K in ListKind]?: ShownLists } = {}

  const current = (kind: ListKind): ShownLists => {
    const last = known[kind]
    if (last !== undefined && isOf(last.table, servers)) return last
    const sources = servers.map(({ upstream }) => upstream.entries(kind))
    const isTaken = (uri: string) => prefixedUri(byName, uri) !== undefined
    const next = createShownLists(buildTable(kind, merged, sources, selections(kind), isTaken, last?.table))
    known[kind] = next
    warn(next.table)
    return next
  }

  const tableOf = (kind: ListKind) => current(kind).table
  const findResource = createFindResource(byName, tableOf, selections('resources'))
  const findAny = createFindResource(byName, tableOf, undefined)
  const reach = reachOf(selections)

  /** Searches the lists of the servers at each call: only records need the result, so no table is kept for it. */
  const unselected = ({ kind, name }: Named): string | undefined => {
    const selection = selections(kind)
    if (selection === undefined) return undefined
    if (kind === 'resources') return findResource(name) === undefined ? findAny(name)?.server : undefined
    const has = ({ name: server, upstream, isPrefixed }: CatalogServer) => {
      const prefix = isPrefixed ? fullName(kind, server, '') : ''
      const key = name.slice(prefix.length)
      if (!name.startsWith(prefix) || selection.selects(fullName(kind, server, key))) return false
      return upstream.entries(kind).some((entry) => entry.key === key)
    }
    return servers.find(has)?.name
  }

  const viewOf = (own: Reach, sight: Sight | undefined): Catalog =>
    createView({
      settings,
      reach: own,
      sight,
      current,
      owner({ kind, name }) {
        if (kind === 'resources') return findResource(name, sight)
        const owner = current(kind).table.owners.get(name)
        return owner === undefined || sight === undefined || sight.sees(owner.item) ? owner : undefined
      },
      unselected,
      exposedUri: (server, uri) => (byName.get(server)?.server.isPrefixed ? exposedUri(server, uri) : uri),
      seenBy: (next) =>
        viewOf(
          reachBy(next, reach, (kind) => current(kind).table.shown),
          next,
        ),
    })
  return viewOf(reach, undefined)
}

/** Whether a table is still up to date. It runs on every call, so it makes no closure. */
function isOf({ kind, sources }: ListTable, servers: readonly CatalogServer[]): boolean {
  for (let i = 0; i < servers.length; i++) if (sources[i] !== servers[i]?.upstream.entries(kind)) return false
  return true
}

function selectionsOf({ selection }: CatalogSettings): Selections {
  if (selection === undefined) return () => undefined
  const [tools, prompts, resources] = changeKinds.map((kind) => createSelection(selection[kind]))
  const byKind = { tools, prompts, resources, templates: resources }
  return (kind) => byKind[kind]
}
