import type { Refusal } from '../protocol/protocol.ts'

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
  /** What the TLS handshake established; undefined on plain HTTP. */
  readonly tls?: TlsPeer | undefined
  /** A header by its lower-case name; undefined where it was not sent. */
  header(name: string): string | undefined
}

export interface TlsPeer {
  /** The client's certificate, if the listener's authorities issued it; `refused` if the client showed another one. */
  readonly certificate: ClientCertificate | 'refused' | undefined
}

/** The identity that a client certificate names (RFC 5280). */
export interface ClientCertificate {
  /** The first URI among its alternative names (a SPIFFE ID, as a rule), else the first DNS name, else the subject's common name. */
  readonly identity: string
  readonly subject: string
  readonly issuer: string
  readonly alternativeNames: readonly string[]
  /** SHA-256 of the certificate in lower-case hexadecimal digits. */
  readonly fingerprint: string
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number
}

/** A reply of server-sent events, which are written as text that is framed already. */
export interface EventStream {
  /** Queues text, of a source that waits for `drained` before it brings more. */
  write(text: string): void
  /** Queues text, of a source that can't wait. A client that is too far behind with such text loses its connection as a slow client. */
  push(text: string): void
  /** Undefined while the client takes what is written; else resolves when it has taken all, or is gone. */
  drained(): Promise<void> | undefined
  /** Ends the reply; later writes do nothing. */
  end(): void
  readonly isClosed: boolean
}

/** One HTTP request and its one reply. Exactly one of `reply`, `refuse` and `stream` is called, once. */
export interface Exchange {
  /** Unique in this process, printable ASCII. It is in the log and in every refusal. */
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
  /** The connection was closed on a client that took its replies too slowly, or not at all. */
  readonly isTooSlow: boolean
  /** The reply goes on, or its client has not yet taken all of it. */
  readonly isUnderWay: boolean
  /** Calls back once when the client is gone; at once where it already is. Never after the reply has gone out. */
  onGone(listener: () => void): void
  /** The whole body; a refusal where it is over the limits of size and time, or does not come. */
  body(): Promise<Uint8Array | Refusal>
  reply(status: number, headers: Readonly<Record<string, string>>, body?: string): void
  stream(headers: Readonly<Record<string, string>>): EventStream
  /** Sets headers that go with whatever reply follows, such as CORS. */
  setHeader(name: string, value: string): void
}
