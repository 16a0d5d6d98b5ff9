import { type EventStream, type Head, sseEvent } from '../../mcp/mcp.ts'
import { acceptsEvents } from './negotiate.ts'

/** Where a message came from: an exchange, or a place in a batch, which can't be streamed to. */
export interface Origin {
  readonly head: Head
  readonly requestId: string
  onGone?(listener: () => void): void
  readonly stream: ((headers: Readonly<Record<string, string>>) => EventStream) | undefined
}

/** The reply to one request, which becomes a stream only when something comes before the answer. */
export class ReplyStream {
  readonly #origin: Origin
  #events: EventStream | undefined
  #isGone = false
  #onLeave: (() => void) | undefined

  constructor(origin: Origin) {
    this.#origin = origin
  }

  /** Whether a stream is there or could be opened. */
  get canStream(): boolean {
    return this.#events !== undefined || (this.#origin.stream !== undefined && acceptsEvents(this.#origin.head))
  }

  get isOpen(): boolean {
    return this.#events !== undefined
  }

  /** Sends a message (JSON text) before the answer; false where the client takes no stream, or has gone. */
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

  /** The client has gone. */
  leave(): void {
    this.#isGone = true
    this.#onLeave?.()
  }

  /** Calls back when the client has gone: at once where it has. One listener at a time. */
  onLeave(listener: (() => void) | undefined): void {
    this.#onLeave = listener
    if (this.#isGone) listener?.()
  }

  get remote(): string {
    return this.#origin.head.remote
  }

  /** Ends an open stream, with the answer where there is one. */
  end(body?: string): void {
    if (body !== undefined) this.#events?.write(sseEvent(body))
    this.#events?.end()
  }

  /** Ends the reply where nobody waits for an answer any more. */
  abandon(): void {
    this.#events ??= this.#origin.stream?.({})
    this.#events?.end()
  }
}
