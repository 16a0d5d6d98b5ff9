/** How long a client may take to answer a server's request in the middle of a call, in ms: a person may have to answer it. */
export const patienceMs = 10 * 60 * 1000

/** The requests that servers may make of clients. */
export type AskMethod = 'sampling/createMessage' | 'elicitation/create' | 'roots/list'

/** A request that a legacy server makes of the client. */
export interface Ask {
  readonly method: AskMethod
  /** JSON text of its params object. */
  readonly params: string
  /** The key of its upstream. */
  readonly server: string
  /** The server's own id for it: JSON text. */
  readonly id: string
  /** Answers it, once. @param rest a member's JSON text: `"result":…` or `"error":…` */
  reply(rest: string): void
  /** Calls back when the server cancels its request. */
  onWithdrawn(listener: () => void): void
}
