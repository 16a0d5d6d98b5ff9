import type { ApiClient, ApiReply } from './api-client.ts'
import { statusText } from './api-status.ts'
import { backoffMs } from './backoff.ts'
import type { Collection } from './collection.ts'
import { listCollection } from './list-collection.ts'
import { type SetTimer, type WatchEnd, watchCollection } from './watch-collection.ts'

/**
 * - `starting`: no answer has come yet.
 * - `synced`: the known objects are those that the server has, and changes arrive.
 * - `absent`: the server does not serve this kind, so there are no objects.
 * - `forbidden`: the server refuses access (403); the objects known before are kept.
 * - `interrupted`: the server can't be reached or fails; the objects known before are kept.
 */
export type FollowState = 'starting' | 'synced' | 'absent' | 'forbidden' | 'interrupted'

/** Handlers of changes. An error that a handler throws becomes an uncaught exception of the process; following goes on. */
export interface FollowHandlers {
  /** Called with all objects that there are; those known before and not among them are gone. */
  onReset(objects: readonly unknown[]): void
  /** Called with an object that is new or has changed. */
  onSet(object: unknown): void
  /** Called with the last content of an object that was deleted. */
  onDelete(object: unknown): void
  /** Called on each change of the state or its detail; the detail is for people and stands in the middle of a sentence. */
  onState(state: FollowState, detail?: string): void
}

export interface FollowLog {
  info(fields: Readonly<Record<string, unknown>>, msg: string): void
  warn(fields: Readonly<Record<string, unknown>>, msg: string): void
}

export interface FollowDeps {
  /** A random number in [0, 1). */
  random(): number
  readonly log: FollowLog
  /** Starts timers; where absent, those of Node, which do not keep the process alive. */
  readonly setTimer?: SetTimer
  /** A clock in ms from any origin; where absent, performance.now(). */
  readonly now?: () => number
}

export interface Follower {
  readonly state: FollowState
  /** Ends following; no handler is called afterwards. */
  close(): void
}

/** A watch that lasted this long resets the count of failures before it. */
const healthyMs = 10_000
/**
 * After a watch was resumed, how long to wait until the state is `synced` again: a server that can't resume from that resourceVersion says
 * so at once.
 */
const settledMs = 1000
/** How long to wait until a kind that is not served is requested again; 0.8 to 1.2 times this. */
const absentMs = 5000
/**
 * How long a kind that was served before may be missing before its objects count as gone: an API server that has just started may not know
 * all kinds yet.
 */
const missedMs = 1500

/**
 * Follows one collection until it is closed, through restarts of the server, lost connections and expired resourceVersions. Only where the
 * server can't resume from the last known resourceVersion, all objects are read again, and `onReset` replaces the known ones. Between two
 * attempts lie at most 30 s, or 90 s where the server asks for a longer pause.
 */
export function follow(client: ApiClient, collection: Collection, handlers: FollowHandlers, deps: FollowDeps): Follower {
  const { random, log, setTimer = startTimer, now = () => performance.now() } = deps
  const { group, plural, namespace, name } = collection
  const fields = { resource: group === '' ? plural : `${plural}.${group}`, namespace, name }
  let state: FollowState = 'starting'
  let detail: string | undefined
  /** The resourceVersion from which the next watch is resumed; undefined: all objects have to be read. */
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
        // The next attempt tries a streaming list again: what looked like a server without them may have been an outage.
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

  /** Notes how a watch ended. Returns the milliseconds until the next attempt. */
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
      // The server does not understand the resourceVersion.
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

  /**
   * The resourceVersion has expired. That shows that the server can be reached, so earlier failures no longer count; only resourceVersions
   * that expire several times in a row lengthen the pause.
   */
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
