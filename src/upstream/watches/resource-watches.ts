import type { Timers } from '../server/server.ts'

/** One watcher's part in the shared subscription to a resource. */
export interface Watch {
  /** Resolves with whether the server accepted the subscription, within a bounded time. */
  readonly isGranted: Promise<boolean>
  stop(): void
}

/** The watchers of one server's resources. */
export interface Watches {
  watch(uri: string, onUpdate: (uri: string) => void): Watch
  /** The URIs that somebody watches. */
  uris(): readonly string[]
  count(): number
  has(uri: string): boolean
  /** Takes the server's answer for a URI. Watchers get an update where the answer is better than before, or updates may have been lost. */
  settle(uri: string, isGranted: boolean): void
  /** Answers `false` to those who wait for the server's answer on one URI or, without it, on any. */
  giveUp(uri?: string): void
  /** Takes an update of a resource, or of one below it. */
  updated(uri: string): void
  /** Takes note that updates do not arrive for the time being, so that some may be lost. */
  lost(): void
}

interface Entry {
  readonly watchers: Set<Watcher>
  readonly waiting: Set<(isGranted: boolean) => void>
  state: 'asked' | 'granted' | 'refused' | 'lost'
  /** The URIs that were updated since the watchers were last told. */
  readonly updated: Set<string>
}

interface Watcher {
  readonly onUpdate: (uri: string) => void
}

/** Bound of the URIs of one server. The watchers of one URI are bounded by the clients' open streams. */
export const maxUris = 10_000
/** Bound of the characters of all URIs together, since servers bound the size of a request. */
const maxTotalChars = 2 * 1024 * 1024
const maxUriChars = 8192
/** Updates of one URI within this time are told to its watchers together. */
const updateMs = 100
/** How many updated resources below a watched URI are named; if there are more, the watched URI itself is told. */
const maxUpdated = 32
/** How many levels above an updated URI are looked up. */
const maxLevels = 64

/** @param onWanted called when a URI is to be subscribed to, or is no longer watched by anybody */
export function createWatches(timers: Timers, patienceMs: number, onWanted: (uri: string) => void): Watches {
  const entries = new Map<string, Entry>()
  /** How many watched URIs there are of each length, so that for an updated URI only parents of such a length are looked up. */
  const lengths = new Map<number, number>()
  let chars = 0

  function answer(uri: string, entry: Entry, isGranted: boolean): void {
    timers.cancel(`grant ${uri}`)
    if (!isGranted && entry.state === 'asked') entry.state = 'refused'
    for (const resolve of entry.waiting) resolve(isGranted)
    entry.waiting.clear()
  }

  function tell(uri: string, entry: Entry, updated: string): void {
    if (entry.updated.size <= maxUpdated) entry.updated.add(updated)
    timers.start(`update ${uri}`, updateMs, () => {
      const all = entry.updated.size > maxUpdated ? [uri] : [...entry.updated]
      entry.updated.clear()
      for (const one of all) for (const watcher of [...entry.watchers]) watcher.onUpdate(one)
    })
  }

  function count(length: number, change: number): void {
    chars += length * change
    const same = (lengths.get(length) ?? 0) + change
    if (same === 0) lengths.delete(length)
    else lengths.set(length, same)
  }

  function open(uri: string): Entry | undefined {
    if (entries.size === maxUris || uri.length > maxUriChars || chars + uri.length > maxTotalChars) return undefined
    count(uri.length, 1)
    const entry: Entry = { watchers: new Set(), waiting: new Set(), state: 'asked', updated: new Set() }
    entries.set(uri, entry)
    return entry
  }

  function close(uri: string, entry: Entry): void {
    entries.delete(uri)
    count(uri.length, -1)
    timers.cancel(`update ${uri}`)
    answer(uri, entry, false)
    onWanted(uri)
  }

  return {
    watch(uri, onUpdate) {
      const entry = entries.get(uri) ?? open(uri)
      if (entry === undefined) return { isGranted: Promise.resolve(false), stop() {} }
      const watcher: Watcher = { onUpdate }
      entry.watchers.add(watcher)
      const stop = () => {
        if (entry.watchers.delete(watcher) && entry.watchers.size === 0) close(uri, entry)
      }
      if (entry.state === 'granted') return { isGranted: Promise.resolve(true), stop }
      const isAsked = entry.waiting.size > 0
      const isGranted = new Promise<boolean>((resolve) => entry.waiting.add(resolve))
      timers.start(`grant ${uri}`, patienceMs, () => answer(uri, entry, false))
      if (!isAsked) onWanted(uri)
      return { isGranted, stop }
    },
    uris: () => [...entries.keys()],
    count: () => entries.size,
    has: (uri) => entries.has(uri),
    settle(uri, isGranted) {
      const entry = entries.get(uri)
      if (entry === undefined) return
      const before = entry.state
      entry.state = isGranted ? 'granted' : 'refused'
      answer(uri, entry, isGranted)
      if (before === 'lost' || (before === 'refused' && isGranted)) tell(uri, entry, uri)
    },
    giveUp(uri) {
      for (const one of uri === undefined ? [...entries.keys()] : [uri]) {
        const entry = entries.get(one)
        if (entry !== undefined) answer(one, entry, false)
      }
    },
    updated(updated) {
      if (updated.length > maxUriChars) return
      const told = (length: number) => {
        if (!lengths.has(length)) return
        const uri = updated.slice(0, length)
        const entry = entries.get(uri)
        if (entry !== undefined) tell(uri, entry, updated)
      }
      told(updated.length)
      let slash = updated.lastIndexOf('/')
      for (let levels = 0; slash > 0 && levels < maxLevels; levels++) {
        told(slash)
        if (slash + 1 < updated.length) told(slash + 1)
        slash = updated.lastIndexOf('/', slash - 1)
      }
    },
    lost() {
      for (const entry of entries.values()) if (entry.state === 'granted') entry.state = 'lost'
    },
  }
}
