import type { Addressed, Implementation } from '../era/era.ts'
import type { Answer, Ask, Call, ClientSession, EraName, ListKind, LogLevel, Offers } from '../mcp/mcp.ts'
import type { ListEntry } from './list-entry.ts'

/** How one server is to be treated. Times in ms. */
export interface UpstreamSettings {
  readonly backend: string
  readonly name: string
  /** Names the place where it is: another server that is given its name has another one. */
  readonly identity: string
  readonly era: 'auto' | 'legacy' | 'modern'
  readonly requestMs: number
  readonly listMs: number
  /** How long a list of it is used before it is asked again. */
  readonly ttlMs: number
  /** How often it is asked whether it is there, while no stream is open whose end would tell. */
  readonly checkMs: number
  readonly pages: number
  /** Entries of one of its lists. */
  readonly entriesPerList: number
  /** Characters of one of its lists. */
  readonly listChars: number
}

export interface UpstreamDeps {
  readonly clientInfo: Implementation
  /** performance.now() or alike, in ms. */
  readonly now: () => number
  /** In [0, 1). */
  readonly random: () => number
  readonly events: UpstreamEvents
}

/** What the rest of the house hears of a server. */
export interface UpstreamEvents {
  /** One of its lists, or what it offers, has become another one. */
  listChanged(status: UpstreamStatus): void
  stateChanged(status: UpstreamStatus, before: UpstreamStatus['state']): void
  /** Entries of its lists were left out. */
  dropped(reasons: readonly string[]): void
  repaired(tool: string): void
}

export interface UpstreamStatus {
  readonly backend: string
  readonly name: string
  readonly state: 'connecting' | 'ready' | 'down'
  readonly era: EraName | undefined
  readonly version: string | undefined
  /** What the server calls itself: not to be relied on. */
  readonly serverName: string | undefined
  readonly tools: number
  readonly prompts: number
  readonly resources: number
  readonly lastError: string | undefined
  /** When it came into this state: milliseconds since the epoch. */
  readonly since: number
}

export interface Sent {
  readonly answer: Answer
  readonly upstreamMs: number
  readonly era: EraName | undefined
}

/** A subscription to one resource, shared by all who want it. */
export interface Watch {
  /** Whether the server agreed, within a bounded time. */
  readonly isGranted: Promise<boolean>
  stop(): void
}

/** What a server sends of its own accord to one client: on the stream of the client's own session with it. */
export interface Follower {
  /** JSON text of the whole notification: `notifications/message`, `notifications/resources/updated` or `notifications/elicitation/complete`. */
  onNotice(text: string, method: string): void
  onAsk(ask: Ask): void
}

/** One server behind us: met, kept in view, asked. It never throws and never waits longer than its time-outs. */
export interface Upstream {
  readonly settings: UpstreamSettings
  /** `<backend>/<name> <identity>`: what was sealed for one server is never given to another of its name. */
  readonly key: string
  status(): UpstreamStatus
  /** The last known entries of a list; they stay while the server is down, and are the same array until they change. */
  entries(kind: ListKind): readonly ListEntry[]
  /** What it offers, as far as it is known. */
  offers(): Offers
  instructions(): string | undefined
  /** How long from now on a list holds, and for whom; 0 ms where it is not whole or the server is down. */
  cacheHint(kind: ListKind): { readonly ttlMs: number; readonly isPublic: boolean; readonly isWhole: boolean }
  /** Undefined where all its lists are fresh or the server is known to be down; else resolves when either is so. */
  ensureFresh(): Promise<void> | undefined
  /** Keeps it from closing, within the grace, until the returned function is called: a call is between two of its rounds. */
  hold(): () => void
  /** From now on these are the addresses behind its host; sessions at others are lost when they are next used. */
  setEndpoints(endpoints: readonly string[]): void
  /** Sends a call to it. */
  send(call: Call, addressed: Addressed): Promise<Sent>

  /** Whether each legacy client has a session of its own with it: a legacy server that gives session ids. */
  hasSessions(): boolean
  /** Opens a client's own session; the server's id for it, to be sealed into the client's. Undefined where it has none or fails. */
  openSession(session: ClientSession): Promise<string | undefined>
  /** A client's session is over. @param isDeleted whether the server is told: not where another replica may go on with it. */
  endSession(session: ClientSession, isDeleted: boolean): void
  /** Brings a client's answer to a request of the server's, which may have come through another replica. */
  respond(session: ClientSession, id: string, rest: string): void
  /** Tells the server, on the client's own session, that the client's roots changed. */
  rootsChanged(session: ClientSession): void
  /** Sets the least level of log messages of a client's own session. */
  setLevel(session: ClientSession, level: LogLevel): Promise<void>
  /** Subscribes a client's own session to a resource, or ends that. Only where `hasSessions()`. */
  subscribe(session: ClientSession, uri: string, isOn: boolean): Promise<Answer>
  /** Keeps a client's own session's stream open, and opens it again when it ends, until the returned function is called. Only where `hasSessions()`. */
  follow(session: ClientSession, follower: Follower): () => void
  /**
   * Hears of updates of one resource on the one subscription that all clients share. `onUpdate` is called at most every 100 ms or so,
   * with the URI of what was updated: the resource itself or one below it (2026-07-28, schema, ResourceUpdatedNotification).
   */
  watch(uri: string, onUpdate: (uri: string) => void): Watch

  /**
   * Lets calls in flight finish, for `graceMs` at most, then ends sessions and connections.
   * @param isLast whether no other process can go on with the clients' own sessions: then they end too
   */
  close(graceMs: number, isLast: boolean): Promise<void>
}
