import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Refusal, Roster, type Rostered } from '../mcp/mcp.ts'
import type { ConnectionTls } from './front.ts'

/** After a reply that closes a connection: how long what the client still sends is read and thrown away. */
const lingerMs = 2000
/** How long exchanges in progress may go on when a connection is retired. */
const retireMs = 30_000

/** What a connection needs of an exchange. */
export interface OpenExchange extends Rostered {
  /** Whether the client waits for a reply and has not sent its whole body yet. */
  readonly isReading: boolean
  /** Tells it that the rest of the body will not come. */
  failBody(refusal: Refusal): void
  /** The reply has been sent, or the connection is gone; calling it twice does no harm. */
  closed(): void
}

/** One accepted connection and the exchanges that are open on it: at most `pipelineDepth` (refusals.ts). */
export class Connection {
  readonly socket: Socket
  readonly remote: string
  readonly tls: ConnectionTls | undefined
  readonly exchanges = new Roster<OpenExchange>()
  /** A reply that closes it has been written or queued: further requests are ignored. */
  isClosing = false
  /** Whether the connection was closed before a reply had been sent. */
  isCut = false
  /** Whether the connection was closed because its client read too slowly, or nothing at all. */
  isTooSlow = false
  /** Its client certificate is no longer trusted: its next reply is its last. */
  isRetired = false
  /** The latest request that was answered before its body had arrived. */
  unread: IncomingMessage | undefined

  constructor(socket: Socket, tls?: ConnectionTls) {
    this.socket = socket
    this.tls = tls
    this.remote = plainAddress(socket.remoteAddress)
  }

  /**
   * Makes the reply that is being written the last one. Closing a socket with unread bytes would reset it and lose the reply, so what the
   * client still sends is read and thrown away for a bounded time (RFC 9112 section 9.6).
   */
  closeAfter(request: IncomingMessage | undefined): void {
    this.isClosing = true
    if (request?.complete) return
    const socket = this.socket
    socket.destroySoon = () => {
      socket.end()
      request?.resume()
      const timer = setTimeout(() => socket.destroy(), lingerMs)
      socket.once('close', () => clearTimeout(timer))
    }
  }

  /** Closes it: at once where it is idle, else when its exchanges have ended or their time is over. */
  retire(): void {
    if (this.isRetired || this.isClosing) return
    this.isRetired = true
    if (this.exchanges.size === 0) {
      this.socket.destroy()
      return
    }
    const timer = setTimeout(() => this.socket.destroy(), retireMs)
    this.socket.once('close', () => clearTimeout(timer))
  }

  /** Closes it because its client reads too slowly. */
  cutSlow(): void {
    if (this.socket.destroyed) return
    this.isTooSlow = true
    this.socket.destroy()
  }

  /**
   * Cuts the connection if a pipelined response waits for `stallMs` until those before it have ended, since one of them may be a stream that
   * never ends. Calls back when it is its turn.
   */
  boundTurn(response: ServerResponse, stallMs: number, onTurn: () => void): void {
    const timer = setTimeout(() => this.cutSlow(), stallMs).unref()
    response.once('socket', () => {
      clearTimeout(timer)
      onTurn()
    })
  }

  /** Cuts the connection if the client reads nothing of this ended response for `stallMs`. */
  boundDelivery(response: ServerResponse, stallMs: number): void {
    if (response.socket === null) return this.boundTurn(response, stallMs, () => this.boundDelivery(response, stallMs))
    const socket = this.socket
    socket.setTimeout(stallMs)
    response.once('timeout', () => this.cutSlow())
    // Before Node's own listener, which sets the time-out of the idle connection. Node 22 emits `finish` for a lost reply too.
    response.prependOnceListener('finish', () => {
      if (socket.destroyed) this.isCut = true
      else socket.setTimeout(0)
    })
  }
}

/** An address without the prefix that a dual-stack socket puts before IPv4 ones (RFC 4291 section 2.5.5.2). */
export function plainAddress(address: string | undefined): string {
  return address?.replace(/^::ffff:(?=\d+\.)/, '') ?? ''
}
