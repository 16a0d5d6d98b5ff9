/** Which names there have been, and waits for those that are yet to come. */
export interface Arrivals {
  /** Whether it was ever added, as far as is remembered, or nobody else may wait. */
  isKnown(name: string): boolean
  /** Resolves when the name is added, or after two seconds, or `maxMs`. */
  wait(name: string, maxMs?: number): Promise<void>
  add(names: readonly string[]): void
  /** Nobody waits any longer. */
  close(): void
}

const waitMs = 2000
/** Of those that are not among the latest, so many are remembered: the longest unseen are forgotten. */
const maxKnown = 1000
const maxWaiting = 1000

export function createArrivals(): Arrivals {
  const known = new Set<string>()
  const waiting = new Map<() => void, string>()
  return {
    isKnown: (name) => known.has(name) || waiting.size >= maxWaiting,
    wait: (name, maxMs = waitMs) =>
      new Promise((resolve) => {
        const end = () => {
          clearTimeout(timer)
          waiting.delete(end)
          resolve()
        }
        const timer = setTimeout(end, Math.min(waitMs, maxMs)).unref()
        waiting.set(end, name)
      }),
    add(names) {
      for (const name of names) {
        known.delete(name)
        known.add(name)
      }
      for (const oldest of known) {
        if (known.size <= names.length + maxKnown) break
        known.delete(oldest)
      }
      for (const [end, name] of waiting) if (known.has(name)) end()
    },
    close() {
      for (const end of waiting.keys()) end()
    },
  }
}
