import type { Answer, ChangeKind, Dialect, Item, ListKind, Method, Offers, Subject } from '../mcp/mcp.ts'
import type { ListEntry, Upstream } from '../upstream/upstream.ts'

/** A server in a merged view. `name` is its key in the document, which is unique in the view. */
export interface CatalogServer {
  readonly name: string
  readonly upstream: Upstream
  /** Whether names and URIs of the server are exposed with its name as a prefix. */
  readonly isPrefixed: boolean
  /** Whether a list fails while this server's part is missing, rather than showing the rest. */
  readonly isRequired: boolean
}

/** What an agent may see, as patterns over `<server>_<name>` or, for resources, over `<server>+<uri>`. */
export interface SelectionPatterns {
  readonly tools: readonly string[]
  readonly prompts: readonly string[]
  readonly resources: readonly string[]
}

/** Seals cursors, so that a client can neither make one nor use one of another client. */
export interface CursorSealer {
  seal(text: string, bound: readonly string[]): string
  open(token: string, bound: readonly string[]): string | undefined
}

export interface CatalogSettings {
  /** The name of the agent or backend, for messages. */
  readonly title: string
  /** What is selected; undefined: everything. */
  readonly selection: SelectionPatterns | undefined
  readonly servers: readonly CatalogServer[]
  readonly cursors: CursorSealer
}

export interface CatalogEvents {
  /** Full names of entries that are not shown because an earlier server has an equal name, or because the list is full. */
  conflicts(names: readonly string[]): void
  /** Patterns that match nothing although the server they name is up. */
  selectsNothing(patterns: readonly string[]): void
}

/** What one caller may see, of what the view selects. */
export interface Sight {
  sees(item: Item): boolean
  /** Whether any entry of that kind on a server could be seen. */
  reaches(backend: string, server: string, kind: Subject['kind']): boolean
}

/** The tool, prompt or resource that a request names. */
export type Named = Pick<Subject, 'kind' | 'name'>

/** The server that has what a request names, and its name there. */
export interface Owner {
  /** Its key in the document. */
  readonly server: string
  readonly upstream: Upstream
  /** The name or URI at the server, and the arguments of a tool that are repeated in headers. */
  readonly addressed: { readonly name: string; readonly paramHeaders: ListEntry['paramHeaders'] }
  readonly item: Item
  /** Rewrites the URIs in an answer of this server to the exposed ones. Returns the same object where nothing changes. */
  readonly expose: Expose
}

export type Expose = (answer: Answer, method: Method, subject: Subject) => Answer

/** The answer to a list request, and how many entries policies withhold from the caller on all pages together. */
export interface Listed {
  readonly answer: Answer
  readonly withheld: number
}

/**
 * A merged view of several servers, as one caller sees it. A name that is hidden from the caller is answered like one that does not exist.
 */
export interface Catalog {
  owner(subject: Named): Owner | undefined
  /** The server that has the named tool, prompt or resource where only the view's selection leaves it out; for records. */
  unselected(subject: Named): string | undefined
  /**
   * A page of a merged list, in the order of servers in the document, then the server's own. It stays the same, byte for byte, until an
   * entry changes. Refuses cursors that were made for another `scope`, or before the list changed.
   */
  list(kind: ListKind, dialect: Dialect, cursor: string | undefined, scope: readonly string[]): Listed | Promise<Listed>
  /** Resolves when every server has been met once, or is known to be down. */
  settled(): Promise<void>
  toolCount(): number
  /** All tools that are known now, as the JSON text of a list result without pages. */
  toolsText(): string
  /** A text that changes exactly when the lists of that kind change; resource templates count as `resources`. */
  revision(kind: ChangeKind): string
  /** What its servers offer together, as far as they are known and the caller could see any of it. */
  offers(): Offers
  /** The servers' instructions; where several servers have some, each under the server's name. */
  instructions(): string | undefined
  /** The servers of which the caller may see anything, in the order of the document. */
  servers(): readonly { readonly name: string; readonly upstream: Upstream }[]
  /** All servers of the view, whether or not the caller sees anything of them. */
  readonly all: readonly CatalogServer[]
  /** The exposed form of a server's URI. */
  exposedUri(server: string, uri: string): string
  /** The same view with only what one caller sees. */
  seenBy(sight: Sight): Catalog
}
