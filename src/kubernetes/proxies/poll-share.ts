/** How many requests may be under way at a time. */
interface Bounds {
  readonly requests: number
  /** The most of these to proxies that did not answer the last time. */
  readonly silent: number
  /** The most bytes that their answers may have together. */
  readonly bytes: number
}

/** A request, as far as it counts against the bounds. */
export interface Place {
  readonly isSilent: boolean
  readonly bytes: number
}

const mebibyte = 1024 * 1024

/**
 * Bounds such that proxies which do not answer take no more than half of all requests, and those of one namespace no more than a part of
 * that half.
 */
export const boundsOfAll: Bounds = { requests: 16, silent: 8, bytes: 16 * mebibyte }
export const boundsOfNamespace: Bounds = { requests: 8, silent: 2, bytes: 8 * mebibyte }
export const boundsOfGateway: Bounds = { requests: 4, silent: 2, bytes: 4 * mebibyte }

/**
 * The share of one of several who share the requests: its bound and its turns. Who has the least `turnMs` is next; each request adds to it
 * what it cost. Who had nothing to ask for a while does not save up turns.
 */
export class Share {
  /** On a clock of the share that contains this one. */
  turnMs = 0
  readonly #bounds: Bounds
  #requests = 0
  #silent = 0
  #bytes = 0
  /** The clock of the shares inside this one. */
  #clockMs = 0

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  hasRoom({ isSilent, bytes }: Place): boolean {
    const { requests, silent } = this.#bounds
    return this.#requests < requests && (!isSilent || this.#silent < silent) && this.#bytes + bytes <= this.#bounds.bytes
  }

  take(place: Place): void {
    this.#count(place, 1)
  }

  giveBack(place: Place): void {
    this.#count(place, -1)
  }

  isIdle(): boolean {
    return this.#requests === 0
  }

  /** Gives a turn to one of the shares inside this one; its next comes this much later. */
  giveTurn(inner: Share, costMs: number): void {
    this.#clockMs = Math.max(this.#clockMs, inner.turnMs)
    inner.turnMs = this.#clockMs + costMs
  }

  #count({ isSilent, bytes }: Place, sign: 1 | -1): void {
    this.#requests += sign
    if (isSilent) this.#silent += sign
    this.#bytes += sign * bytes
  }
}
