/** How much may be under way at a time. */
interface Bounds {
  readonly requests: number
  /** Of these, to proxies that did not answer last time. */
  readonly silent: number
  /** That the answers may have together. */
  readonly bytes: number
}

/** A request for the place that it takes. */
export interface Place {
  readonly isSilent: boolean
  readonly bytes: number
}

const mebibyte = 1024 * 1024

/** Nobody's silent proxies take the room of others, and silent ones together no more than half. */
export const boundsOfAll: Bounds = { requests: 16, silent: 8, bytes: 16 * mebibyte }
export const boundsOfNamespace: Bounds = { requests: 8, silent: 2, bytes: 8 * mebibyte }
export const boundsOfGateway: Bounds = { requests: 4, silent: 2, bytes: 4 * mebibyte }

/**
 * What one of several may take of what they share: places, and turns. Turns go by `turnMs`, the least first; it goes on with all that was
 * done for this one, and one that has waited saves nothing up.
 */
export class Share {
  /** On a clock that those have for themselves who share. */
  turnMs = 0
  readonly #bounds: Bounds
  #requests = 0
  #silent = 0
  #bytes = 0
  /** The clock of those who share this share. */
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

  /** It is the turn of this one of those who share, whose next comes so much later. */
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
