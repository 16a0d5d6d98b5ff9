import type { Refusal } from './refusal.ts'

/** The head of one HTTP request. Ambiguous heads never get this far: `listen` refuses them. */
export interface Head {
  readonly method: string
  /** Path as sent, without the query, starting with `/`. */
  readonly path: string
  /** Query as sent, without `?`; empty where there is none. */
  readonly query: string
  /** `Host` as sent, in lower case. */
  readonly host: string
  /** Name of the listener that took the connection. */
  readonly listener: string
  /** Address of the peer, without port. */
  readonly remote: string
  /** A header by its lower-case name; undefined where it was not sent. */
  header(name: string): string | undefined
}

/** A reply that goes on: server-sent events, already framed, as text. */
export interface EventStream {
  /** Queues text. False: the client reads slower than it is sent to; wait for `drained` before writing more. */
  write(text: string): boolean
  /** Resolves when the queue is empty again or the client is gone. */
  drained(): Promise<void>
  /** Ends the reply; later writes do nothing. */
  end(): void
  readonly isClosed: boolean
}

/** One HTTP request and its one reply. Exactly one of `reply`, `refuse` and `stream` is called, once. */
export interface Exchange {
  /** Unique in this process, printable ASCII; in the log and in every refusal. */
  readonly requestId: string
  readonly head: Head
  /** performance.now() when the head had been read. */
  readonly startedAt: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** The HTTP status that was sent; 0 before. */
  readonly status: number
  /** The client's connection has closed before the reply had ended. */
  readonly isGone: boolean
  /** Calls back once when the client is gone; at once where it already is. Never after the reply has gone out. */
  onGone(listener: () => void): void
  /** The whole body within the limits of size and time, or why not. */
  body(): Promise<Uint8Array | Refusal>
  reply(status: number, headers: Readonly<Record<string, string>>, body?: string): void
  stream(headers: Readonly<Record<string, string>>): EventStream
  /** Sets headers that go with whatever reply follows, such as CORS. */
  setHeader(name: string, value: string): void
}
