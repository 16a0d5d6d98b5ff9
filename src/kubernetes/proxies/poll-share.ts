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
 * Bounds such that proxies that do not answer take at most half of all requests, and those of one namespace at most a quarter of that half.
 */
export const boundsOfAll: Bounds = { requests: 16, silent: 8, bytes: 16 * mebibyte }
export const boundsOfNamespace: Bounds = { requests: 8, silent: 2, bytes: 8 * mebibyte }
export const boundsOfGateway: Bounds = { requests: 4, silent: 2, bytes: 4 * mebibyte }

/**
 * What a Gateway, a namespace or all of them may take of the requests at a time, and when it is their turn. Of the Gateways of a namespace,
 * and of the namespaces, the one with the least `turnMs` is next, which grows by what each request cost. One that asked nothing for a while
 * does not save up turns.
 */
export class Share {
  /** Its turn, on a clock that all shares inside the same one have. */
  turnMs = 0
  readonly #bounds: Bounds
  #requests = 0
  #silent = 0
  #bytes = 0
  /** That clock of the shares inside this one. */
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
