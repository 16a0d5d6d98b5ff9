import type { Item, ListKind } from '../mcp/mcp.ts'
import type { ListEntry } from '../upstream/upstream.ts'
import { exposedUri } from './exposed-uri.ts'
import { ListedItem } from './listed-item.ts'
import type { CatalogServer, Expose, Owner } from './model.ts'
import type { Selection } from './selection.ts'

/** An entry of a merged list, with the name or URI that callers see. */
export interface Shown {
  readonly name: string
  readonly entry: ListEntry
  readonly server: CatalogServer
  readonly item: Item
}

/** One merged list, made of the lists of several servers. */
export interface ListTable {
  readonly kind: ListKind
  /** The lists that it was made of, in the order of the servers. */
  readonly sources: readonly (readonly ListEntry[])[]
  readonly shown: readonly Shown[]
  /**
   * Owners by exposed name: of tools and prompts only what the view selects; of resources and templates all, since they are selected one
   * by one.
   */
  readonly owners: ReadonlyMap<string, Owner>
  /** Full names that are not shown because an earlier server has the same exposed name, or because the list is full. */
  readonly lost: readonly string[]
}

/** A server of the view, with the function that rewrites the URIs in its answers. */
export interface MergedServer {
  readonly server: CatalogServer
  readonly expose: Expose
}

/** Bound of the characters of one merged list; no client could use more. */
const maxListChars = 64 * 1024 * 1024

export function isOfUris(kind: ListKind): boolean {
  return kind === 'resources' || kind === 'templates'
}

/** The full name, to which selections refer: `<server>_<name>` or `<server>+<uri>`, also where callers see the bare one. */
export function fullName(kind: ListKind, server: string, key: string): string {
  return isOfUris(kind) ? `${server}+${key}` : `${server}_${key}`
}

/**
 * @param isTaken whether a bare URI would be understood as the prefixed URI of another server
 * @param before the same list before the change: items of entries that are unchanged are kept, and with them what policies remember of them
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
      // Conflicts are resolved before selection, so that a name means the same to all callers.
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
