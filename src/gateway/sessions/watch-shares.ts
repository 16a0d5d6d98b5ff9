/** Characters of all URIs together that one caller may be subscribed to, through all its streams and sessions; a server has room for more. */
const maxCallerChars = 256 * 1024

/** Bounds how much of the room for subscriptions, which all callers share, each of them takes. */
export interface WatchShares {
  /** Takes room for URIs; the returned function gives it back. Undefined where the caller has no room left. */
  take(caller: string, uris: readonly string[]): (() => void) | undefined
}

export function createWatchShares(): WatchShares {
  /** Characters by caller; at most as many callers as have streams and sessions. */
  const taken = new Map<string, number>()
  return {
    take(caller, uris) {
      const chars = uris.reduce((sum, uri) => sum + uri.length, 0)
      if (chars === 0) return () => {}
      const before = taken.get(caller) ?? 0
      if (before + chars > maxCallerChars) return undefined
      taken.set(caller, before + chars)
      let isGiven = false
      return () => {
        if (isGiven) return
        isGiven = true
        const left = (taken.get(caller) ?? chars) - chars
        if (left > 0) taken.set(caller, left)
        else taken.delete(caller)
      }
    },
  }
}
