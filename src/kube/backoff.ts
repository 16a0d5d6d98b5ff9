const firstMs = 200
const maxMs = 30_000
/** A server's wish beyond this is not heeded, lest one bad reply blinds for hours. */
const maxRetryAfterMs = 60_000

/**
 * Milliseconds to wait after so many failures in a row: any share of a window that doubles from 0.2 s to 30 s, so that those who failed
 * together don't come back together; on top of what the server asked for.
 * @param random from 0 up to but without 1
 */
export function backoffMs(failures: number, random: () => number, retryAfterMs = 0): number {
  return Math.min(retryAfterMs, maxRetryAfterMs) + random() * Math.min(maxMs, firstMs * 2 ** Math.max(0, failures - 1))
}
