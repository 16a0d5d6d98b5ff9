import type { Exchange, Reason } from '../mcp/mcp.ts'
import type { EdgeLimits } from './limits.ts'
import type { TlsPlan } from './tls-plan.ts'

export interface EdgeRefusal {
  /** The name that the socket was opened under. */
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
  /** Speaks TLS by it; absent: plain HTTP. */
  readonly tls?: TlsPlan | undefined
  /** Takes every request whose head is unambiguous; must not throw. */
  readonly onExchange: (exchange: Exchange) => void
  /** Is told of every request that never became an exchange. */
  readonly onEdgeRefusal?: (refusal: EdgeRefusal) => void
  /** Called first when draining starts: ends the event streams. */
  readonly onDrain?: () => void
  /** An event stream idle for this long gets a comment. Default 15 s. */
  readonly keepAliveMs?: number
  /** Milliseconds, monotonic. Default performance.now. */
  readonly clock?: () => number
  /** Bytes of headers that the parser takes before `limits.headerBytes`, which may change, is looked at. Default that limit. */
  readonly headRoomBytes?: number
  /** Start of every request id; default random. */
  readonly idPrefix?: string
}

export interface OpenListener {
  readonly kind: 'open'
  readonly address: string
  /** The port that it really has. */
  readonly port: number
  /** Changes how many connections may be open. */
  setConnections(max: number): void
  /**
   * Shows and trusts from now on what another plan says, which asks clients for certificates if the one before does. Connections go on, but
   * for those that were made under other authorities for clients: they end with what is under way.
   */
  setTls(plan: TlsPlan): void
  /** Connections that are open now. */
  readonly connections: number
  /** From now on each reply closes its connection, so that clients move on by themselves; all else goes on. */
  letGo(): void
  /**
   * Stops accepting and closes idle connections at once, lets requests in flight finish for at most `graceMs`, then
   * cuts what is left. Requests that still come on open connections get 503. Resolves when every connection is closed.
   */
  drain(graceMs: number): Promise<void>
  /** Stops accepting and cuts every connection. */
  close(): void
}

export interface ListenFailure {
  readonly kind: 'port-in-use' | 'failed'
  readonly text: string
}
