/** Characters of the URIs that one caller may be subscribed to at a time, through all its streams and sessions: a server has room for some of them. */
const maxCallerChars = 256 * 1024

/** What each caller takes of the room for subscriptions that all share. */
export interface WatchShares {
  /** Takes room for URIs; gives it back when the returned function is called. Undefined where the caller has no more. */
  take(caller: string, uris: readonly string[]): (() => void) | undefined
}

export function createWatchShares(): WatchShares {
  /** Callers that have something: as many as have streams and sessions. */
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
