import type { Dispatcher } from 'undici'

type Controller = Pick<Dispatcher.DispatchController, 'pause' | 'resume'>

/** How many messages one stream may bring at once, and how many more each second. */
const burst = 2000
const perSecond = 1000
/** How many bytes, and how many lines, count as one message: comments and events that never end take time too. */
const bytesPerToken = 16 * 1024
const linesPerToken = 16

/** What one chunk of a stream held. */
export interface Load {
  readonly messages: number
  readonly lines: number
  readonly bytes: number
}

/**
 * Bounds how fast one event stream is read: no faster than its client takes the messages, and no faster than `perSecond`, so that one
 * server can't take the time of all others. While the stream is held, the connection is not read, and TCP makes the server wait.
 */
export class Pace {
  #tokens = burst
  #at: number
  #heldSince: number | undefined
  #heldMs = 0
  readonly #now: () => number
  readonly #onHeld: ((ms: number) => void) | undefined

  /**
   * @param now performance.now() or alike, in ms
   * @param onHeld called each time that the wait for a client is over, with how long it was, in ms
   */
  constructor(now: () => number, onHeld?: (ms: number) => void) {
    this.#now = now
    this.#onHeld = onHeld
    this.#at = now()
  }

  /** Whether the stream waits for its client. */
  get isHeld(): boolean {
    return this.#heldSince !== undefined
  }

  /** How long the stream has waited for its client in all, in ms. */
  get heldMs(): number {
    return this.#heldMs + (this.#heldSince === undefined ? 0 : this.#now() - this.#heldSince)
  }

  /**
   * Counts a chunk, and holds the stream where it has to wait.
   * @param drained resolves when the client has taken the messages of the chunk; undefined where it has already
   */
  took(controller: Controller, { messages, lines, bytes }: Load, drained: Promise<void> | undefined): void {
    const now = this.#now()
    const cost = messages + lines / linesPerToken + bytes / bytesPerToken
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1000) * perSecond) - cost
    this.#at = now
    if (drained !== undefined) {
      controller.pause()
      this.#heldSince = now
      void drained.then(() => {
        const ms = this.#now() - now
        this.#heldMs += ms
        this.#heldSince = undefined
        this.#onHeld?.(ms)
        controller.resume()
      })
    } else if (this.#tokens < 0) {
      controller.pause()
      setTimeout(() => controller.resume(), (-this.#tokens / perSecond) * 1000).unref()
    }
  }
}
