import type { ServerResponse } from 'node:http'
import type { EventStream } from '../mcp/mcp.ts'
import type { Connection } from './connection.ts'
import type { EdgeLimits } from './limits.ts'

/** Server-sent events over one response. Bounded: a write on top of more than `writeBufferBytes` cuts the connection. */
export class HttpEventStream implements EventStream {
  bytesOut = 0
  readonly #response: ServerResponse
  readonly #limits: EdgeLimits
  readonly #connection: Connection
  #isClosed = false
  #quietTicks = 0
  #waiting: (() => void)[] = []

  constructor(response: ServerResponse, limits: EdgeLimits, connection: Connection) {
    this.#response = response
    this.#limits = limits
    this.#connection = connection
    response.on('drain', () => this.#onDrain())
    // In the next tick, so that the head shares a packet with an event that is written at once.
    process.nextTick(() => {
      if (!this.#isClosed && this.bytesOut === 0) response.flushHeaders()
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  write(text: string): boolean {
    if (this.#isClosed) return true
    if (this.#response.writableLength > this.#limits.writeBufferBytes) {
      this.#connection.socket.destroy()
      return false
    }
    this.#quietTicks = 0
    this.bytesOut += Buffer.byteLength(text)
    const isFlowing = this.#response.write(text)
    if (!isFlowing) this.#response.socket?.setTimeout(this.#limits.idleTimeoutMs)
    return isFlowing
  }

  drained(): Promise<void> {
    if (this.#isClosed || !this.#response.writableNeedDrain) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  end(): void {
    if (this.#isClosed) return
    this.#response.end()
    if (this.#response.writableLength > 0) this.#connection.boundDelivery(this.#response, this.#limits.idleTimeoutMs)
    this.closed()
  }

  /** The client is gone, or the stream has ended: nothing more is written. */
  closed(): void {
    this.#isClosed = true
    this.#release()
  }

  /** Writes a comment where nothing has been written for two ticks, so that no proxy takes the stream for dead. */
  tick(): void {
    this.#quietTicks += 1
    if (this.#quietTicks < 2 || this.#response.writableNeedDrain) return
    this.write(':\n\n')
  }

  #onDrain(): void {
    this.#response.socket?.setTimeout(0)
    this.#release()
  }

  #release(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
