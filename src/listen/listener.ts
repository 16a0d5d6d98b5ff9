import type { Buffers, Exchange, Reason } from '../mcp/mcp.ts'
import type { EdgeLimits } from './limits.ts'
import type { TlsPlan } from './tls-plan.ts'

export interface EdgeRefusal {
  /** The name of the listener that the socket was opened for. */
  readonly listener: string
  readonly requestId: string
  readonly reason: Reason
  readonly remote: string
  /** The HTTP status; 0 where the connection was closed without a reply. */
  readonly status: number
}

export interface ListenerOptions {
  /** The listener's name in the configuration. */
  readonly name: string
  readonly address: string
  /** 0 takes any free port. */
  readonly port: number
  readonly limits?: EdgeLimits
  /** Counts what clients have not taken. Default: without a bound. */
  readonly buffers?: Buffers
  /** The TLS settings; absent: plain HTTP. */
  readonly tls?: TlsPlan | undefined
  /** Called with every request whose head is unambiguous; must not throw. */
  readonly onExchange: (exchange: Exchange) => void
  /** Called for every request that was refused before it became an exchange. */
  readonly onEdgeRefusal?: (refusal: EdgeRefusal) => void
  /** Called when draining starts, before anything else: it ends the event streams. */
  readonly onDrain?: () => void
  /** An event stream without events for this long gets a comment. Default 15 s. */
  readonly keepAliveMs?: number
  /** Milliseconds, monotonic. Default performance.now. */
  readonly clock?: () => number
  /**
   * Most bytes of headers that the parser accepts; `limits.headerBytes`, which may change while it is open, is checked after that. Default
   * that limit.
   */
  readonly headRoomBytes?: number
  /** The prefix of every request id; default random. */
  readonly idPrefix?: string
}

export interface OpenListener {
  readonly kind: 'open'
  readonly address: string
  /** The port that it is bound to. */
  readonly port: number
  /** Changes how many connections may be open at once. */
  setConnections(max: number): void
  /**
   * Uses another TLS plan from now on, which must ask clients for certificates if the previous one does. Open connections go on, but those
   * that were authenticated by authorities that have changed end after their exchanges in progress.
   */
  setTls(plan: TlsPlan): void
  /** Connections that are open now. */
  readonly connections: number
  /** From now on each reply closes its connection, so that clients move to another replica; nothing else changes. */
  letGo(): void
  /**
   * Stops accepting and closes idle connections at once, lets requests in progress finish for at most `graceMs`, then cuts the rest. New
   * requests on open connections get 503. Resolves when every connection is closed.
   */
  drain(graceMs: number): Promise<void>
  /** Stops accepting and cuts every connection. */
  close(): void
}

export interface ListenFailure {
  readonly kind: 'port-in-use' | 'failed'
  readonly text: string
}
