import type { Dispatcher } from 'undici'

type Controller = Pick<Dispatcher.DispatchController, 'pause' | 'resume'>

/** What one stream may bring at once: a thousand messages, and as many again each second. */
const burst = 2000
const perSecond = 1000
/** Bytes, and lines, that cost as much as a message: comments and events that never end are work too. */
const bytesPerToken = 16 * 1024
const linesPerToken = 16

/** What one chunk of a stream brought. */
export interface Load {
  readonly messages: number
  readonly lines: number
  readonly bytes: number
}

/**
 * How fast one event stream is read: as its client takes what came, and no faster than anybody could use, so that one server can't take the
 * time of all others. In between the connection is not read, and TCP makes the server wait.
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
   * @param onHeld told how long a client was waited for, in ms, each time that it is waited for no more
   */
  constructor(now: () => number, onHeld?: (ms: number) => void) {
    this.#now = now
    this.#onHeld = onHeld
    this.#at = now()
  }

  /** Whether a client is waited for. */
  get isHeld(): boolean {
    return this.#heldSince !== undefined
  }

  /** How long clients have been waited for in all, in ms. */
  get heldMs(): number {
    return this.#heldMs + (this.#heldSince === undefined ? 0 : this.#now() - this.#heldSince)
  }

  /**
   * Takes note of a chunk, and holds the stream where it has to wait.
   * @param drained resolves when the client has taken what the chunk brought; undefined where it has
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
