import type { Answer, ChangeKind, Dialect, Item, ListKind, Method, Offers, Subject } from '../mcp/mcp.ts'
import type { ListEntry, Upstream } from '../upstream/upstream.ts'

/** A server in a merged view: `name` is its key in the document, unique in the view. */
export interface CatalogServer {
  readonly name: string
  readonly upstream: Upstream
  /** Whether its names and URIs carry its name here. */
  readonly isPrefixed: boolean
  /** Whether a list without it fails rather than shows the rest. */
  readonly isRequired: boolean
}

/** What an agent may see: patterns over `<server>_<name>` and, of resources, over `<server>+<uri>`. */
export interface SelectionPatterns {
  readonly tools: readonly string[]
  readonly prompts: readonly string[]
  readonly resources: readonly string[]
}

/** Cursors are sealed: a client can neither make one nor use another's. */
export interface CursorSealer {
  seal(text: string, bound: readonly string[]): string
  open(token: string, bound: readonly string[]): string | undefined
}

export interface CatalogSettings {
  /** Agent or backend, for people. */
  readonly title: string
  /** Undefined: everything. */
  readonly selection: SelectionPatterns | undefined
  readonly servers: readonly CatalogServer[]
  readonly cursors: CursorSealer
}

export interface CatalogEvents {
  /** Full names of entries that lose to an equal one of an earlier server, or for which a list has no room. */
  conflicts(names: readonly string[]): void
  /** Patterns that match nothing although the server that they name answers. */
  selectsNothing(patterns: readonly string[]): void
}

/** What one caller may see of a view, within what the view selects. */
export interface Sight {
  sees(item: Item): boolean
  /** Whether anything of that kind on a server could be seen. */
  reaches(backend: string, server: string, kind: Subject['kind']): boolean
}

/** What a request names. */
export type Named = Pick<Subject, 'kind' | 'name'>

/** Who has what a request names, and what it is called there. */
export interface Owner {
  /** Its key in the document. */
  readonly server: string
  readonly upstream: Upstream
  /** The server's own name or URI, and a tool's arguments that are repeated in headers. */
  readonly addressed: { readonly name: string; readonly paramHeaders: ListEntry['paramHeaders'] }
  readonly item: Item
  /** An answer of this server in the client's words: its URIs as they are exposed. The same object where nothing changes. */
  readonly expose: Expose
}

export type Expose = (answer: Answer, method: Method, subject: Subject) => Answer

/** What a list answers, and how many entries of it the caller's own sight leaves out, on all its pages. */
export interface Listed {
  readonly answer: Answer
  readonly withheld: number
}

/** One merged view of many servers, as one kind of caller sees it: what is hidden and what is unknown are the same. */
export interface Catalog {
  owner(subject: Named): Owner | undefined
  /** The server that has what is named, where nothing but the view's selection keeps it from everybody here. */
  unselected(subject: Named): string | undefined
  /**
   * A page of a merged list, in the order of the document, then the server's: the same entries, byte for byte, until something
   * changes. Cursors of another `scope`, and of the list as it was before a change, are refused.
   */
  list(kind: ListKind, dialect: Dialect, cursor: string | undefined, scope: readonly string[]): Listed | Promise<Listed>
  /** Resolves when every server has been heard of once, or is known to be down. */
  settled(): Promise<void>
  toolCount(): number
  /** All tools that are known now, as the JSON text of a list without pages. */
  toolsText(): string
  /** Changes exactly when the lists of that kind do; those of templates belong to `resources`. */
  revision(kind: ChangeKind): string
  /** What its servers offer together, as far as they are known and the selection lets it through. */
  offers(): Offers
  /** The servers' own instructions, each under its name where there are several. */
  instructions(): string | undefined
  /** Those of which a caller may see anything at all, in the order of the document. */
  servers(): readonly { readonly name: string; readonly upstream: Upstream }[]
  /** All of the view, whoever sees anything of them. */
  readonly all: readonly CatalogServer[]
  /** What a server's own URI is called here. */
  exposedUri(server: string, uri: string): string
  /** The same view as one caller sees it: what is hidden from it is as if it were not there. */
  seenBy(sight: Sight): Catalog
}
