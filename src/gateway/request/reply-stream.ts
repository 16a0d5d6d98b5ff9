import { type EventStream, type Head, sseEvent } from '../../mcp/mcp.ts'
import { acceptsEvents } from './negotiate.ts'

/** Where a message came from: an exchange, or a batch, whose messages can't be answered by a stream. */
export interface Origin {
  readonly head: Head
  readonly requestId: string
  onGone?(listener: () => void): void
  readonly stream: ((headers: Readonly<Record<string, string>>) => EventStream) | undefined
}

/** The reply to one request. It becomes an event stream only when a message has to be sent before the answer. */
export class ReplyStream {
  readonly #origin: Origin
  #events: EventStream | undefined
  #isGone = false
  #onLeave: (() => void) | undefined

  constructor(origin: Origin) {
    this.#origin = origin
  }

  /** Whether a stream is open or could be opened. */
  get canStream(): boolean {
    return this.#events !== undefined || (this.#origin.stream !== undefined && acceptsEvents(this.#origin.head))
  }

  get isOpen(): boolean {
    return this.#events !== undefined
  }

  /** Sends a message (JSON text) before the answer. False where the client accepts no stream, or has closed its connection. */
  write(message: string): boolean {
    if (!this.canStream || this.#isGone) return false
    this.#events ??= this.#origin.stream?.({})
    if (this.#events?.isClosed !== false) return false
    this.#events.write(sseEvent(message))
    return true
  }

  /** Undefined while the client takes what is written; else resolves when it has taken all, or is gone. */
  drained(): Promise<void> | undefined {
    return this.#events?.drained()
  }

  /** Takes note that the client has closed its connection. */
  leave(): void {
    this.#isGone = true
    this.#onLeave?.()
  }

  /** Calls back when the client closes its connection, at once if it already has. There is one listener at a time. */
  onLeave(listener: (() => void) | undefined): void {
    this.#onLeave = listener
    if (this.#isGone) listener?.()
  }

  get remote(): string {
    return this.#origin.head.remote
  }

  /** Ends an open stream, after the answer if there is one. */
  end(body?: string): void {
    if (body !== undefined) this.#events?.write(sseEvent(body))
    this.#events?.end()
  }

  /** Ends the reply without an answer, when the client no longer waits for one. */
  abandon(): void {
    this.#events ??= this.#origin.stream?.({})
    this.#events?.end()
  }
}
