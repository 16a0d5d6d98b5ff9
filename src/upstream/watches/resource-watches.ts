import type { Timers } from '../server/server.ts'

/** A subscription to one resource, shared by all who want it. */
export interface Watch {
  /** Whether the server agreed, within a bounded time. */
  readonly isGranted: Promise<boolean>
  stop(): void
}

/** Who wants to hear of which resources of one server, whatever stream it tells of them on. */
export interface Watches {
  watch(uri: string, onUpdate: (uri: string) => void): Watch
  /** The URIs that somebody watches. */
  uris(): readonly string[]
  count(): number
  has(uri: string): boolean
  /** The server's word on a URI. Who was told otherwise before, or could have lost updates, hears of one. */
  settle(uri: string, isGranted: boolean): void
  /** Nobody waits any longer for the server's word on one URI, or on any: for now it is no. */
  giveUp(uri?: string): void
  /** The server tells of an update of a resource, or of one below it. */
  updated(uri: string): void
  /** The server tells of no updates for now, and those of the meantime are lost. */
  lost(): void
}

interface Entry {
  readonly watchers: Set<Watcher>
  readonly waiting: Set<(isGranted: boolean) => void>
  state: 'asked' | 'granted' | 'refused' | 'lost'
  /** What was updated since the watchers were told last. */
  readonly updated: Set<string>
}

interface Watcher {
  readonly onUpdate: (uri: string) => void
}

/** URIs of one server. Each watcher belongs to a client's open stream, of which `listen` bounds the number. */
export const maxUris = 10_000
/** Of all of them together: servers bound the size of a request. */
const maxTotalChars = 2 * 1024 * 1024
const maxUriChars = 8192
/** Updates of one URI within this time are one. */
const updateMs = 100
/** Resources below one URI that are told of by name; where it is more, the URI itself is. */
const maxUpdated = 32
/** Levels below a watched URI. */
const maxLevels = 64

/** @param onWanted hears that a URI is to be asked for, or nobody watches it any more */
export function createWatches(timers: Timers, patienceMs: number, onWanted: (uri: string) => void): Watches {
  const entries = new Map<string, Entry>()
  /** How many of them have which length: of a long URI with many levels only those are looked up that could be there. */
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
