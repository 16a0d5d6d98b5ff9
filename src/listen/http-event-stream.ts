import type { ServerResponse } from 'node:http'
import type { Buffers, EventStream, Holder } from '../mcp/mcp.ts'
import type { Connection } from './connection.ts'
import { encodePieces, pieceChars } from './encode-pieces.ts'
import type { EdgeLimits } from './limits.ts'

/**
 * Server-sent events in one response. What is pushed is bounded: a `push` while more than `writeBufferBytes` of pushed events wait for a
 * slow client cuts the connection. `write` is not bounded here, since those who call it wait for `drained`.
 */
export class HttpEventStream implements EventStream, Holder {
  bytesOut = 0
  /** What is queued. */
  heldBytes = 0
  readonly #response: ServerResponse
  readonly #limits: EdgeLimits
  readonly #connection: Connection
  readonly #buffers: Buffers
  /** Encoded text in pieces, in the order in which they will be sent. */
  #queue: Buffer[] = []
  /** How many of the bytes that are queued or being sent came from sources that don't wait for `drained`. */
  #pushedBytes = 0
  #isClosed = false
  #isBeforeTurn = false
  #quietTicks = 0
  #waiting: (() => void)[] = []

  constructor(response: ServerResponse, limits: EdgeLimits, connection: Connection, buffers: Buffers) {
    this.#response = response
    this.#limits = limits
    this.#connection = connection
    this.#buffers = buffers
    response.on('drain', () => this.#onDrain())
    response.once('timeout', () => connection.cutSlow())
    // In the next tick, so that an event which is written at once shares a packet with the head.
    process.nextTick(() => {
      if (!this.#isClosed && this.bytesOut === 0) response.flushHeaders()
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Whether the client has not yet read everything that was written. */
  get #isBehind(): boolean {
    return this.#queue.length > 0 || this.#response.writableNeedDrain
  }

  write(text: string): void {
    if (this.#isClosed) return
    this.#quietTicks = 0
    if (text.length > pieceChars || this.#isBehind) {
      const before = this.heldBytes
      for (const piece of encodePieces(text)) {
        this.#queue.push(piece)
        this.heldBytes += piece.byteLength
      }
      const bytes = this.heldBytes - before
      this.bytesOut += bytes
      this.#buffers.take(this, bytes)
      this.#flush()
    } else {
      this.bytesOut += Buffer.byteLength(text)
      if (!this.#response.write(text)) this.#boundStall()
    }
  }

  push(text: string): void {
    if (this.#isClosed) return
    if (this.#isBehind) {
      if (this.#pushedBytes > this.#limits.writeBufferBytes) return this.#connection.cutSlow()
      this.#pushedBytes += Buffer.byteLength(text)
    }
    this.write(text)
  }

  drained(): Promise<void> | undefined {
    if (this.#isClosed || !this.#isBehind) return undefined
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#release()
    if (this.#queue.length === 0) this.#finish()
  }

  /** Called when the client is gone: nothing more is written. */
  closed(): void {
    this.#isClosed = true
    this.#queue = []
    if (this.heldBytes > 0) this.#give(this.heldBytes)
    this.#release()
  }

  giveUp(): boolean {
    if (this.heldBytes === 0) return false
    this.closed()
    this.#connection.cutSlow()
    return true
  }

  /** Writes a comment if nothing was written for two ticks, so that no proxy closes the stream as idle. */
  tick(): void {
    this.#quietTicks += 1
    if (this.#quietTicks < 2 || this.#isBehind) return
    this.write(':\n\n')
  }

  /** Hands the connection one piece at a time. That each piece goes out shows that the client reads, over TLS too. */
  #flush(): void {
    while (!this.#response.writableNeedDrain) {
      const [next] = this.#queue
      if (next === undefined) return
      this.#queue.shift()
      this.#give(next.byteLength)
      if (!this.#response.write(next)) this.#boundStall()
    }
  }

  /** Bounds how long the client may take nothing, also while replies to earlier requests of its connection come first. */
  #boundStall(): void {
    const stallMs = this.#limits.idleTimeoutMs
    if (this.#response.socket !== null) this.#response.socket.setTimeout(stallMs)
    else if (!this.#isBeforeTurn) {
      this.#isBeforeTurn = true
      this.#connection.boundTurn(this.#response, stallMs, () => this.#response.socket?.setTimeout(stallMs))
    }
  }

  #give(bytes: number): void {
    this.heldBytes -= bytes
    this.#buffers.give(this, bytes)
  }

  #onDrain(): void {
    this.#response.socket?.setTimeout(0)
    this.#flush()
    if (this.#isBehind) return
    this.#pushedBytes = 0
    if (this.#isClosed) this.#finish()
    else this.#release()
  }

  #finish(): void {
    this.#response.end()
    if (this.#response.writableLength > 0) this.#connection.boundDelivery(this.#response, this.#limits.idleTimeoutMs)
  }

  #release(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
