import type { Cancellation, Message } from '../../mcp/mcp.ts'

/** How one server is reached. A connector knows HTTP or pipes, never eras, and of sessions no more than the header that names one. */
export interface Connector {
  /** Sends one JSON-RPC message and takes what comes back for it. Never rejects. */
  post(request: Post): Promise<Reply>
  /** Opens a long-lived stream of the server's messages; it stays open until either side closes it. */
  listen(request: Listen): Listening
  /** Tells the server that a session is over; its answer is of no matter. */
  delete(headers: readonly string[], cause?: Cause): Promise<void>
  /** From now on these are the addresses (`ip:port`) behind the host, where it can have any. What is under way at others ends there. */
  setEndpoints?(endpoints: readonly string[]): void
  /** What the gateway asks for itself goes to another of its addresses from now on, if it isn't sent there already; how many there are. */
  moveOn?(): number
  /** Whether the server has only the HTTP+SSE transport of 2024-11-05, where its answers leave that open. Never rejects. */
  hasOlderTransport?(): Promise<boolean>
  close(): Promise<void>
}

/** What clients cause beside their calls: it has connections of its own, so that it can't hold up what keeps the server in view. */
export type Cause = 'client'

export interface Post {
  /** Calls stand in line; what keeps a server in view does not stand behind them. */
  readonly isCall?: boolean | undefined
  readonly cause?: Cause | undefined
  readonly headers: readonly string[]
  readonly body: string
  /** The id that the answer must carry; undefined for notifications and responses. */
  readonly id: number | undefined
  readonly timeoutMs: number
  /** A bound that progress does not put off. */
  readonly maxMs?: number | undefined
  readonly cancellation?: Cancellation | undefined
  /** Whether an event stream that ends before the answer is taken up again where its events have ids (2025-11-25, transports, Resumability and Redelivery). */
  readonly isResumable?: boolean | undefined
  /** Messages that come before the answer. A progress notification restarts the time-out. */
  readonly onMessage?: (message: Message, method: string) => void
  /** Undefined while the messages are taken; else resolves when they are: until then nothing more is read, and the time-out stands still. */
  drained?(): Promise<void> | undefined
  /** Gets hold of the wait for the answer, before anything is sent. */
  readonly onWaiting?: (waiting: Waiting) => void
}

/** A request that waits for its answer. */
export interface Waiting {
  /** It may take so long from now on, in ms, within the bound that nothing puts off. */
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
  /** unreachable, busy: nothing was sent; broken: cut or not understood after sending; slow-client: not the server took the time, but who reads. */
  readonly failure: 'unreachable' | 'busy' | 'timeout' | 'cancelled' | 'broken' | 'slow-client'
  readonly text: string
  /** For operators alone: what to do about it. */
  readonly remedy?: string | undefined
}

export interface Listen {
  /** GET (legacy) without a body, or POST (modern). */
  readonly method: 'GET' | 'POST'
  readonly headers: readonly string[]
  readonly body?: string
  /** A stream of a single client's: there may be very many, which take nothing from the server's other connections. */
  readonly isFollowed?: boolean
  /** Where an earlier stream broke off. */
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
