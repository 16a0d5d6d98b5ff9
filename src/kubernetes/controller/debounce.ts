/** Calls in quick succession that run once. */
export interface Debounced {
  trigger(): void
  close(): void
}

/** Calls `run` once no `trigger` has come for `quietMs`, at the latest `maxMs` after the first that is waiting. */
export function debounce(run: () => void, { quietMs, maxMs }: { readonly quietMs: number; readonly maxMs: number }): Debounced {
  let quiet: NodeJS.Timeout | undefined
  let latest: NodeJS.Timeout | undefined
  let isClosed = false
  const stop = () => {
    clearTimeout(quiet)
    clearTimeout(latest)
    quiet = undefined
    latest = undefined
  }
  const fire = () => {
    stop()
    run()
  }
  return {
    trigger() {
      if (isClosed) return
      clearTimeout(quiet)
      quiet = setTimeout(fire, quietMs)
      latest ??= setTimeout(fire, maxMs)
    },
    close() {
      isClosed = true
      stop()
    },
  }
}
