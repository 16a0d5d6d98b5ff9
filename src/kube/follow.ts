import type { ApiClient, ApiReply } from './api-client.ts'
import { statusText } from './api-status.ts'
import { backoffMs } from './backoff.ts'
import type { Collection } from './collection.ts'
import { listCollection } from './list-collection.ts'
import { type SetTimer, type WatchEnd, watchCollection } from './watch-collection.ts'

/**
 * - `starting`: nothing is known yet.
 * - `synced`: what is known is what the server has, and changes arrive.
 * - `absent`: the server doesn't serve this kind, so there are no objects.
 * - `forbidden`: the server doesn't say what there is; `interrupted`: it can't be heard. What is known stays.
 */
export type FollowState = 'starting' | 'synced' | 'absent' | 'forbidden' | 'interrupted'

/** What a handler throws becomes an uncaught exception of the process; the following goes on. */
export interface FollowHandlers {
  /** These, and no others, are the objects. */
  onReset(objects: readonly unknown[]): void
  /** New or changed. */
  onSet(object: unknown): void
  /** Its last content. */
  onDelete(object: unknown): void
  /** On each change of the state or its detail, which is a sentence's part for people. */
  onState(state: FollowState, detail?: string): void
}

export interface FollowLog {
  info(fields: Readonly<Record<string, unknown>>, msg: string): void
  warn(fields: Readonly<Record<string, unknown>>, msg: string): void
}

export interface FollowDeps {
  /** From 0 up to but without 1. */
  random(): number
  readonly log: FollowLog
  /** Timers that don't keep the process alive, where absent. */
  readonly setTimer?: SetTimer
  /** Milliseconds, from any origin. */
  readonly now?: () => number
}

export interface Follower {
  readonly state: FollowState
  /** No handler is called afterwards. */
  close(): void
}

/** A watch of this length makes up for the failures before it. */
const healthyMs = 10_000
/** Until a server that has taken up a watch counts as able to go on from where it was asked to: if not, it says so at once. */
const settledMs = 1000
/** Until a kind that isn't served is asked for again; 0.8 to 1.2 of it. */
const absentMs = 5000
/** Until a kind that was there a moment ago counts as gone: a server that has just started may not know all kinds yet. */
const missedMs = 1500

/**
 * Keeps up with one collection until it is closed, through restarts of the server, lost connections and expired versions. Everything is
 * read anew only where the server can't go on from the last known version; then `onReset` replaces what is known at once. At most 30 s
 * lie between two attempts, or a minute and a half where the server asks for patience.
 */
