import { lists, member, members, readScanned, type Subject } from '../mcp/mcp.ts'
import type { ListEntry, Upstream } from '../upstream/upstream.ts'
import type { Thing } from './model.ts'

const none: ReadonlyMap<string, unknown> = new Map()

/** An entry of a server's list. Its annotations are read when they are first asked for. */
export class ListedThing implements Thing {
  readonly kind: Thing['kind']
  readonly backend: string
  readonly server: string
  readonly name: string
  readonly #entry: ListEntry
  #annotations: ReadonlyMap<string, unknown> | undefined

  constructor(kind: keyof typeof lists, server: string, upstream: Upstream, entry: ListEntry) {
    this.kind = lists[kind].capability
    this.backend = upstream.settings.backend
    this.server = server
    this.name = entry.key
    this.#entry = entry
  }

  get annotations(): ReadonlyMap<string, unknown> {
    this.#annotations ??= this.kind === 'tools' ? annotationsOf(this.#entry.text) : none
    return this.#annotations
  }
}

/** A resource by a URI that stands in no list. */
export function unlistedThing(server: string, upstream: Upstream, uri: string): Thing {
  return { kind: 'resources' satisfies Subject['kind'], backend: upstream.settings.backend, server, name: uri, annotations: none }
}

function annotationsOf(text: string): ReadonlyMap<string, unknown> {
  const found = member(members(text, 0, text.length), 'annotations')
  return found?.type === 'object' ? (readScanned(text, found.start) as ReadonlyMap<string, unknown>) : none
}
