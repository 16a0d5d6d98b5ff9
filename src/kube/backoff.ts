const firstMs = 200
const maxMs = 30_000
/** Bound of the wait that a server may ask for by `Retry-After`, so that one bad reply does not stop updates for hours. */
const maxRetryAfterMs = 60_000

/**
 * Milliseconds to wait after a number of failures in a row: what the server asked for, plus a random part of a window that doubles from 0.2
 * s to 30 s. It is random so that clients that failed together do not come back together.
 * @param random in [0, 1)
 */
export function backoffMs(failures: number, random: () => number, retryAfterMs = 0): number {
  return Math.min(retryAfterMs, maxRetryAfterMs) + random() * Math.min(maxMs, firstMs * 2 ** Math.max(0, failures - 1))
}
