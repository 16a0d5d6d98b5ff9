/** Limits of one listener: sizes in bytes, times in milliseconds. They protect the process; they are not quotas. */
export interface EdgeLimits {
  /** Longest request body; more is 413. */
  readonly bodyBytes: number
  /** Longest request line and headers together; more is 431. */
  readonly headerBytes: number
  /** Most header fields of one request; more is 431. */
  readonly headerCount: number
  /** Most open connections; further ones are closed as soon as they are accepted. */
  readonly connections: number
  /** From the first byte of a request, or from connecting, to the end of its head; longer is 408. */
  readonly headTimeoutMs: number
  /** How long a request may take after `headTimeoutMs` until the end of its body; longer is 408. */
  readonly bodyTimeoutMs: number
  /** How long a connection that is kept alive waits for its next request, and a reply for a client that reads nothing of it. */
  readonly idleTimeoutMs: number
  /**
   * Most bytes of pushed events that an event stream buffers for a slow client; the next push beyond it cuts the connection. Events from
   * sources that wait for the client to read are not counted.
   */
  readonly writeBufferBytes: number
}

export const defaultEdgeLimits: EdgeLimits = {
  bodyBytes: 4 * 1024 * 1024,
  headerBytes: 16 * 1024,
  headerCount: 100,
  connections: 10_000,
  headTimeoutMs: 10_000,
  bodyTimeoutMs: 30_000,
  idleTimeoutMs: 75_000,
  writeBufferBytes: 1024 * 1024,
}