export function follow(client: ApiClient, collection: Collection, handlers: FollowHandlers, deps: FollowDeps): Follower {
  const { random, log, setTimer = startTimer, now = () => performance.now() } = deps
  const { group, plural, namespace, name } = collection
  const fields = { resource: group === '' ? plural : `${plural}.${group}`, namespace, name }
  let state: FollowState = 'starting'
  let detail: string | undefined
  /** Where the server goes on; undefined: all is to be read. */
  let revision: string | undefined
  let isFilled = false
  let hasWatchList = true
  let failures = 0
  let expiries = 0
  let misses = 0
  let openedAt = Number.POSITIVE_INFINITY
  let attempt = new AbortController()
  let endPause = () => {}
  let cancelSettling = () => {}
  let isClosed = false

  function tell(run: () => void): void {
    if (isClosed) return
    try {
      run()
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }

  function enter(next: FollowState, text?: string): void {
    if (isClosed || (next === state && text === detail)) return
    const before = state
    state = next
    detail = text
    if (next !== before) {
      if (next === 'forbidden' || next === 'interrupted') log.warn({ ...fields, text }, `following is ${next}`)
      else if (next === 'absent' || before !== 'starting') log.info(fields, `following is ${next}`)
    }
    tell(() => handlers.onState(next, text))
  }

  function fill(objects: readonly unknown[], at: string): void {
    revision = at
    isFilled = true
    misses = 0
    tell(() => handlers.onReset(objects))
    enter('synced')
  }

  function advance(at: string): void {
    revision = at
    enter('synced')
  }

  async function attemptOnce(): Promise<WatchEnd> {
    openedAt = Number.POSITIVE_INFINITY
    attempt = new AbortController()
    if (revision === undefined && !hasWatchList) {
      const listed = await listCollection(client, collection, attempt.signal)
      if (listed.kind !== 'listed') {
        // Perhaps it was an outage that looked like a server without streaming lists.
        hasWatchList = true
        return listed
      }
      if (isClosed) return { kind: 'ended' }
      fill(listed.objects, listed.revision)
    }
    return await watchCollection(
      client,
      collection,
      {
        onOpen() {
          openedAt = now()
          misses = 0
          if (revision !== undefined && state !== 'synced') cancelSettling = setTimer(() => enter('synced'), settledMs)
        },
        onInitial: fill,
        onSet(object, at) {
          advance(at)
          tell(() => handlers.onSet(object))
        },
        onDelete(object, at) {
          advance(at)
          tell(() => handlers.onDelete(object))
        },
        onBookmark: advance,
      },
      { from: revision, random, setTimer, attempt },
    )
  }

  /** Milliseconds until the next attempt. */
  function conclude(end: WatchEnd): number {
    const wasHealthy = now() - openedAt >= healthyMs
    if (wasHealthy) {
      failures = 0
      expiries = 0
    }
    switch (end.kind) {
      case 'ended':
        return wasHealthy ? 0 : fail('the API server ended the watch early')
      case 'no-initial-end':
        return list('ignores sendInitialEvents')
      case 'expired':
        return expire(end.text)
      case 'error':
        return fail(end.text, end.retryAfterMs)
      case 'unreachable':
        return fail(end.text)
      case 'reply':
        return concludeReply(end)
    }
  }

  function concludeReply(reply: ApiReply & { readonly kind: 'reply' }): number {
    const { status, body, retryAfterMs } = reply
    const text = `the API server answers ${status}: ${statusText(body) ?? 'no message'}`
    if (status === 404) return miss(text)
    if (status === 403) return fail(text, retryAfterMs, 'forbidden')
    if (status === 410) return expire(text)
    if (status === 400 || status === 422) {
      if (revision === undefined && hasWatchList) return list('refuses sendInitialEvents')
      // It can't make anything of the version.
      if (revision !== undefined) return expire(text)
    }
    return fail(text, retryAfterMs)
  }

  function list(why: string): number {
    hasWatchList = false
    log.info({ ...fields, why }, 'following by list and watch')
    return 0
  }

  function miss(text: string): number {
    if (isFilled && misses++ === 0) {
      enter('interrupted', text)
      return missedMs
    }
    failures = 0
    revision = undefined
    if (state !== 'absent') tell(() => handlers.onReset([]))
    isFilled = false
    enter('absent')
    return absentMs * (0.8 + 0.4 * random())
  }

  /** The server is there: the failures before it don't count, only the versions that expired in a row. */
  function expire(text: string): number {
    revision = undefined
    failures = expiries++
    return fail(text)
  }

  function fail(text: string, retryAfterMs?: number, next: FollowState = 'interrupted'): number {
    failures++
    misses = 0
    enter(next, text)
    return backoffMs(failures, random, retryAfterMs)
  }

  async function run(): Promise<void> {
    while (!isClosed) {
      const end = await attemptOnce()
      cancelSettling()
      if (isClosed) return
      const ms = conclude(end)
      if (ms === 0 || isClosed) continue
      await new Promise<void>((resolve) => {
        const cancel = setTimer(resolve, ms)
        endPause = () => {
          cancel()
          resolve()
        }
      })
    }
  }

  void run()
  return {
    get state() {
      return state
    },
    close() {
      isClosed = true
      attempt.abort()
      endPause()
    },
  }
}

function startTimer(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms).unref()
  return () => clearTimeout(timer)
}
