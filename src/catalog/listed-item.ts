import { type Item, lists, member, members, readScanned, type Subject } from '../mcp/mcp.ts'
import type { ListEntry, Upstream } from '../upstream/upstream.ts'

const none: ReadonlyMap<string, unknown> = new Map()

/** An entry of a server's list as policies see it. Its annotations are parsed when they are first read. */
export class ListedItem implements Item {
  readonly kind: Item['kind']
  readonly backend: string
  readonly server: string
  readonly name: string
  #text: string
  #annotations: ReadonlyMap<string, unknown> | undefined

  constructor(kind: keyof typeof lists, server: string, upstream: Upstream, entry: ListEntry) {
    this.kind = lists[kind].capability
    this.backend = upstream.settings.backend
    this.server = server
    this.name = entry.key
    this.#text = entry.text
  }

  /**
   * Whether the item is of an entry that equals this one. If so, it refers to this entry's text from now on, so that its own can be freed.
   */
  isStill(entry: ListEntry): boolean {
    if (this.name !== entry.key || this.#text !== entry.text) return false
    this.#text = entry.text
    return true
  }

  get annotations(): ReadonlyMap<string, unknown> {
    this.#annotations ??= this.kind === 'tools' ? annotationsOf(this.#text) : none
    return this.#annotations
  }
}

/** A resource whose URI is in no list, as policies see it. */
export function unlistedItem(server: string, upstream: Upstream, uri: string, spellings: readonly string[] = []): Item {
  const kind = 'resources' satisfies Subject['kind']
  return { kind, backend: upstream.settings.backend, server, name: uri, annotations: none, spellings }
}

function annotationsOf(text: string): ReadonlyMap<string, unknown> {
  const found = member(members(text, 0, text.length), 'annotations')
  return found?.type === 'object' ? (readScanned(text, found.start) as ReadonlyMap<string, unknown>) : none
}
