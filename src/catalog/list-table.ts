import type { Item, ListKind } from '../mcp/mcp.ts'
import type { ListEntry } from '../upstream/upstream.ts'
import { exposedUri } from './exposed-uri.ts'
import { ListedItem } from './listed-item.ts'
import type { CatalogServer, Expose, Owner } from './model.ts'
import type { Selection } from './selection.ts'

/** An entry of a merged list, under the name or URI that callers see. */
export interface Shown {
  readonly name: string
  readonly entry: ListEntry
  readonly server: CatalogServer
  readonly item: Item
}

/** One of the merged lists as its servers' lists make it. */
export interface ListTable {
  readonly kind: ListKind
  /** The servers' lists that it was made of, in their order. */
  readonly sources: readonly (readonly ListEntry[])[]
  readonly shown: readonly Shown[]
  /** By exposed name: of tools and prompts what is shown; of resources and templates, which are judged one by one, all. */
  readonly owners: ReadonlyMap<string, Owner>
  /** Full names that lost to an equal exposed one of an earlier server, or that had no room. */
  readonly lost: readonly string[]
}

/** A server of the view, and how its answers are put into its clients' words. */
export interface MergedServer {
  readonly server: CatalogServer
  readonly expose: Expose
}

/** Of all entries of one list together: no client could use more, and no string could hold much more. */
const maxListChars = 64 * 1024 * 1024

export function isOfUris(kind: ListKind): boolean {
  return kind === 'resources' || kind === 'templates'
}

/** What selections are written over: `<server>_<name>` and `<server>+<uri>`, whatever a caller sees. */
export function fullName(kind: ListKind, server: string, key: string): string {
  return isOfUris(kind) ? `${server}+${key}` : `${server}_${key}`
}

/**
 * @param isTaken whether a bare URI would be read as one of another server, whose URIs are prefixed
 * @param before the same list as it was: what is known of its things stays known of those that are as they were
 */
export function buildTable(
  kind: ListKind,
  merged: readonly MergedServer[],
  sources: ListTable['sources'],
  selection: Selection | undefined,
  isTaken: (uri: string) => boolean,
  before?: ListTable,
): ListTable {
  const isUris = isOfUris(kind)
  const owners = new Map<string, Owner>()
  const shown: Shown[] = []
  const hidden: string[] = []
  const lost: string[] = []
  let chars = 0
  merged.forEach(({ server, expose }, i) => {
    for (const entry of sources[i] ?? []) {
      const full = fullName(kind, server.name, entry.key)
      const name = !server.isPrefixed ? entry.key : isUris ? exposedUri(server.name, entry.key) : full
      // Names are settled before anybody's selection: a name never means different things to different callers.
      if (owners.has(name) || (isUris && !server.isPrefixed && isTaken(name))) {
        lost.push(full)
        continue
      }
      const addressed = { name: entry.key, paramHeaders: entry.paramHeaders }
      const was = before?.owners.get(name)
      const isSame = was?.server === server.name && was.item instanceof ListedItem && was.item.isStill(entry)
      const item = isSame ? was.item : new ListedItem(kind, server.name, server.upstream, entry)
      owners.set(name, { server: server.name, upstream: server.upstream, addressed, item, expose })
      if (selection !== undefined && !selection.selects(full)) {
        hidden.push(name)
        continue
      }
      chars += entry.text.length + name.length
      if (chars <= maxListChars) shown.push({ name, entry, server, item })
      else {
        hidden.push(name)
        lost.push(full)
      }
    }
  })
  if (!isUris) for (const name of hidden) owners.delete(name)
  return { kind, sources, shown, owners, lost }
}
