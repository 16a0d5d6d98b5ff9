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

/** One server behind the gateway. No method throws or rejects, and none waits longer than the server's time-outs. */
export interface Upstream {
  readonly settings: UpstreamSettings
  /**
   * `<backend>/<name> <identity>`. It holds the identity so that what was sealed for one server never reaches another one of the same
   * name.
   */
  readonly key: string
  status(): UpstreamStatus
  /** The last known entries of a list, also while the server is down. The array is the same one until an entry changes. */
  entries(kind: ListKind): readonly ListEntry[]
  /** What the server declares to offer, as far as it is known. */
  offers(): Offers
  instructions(): string | undefined
  /** How long a list may be cached from now on, and whether by anybody; 0 ms where it is not whole or the server is down. */
  cacheHint(kind: ListKind): { readonly ttlMs: number; readonly isPublic: boolean; readonly isWhole: boolean }
  /**
   * Undefined where all lists are fresh or the server is known to be down; otherwise a promise that resolves as soon as one of the two is
   * the case.
   */
  ensureFresh(): Promise<void> | undefined
  /** Makes `close` wait, within its grace, until the returned function is called: for a call that is between two rounds. */
  hold(): () => void
  /** Sets the addresses behind its host. Sessions at other addresses are lost at their next use. */
  setEndpoints(endpoints: readonly string[]): void
  /** Sends a call to it. */
  send(call: Call, addressed: Addressed): Promise<Sent>

  /** Whether each legacy client has a session of its own with this server: true for a legacy server that gives session ids. */
  hasSessions(): boolean
  /**
   * Opens the session of a client. Resolves with the server's id for it, which is sealed into the client's id; undefined where there is
   * none or opening fails.
   */
  openSession(session: ClientSession): Promise<string | undefined>
  /** Ends the session of a client. @param isDeleted whether the server is told; false where another replica may continue the session */
  endSession(session: ClientSession, isDeleted: boolean): void
  /** Brings a client's response to a request of the server, which may have reached the client through another replica. */
  respond(session: ClientSession, id: string, rest: string): void
  /** Tells the server, in the client's own session, that the client's roots changed. */
  rootsChanged(session: ClientSession): void
  /** Sets the lowest level of log messages in the client's own session. */
  setLevel(session: ClientSession, level: LogLevel): Promise<void>
  /** Subscribes the client's own session to a resource, or unsubscribes it. Only where `hasSessions()`. */
  subscribe(session: ClientSession, uri: string, isOn: boolean): Promise<Answer>
  /**
   * Keeps a stream open for the client's own session until the returned function is called; opens it again when it ends. Only where
   * `hasSessions()`.
   */
  follow(session: ClientSession, follower: Follower): () => void
  /**
   * Watches one resource, by one subscription that all clients share. `onUpdate` is called at most about every 100 ms,
   * with the URI of what was updated: the resource itself or one below it (2026-07-28, schema, ResourceUpdatedNotification).
   */
  watch(uri: string, onUpdate: (uri: string) => void): Watch

  /**
   * Lets calls in flight finish, for `graceMs` at most, then ends sessions and connections.
   * @param isLast whether no other process can continue the clients' own sessions; then these are ended too
   */
  close(graceMs: number, isLast: boolean): Promise<void>
}
