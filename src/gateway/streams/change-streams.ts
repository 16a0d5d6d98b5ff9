import { type ChangeKind, changeKinds, type EventStream, type Refusal, refuse } from '../../mcp/mcp.ts'

/** A client that wants to hear when its lists become others. */
export interface ChangeStream<P> {
  /** What its lists are of. */
  readonly place: P
  /** The legacy session that it is of: only its newest stream gets messages, and none outlives it (2025-11-25, transports). */
  readonly session: string | undefined
  /** Who holds it, for the bound per caller. */
  readonly holder: string
  /** When the credential that it was opened with expires: milliseconds since 1970, or Infinity. */
  readonly expiresAtMs: number
  readonly events: EventStream
  /** The messages that say what changed, framed; a list that isn't there was not asked for. */
  readonly changed: Readonly<Partial<Record<ChangeKind, string>>>
  /** The message before a graceful end, framed, if the era has one. */
  readonly goodbye: string | undefined
  /** Called at every look while it is open: servers may have come and gone. */
  readonly onLook?: () => void
  /** Called once when it is over, however that came. */
  readonly onEnd?: () => void
}

/** The clients' open streams, each told once of a change of its own lists, however many notices led to it. */
export interface ChangeStreams<P> {
  /** Whether one more stream of this holder is within the bound. */
  mayOpen(holder: string): Refusal | undefined
  /** @param onGone tells when the client has closed it */
  add(stream: ChangeStream<P>, onGone: (listener: () => void) => void): void
  /** Tells every client whose lists have become others, and ends the streams of places that are gone. Resolves with how many were told or ended. */
  look(): Promise<number>
  /** Looks after the streams of one session only: a newer one has been opened. */
  tend(session: string): void
  endSession(session: string): void
  endAll(): void
  readonly size: number
}

/** What the lists of a place are now; undefined where it is gone, or closed to who holds the stream. */
export type Revisions = Readonly<Record<ChangeKind, string>>

/** How long other work waits at a time. */
const sliceMs = 10
/** Timers hold no longer time. */
const maxTimerMs = 2 ** 31 - 1

/**
 * @param now milliseconds since 1970
 * @param elapsed milliseconds of a clock that never goes back: what a slice of work is measured by
 */
export function createChangeStreams<P>(
  maxPerHolder: () => number,
  revisionsOf: (place: P) => Revisions | undefined,
  now: () => number = Date.now,
  onBug: (error: unknown) => void = () => {},
  elapsed: () => number = () => performance.now(),
): ChangeStreams<P> {
  const open = new Map<ChangeStream<P>, Revisions | undefined>()
  const holders = new Map<string, number>()

  const remove = (stream: ChangeStream<P>) => {
    if (!open.delete(stream)) return
    const left = (holders.get(stream.holder) ?? 1) - 1
    if (left > 0) holders.set(stream.holder, left)
    else holders.delete(stream.holder)
    stream.onEnd?.()
  }
  const end = (stream: ChangeStream<P>) => {
    if (stream.goodbye !== undefined) stream.events.push(stream.goodbye)
    stream.events.end()
    remove(stream)
  }
  /** Whether its client was told something. */
  const lookAt = (stream: ChangeStream<P>, told: Set<string>): boolean => {
    if (!open.has(stream)) return false
    if (stream.events.isClosed) {
      remove(stream)
      return false
    }
    const revisions = revisionsOf(stream.place)
    if (revisions === undefined) {
      end(stream)
      return true
    }
    const known = open.get(stream)
    stream.onLook?.()
    open.set(stream, revisions)
    const isOlder = stream.session !== undefined && told.has(stream.session)
    if (stream.session !== undefined) told.add(stream.session)
    if (isOlder) return false
    const messages = changeKinds.filter((kind) => revisions[kind] !== known?.[kind]).flatMap((kind) => stream.changed[kind] ?? [])
    for (const message of messages) stream.events.push(message)
    return messages.length > 0
  }
  let isLooking = false
  /** The look behind the one that is under way. */
  let due: PromiseWithResolvers<number> | undefined
  /** In slices: what each of many callers sees has to be found out. */
  const look = (): Promise<number> => {
    const done = due ?? Promise.withResolvers<number>()
    due = isLooking ? done : undefined
    if (isLooking) return done.promise
    isLooking = true
    let count = 0
    const told = new Set<string>()
    // The newest first.
    const waiting = [...open.keys()]
    const goOn = () => {
      const startedAt = elapsed()
      for (let stream = waiting.pop(); stream !== undefined; stream = waiting.pop()) {
        try {
          if (lookAt(stream, told)) count++
        } catch (error) {
          // Nothing is known of what its client may see.
          end(stream)
          count++
          onBug(error)
        }
        if (elapsed() - startedAt < sliceMs) continue
        setImmediate(goOn)
        return
      }
      isLooking = false
      done.resolve(count)
      if (due !== undefined) void look()
    }
    goOn()
    return done.promise
  }

  /** For the stream that expires next. */
  let timer: NodeJS.Timeout | undefined
  let timerAtMs = Number.POSITIVE_INFINITY
  const expire = () => {
    timer = undefined
    timerAtMs = Number.POSITIVE_INFINITY
    const at = now()
    for (const stream of [...open.keys()]) if (stream.expiresAtMs <= at) end(stream)
    for (const stream of open.keys()) endAt(stream.expiresAtMs)
  }
  const endAt = (atMs: number) => {
    if (atMs >= timerAtMs) return
    clearTimeout(timer)
    timerAtMs = atMs
    timer = setTimeout(expire, Math.min(Math.max(0, atMs - now()), maxTimerMs)).unref()
  }

  return {
    mayOpen(holder) {
      const max = maxPerHolder()
      if ((holders.get(holder) ?? 0) < max) return undefined
      return refuse('limited', `more than ${max} streams of one caller`, { headers: { 'retry-after': '5' } })
    },
    add(stream, onGone) {
      open.set(stream, revisionsOf(stream.place))
      holders.set(stream.holder, (holders.get(stream.holder) ?? 0) + 1)
      endAt(stream.expiresAtMs)
      onGone(() => remove(stream))
    },
    look,
    tend(session) {
      for (const stream of [...open.keys()]) if (stream.session === session) stream.onLook?.()
    },
    endSession(session) {
      for (const stream of [...open.keys()]) if (stream.session === session) end(stream)
    },
    endAll() {
      for (const stream of [...open.keys()]) end(stream)
    },
    get size() {
      return open.size
    },
  }
}
