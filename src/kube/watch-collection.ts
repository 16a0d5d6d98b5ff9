import type { ApiClient, ApiReply } from './api-client.ts'
import { type Collection, pathOf, selectorOf } from './collection.ts'
import { readWatchEvent } from './watch-event.ts'

/** Starts a timer, and returns a function that cancels it. */
export type SetTimer = (run: () => void, ms: number) => () => void

export interface WatchHandlers {
  /** Called when the server has accepted the watch. */
  onOpen(): void
  /** Called once with all objects that there are, before any other event; only in a watch without `from`. */
  onInitial(objects: readonly unknown[], revision: string): void
  onSet(object: unknown, revision: string): void
  onDelete(object: unknown, revision: string): void
  onBookmark(revision: string): void
}

export interface WatchOptions {
  /** The resourceVersion from which the watch is resumed; absent: all objects are sent first. */
  readonly from: string | undefined
  readonly random: () => number
  readonly setTimer: SetTimer
  /** Ends the watch when it is aborted. */
  readonly attempt: AbortController
}

/**
 * Why a watch is over. `ended`: its time, which the request set, was over. `no-initial-end`: the server did not say within a bounded time
 * that all initial objects had come.
 */
export type WatchEnd =
  | { readonly kind: 'ended' }
  | { readonly kind: 'no-initial-end' }
  | { readonly kind: 'expired'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string; readonly retryAfterMs: number | undefined }
  | ApiReply

/** Bounds of the time that the server is asked to keep a watch open. It is random, so that watches do not all end together. */
const minSeconds = 240
const maxSeconds = 300
/** How much longer than that a silent watch is waited for. */
const stallMs = 30_000
/** A server that sends nothing for this long before the end of the initial events does not support streaming lists. */
const initialQuietMs = 10_000
/** How many such periods the initial events may take, even if events keep coming. */
const maxInitialLooks = 6

/**
 * Runs one watch until it is over. Without `from` it is a streaming list (API concepts, "Streaming lists"): `onInitial` gets all objects at
 * once when the server says that the initial ones are complete.
 */
export async function watchCollection(
  client: ApiClient,
  collection: Collection,
  handlers: WatchHandlers,
  { from, random, setTimer, attempt }: WatchOptions,
): Promise<WatchEnd> {
  const seconds = minSeconds + Math.floor(random() * (maxSeconds - minSeconds + 1))
  const start = from === undefined ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' } : { resourceVersion: from }
  const stream = await client.stream({
    path: pathOf(collection),
    query: { ...selectorOf(collection), watch: '1', allowWatchBookmarks: 'true', timeoutSeconds: String(seconds), ...start },
    signal: attempt.signal,
    stallMs: seconds * 1000 + stallMs,
  })
  if (stream.kind !== 'stream') return stream
  handlers.onOpen()

  let initial = from === undefined ? new Map<string, unknown>() : undefined
  let lines = 0
  let isQuiet = false
  let cancel = () => {}
  const look = (before: number, looks: number) => {
    cancel = setTimer(() => {
      if (lines > before && looks < maxInitialLooks) return look(lines, looks + 1)
      isQuiet = true
      attempt.abort()
    }, initialQuietMs)
  }
  if (initial !== undefined) look(0, 1)

  try {
    for await (const line of stream.lines) {
      if (isQuiet) return { kind: 'no-initial-end' }
      if (line.kind === 'end') return line.text === undefined ? { kind: 'ended' } : { kind: 'unreachable', text: line.text }
      lines++
      const event = readWatchEvent(line.value)
      if (event.kind === 'expired' || event.kind === 'error') return event
      const { revision } = event
      if (initial === undefined) {
        if (event.kind === 'set') handlers.onSet(event.object, revision)
        else if (event.kind === 'deleted') handlers.onDelete(event.object, revision)
        else handlers.onBookmark(revision)
      } else if (event.kind === 'set') initial.set(event.key, event.object)
      else if (event.kind === 'deleted') initial.delete(event.key)
      else if (event.endsInitialEvents) {
        cancel()
        handlers.onInitial([...initial.values()], revision)
        initial = undefined
      }
    }
    return { kind: 'ended' }
  } finally {
    cancel()
  }
}
