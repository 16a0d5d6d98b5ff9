import type { Cancellation, Message } from '../../mcp/mcp.ts'

/** Moves messages to and from one server. A connector knows HTTP or pipes but no eras, and of sessions only the header that names one. */
export interface Connector {
  /** Sends one JSON-RPC message and resolves with what comes back for it. Never rejects. */
  post(request: Post): Promise<Reply>
  /** Opens a long-lived stream of the server's messages; it stays open until either side closes it. */
  listen(request: Listen): Listening
  /** Tells the server that a session has ended; the answer is ignored. */
  delete(headers: readonly string[], cause?: Cause): Promise<void>
  /**
   * Sets the addresses (`ip:port`) behind the host, if the kind of connector has any. Requests in flight at other addresses finish there.
   */
  setEndpoints?(endpoints: readonly string[]): void
  /** Sends the gateway's own requests to another address from now on. Returns how many addresses there are. */
  moveOn?(): number
  /**
   * Asks the server whether it has only the HTTP+SSE transport of 2024-11-05; called where its answer to `initialize` may mean that. Never
   * rejects.
   */
  hasOlderTransport?(): Promise<boolean>
  close(): Promise<void>
}

/**
 * Marks requests that clients cause besides their calls. They have connections of their own, so that they can't hold up the checks of the
 * server.
 */
export type Cause = 'client'

export interface Post {
  /** Calls wait in a line of their own, so that they can't hold up the checks of the server. */
  readonly isCall?: boolean | undefined
  readonly cause?: Cause | undefined
  readonly headers: readonly string[]
  readonly body: string
  /** The id that the answer must carry; undefined for notifications and responses. */
  readonly id: number | undefined
  readonly timeoutMs: number
  /** A time-out that progress does not extend. */
  readonly maxMs?: number | undefined
  readonly cancellation?: Cancellation | undefined
  /**
   * Whether to resume an event stream that ends before the answer, if its events have ids (2025-11-25, transports, Resumability and
   * Redelivery).
   */
  readonly isResumable?: boolean | undefined
  /** Messages that come before the answer. A progress notification restarts the time-out. */
  readonly onMessage?: (message: Message, method: string) => void
  /**
   * Undefined while the messages are taken; else resolves when they are: until then nothing more is read, and the time-out stands still.
   */
  drained?(): Promise<void> | undefined
  /** Called before anything is sent, with the control over the time-out. */
  readonly onWaiting?: (waiting: Waiting) => void
}

/** Control over the time-out of a request that waits for its answer. */
export interface Waiting {
  /** Sets the time that the answer may take from now on, in ms, within `maxMs`. */
  allow(ms: number): void
}

export type Reply =
  /** A JSON-RPC response to this request, whatever the status. */
  | { readonly kind: 'message'; readonly status: number; readonly message: Message; readonly session: string | undefined }
  /** HTTP without a JSON-RPC response; the text is its content type. */
  | { readonly kind: 'http'; readonly status: number; readonly text: string }
  | Failure

export interface Failure {
  readonly kind: 'failed'
  /**
   * - `unreachable`, `busy`: nothing was sent.
   * - `timeout`: the server did not answer in time; `cancelled`: the request was cancelled.
   * - `broken`: the connection was cut after sending, or the answer can't be understood.
   * - `slow-client`: the time limit was reached, mostly because the client was slow to read.
   * - `memory`: the request was given up, since too much is held of all servers together.
   */
  readonly failure: 'unreachable' | 'busy' | 'timeout' | 'cancelled' | 'broken' | 'slow-client' | 'memory'
  readonly text: string
  /** For operators alone: what to do about it. */
  readonly remedy?: string | undefined
}

export interface Listen {
  /** GET (legacy) without a body, or POST (modern). */
  readonly method: 'GET' | 'POST'
  readonly headers: readonly string[]
  readonly body?: string
  /** Whether the stream serves a single client. There may be very many such streams, so they have connections of their own. */
  readonly isFollowed?: boolean
  /** The id of the last event of an earlier stream, to resume after it. */
  readonly lastEventId?: string | undefined
  readonly onMessage: (message: Message, method: string | undefined) => void
  /** As of a `Post`. */
  drained?(): Promise<void> | undefined
  /** Called once: the status and, where the server had them, `retry` in ms and the last event's id. `status` 0: no connection. */
  readonly onEnd: (status: number, retryMs: number | undefined, lastEventId: string | undefined) => void
}

export interface Listening {
  close(): void
}
