/** What one stream may send before it has to wait: a thousand messages, and as many again each second. */
const burst = 2000
const perSecond = 1000
/** Bytes that cost as much as a message: comments and empty events are work too. */
const bytesPerToken = 16 * 1024

/** Tells when a stream sends more than anybody could use, so that one server can't take the time of all others. */
export class FloodGate {
  #tokens = burst
  #at: number
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
    this.#at = now()
  }

  /** False: too much. */
  take(messages: number, bytes: number): boolean {
    const now = this.#now()
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1000) * perSecond) - messages - bytes / bytesPerToken
    this.#at = now
    return this.#tokens >= 0
  }
}
