/** Remembers the names of the endpoints that this process has been told of, and lets requests wait for one that it may be told of soon. */
export interface KnownEndpoints {
  /** Whether a name has been added and is not forgotten yet; also true where too many requests wait already. */
  isKnown(name: string): boolean
  /** Resolves when the name is added, or after two seconds, or `maxMs`. */
  wait(name: string, maxMs?: number): Promise<void>
  add(names: readonly string[]): void
  /** Ends all waiting. */
  close(): void
}

const waitMs = 2000
/** How many earlier names are remembered; the least recently added are forgotten. */
const maxKnown = 1000
const maxWaiting = 1000

export function createKnownEndpoints(): KnownEndpoints {
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
