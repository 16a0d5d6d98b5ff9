import type { Addressed } from '../era/era.ts'
import type { Answer, Call, ClientSession, EraName, ListKind, LogLevel, Offers } from '../mcp/mcp.ts'
import type { ListEntry } from './lists/lists.ts'
import type { UpstreamSettings, UpstreamStatus } from './server/server.ts'
import type { Follower } from './streams/streams.ts'
import type { Watch } from './watches/watches.ts'

export interface Sent {
  readonly answer: Answer
  readonly upstreamMs: number
  readonly era: EraName | undefined
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
