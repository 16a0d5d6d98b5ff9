import { type ChangeKind, changeKinds, type EventStream, type Refusal, refuse } from '../../mcp/mcp.ts'

/** A client's open stream, on which it is told when its lists change. */
export interface ChangeStream<P> {
  /** The endpoint whose lists it watches. */
  readonly place: P
  /**
   * The legacy session that it belongs to. Only the newest stream of a session gets messages, and no stream outlives its session
   * (2025-11-25, transports).
   */
  readonly session: string | undefined
  /** Who it counts for, where streams are bounded per caller. */
  readonly holder: string
  /** When the credential that it was opened with expires: milliseconds since 1970, or Infinity. */
  readonly expiresAtMs: number
  readonly events: EventStream
  /** The framed message for each list that the client wants to hear of. */
  readonly changed: Readonly<Partial<Record<ChangeKind, string>>>
  /** The framed message that comes before a graceful end, if the era has one. */
  readonly goodbye: string | undefined
  /** Called at each look while the stream is open, since servers may have come and gone. */
  readonly onLook?: () => void
  /** Called once when the stream ends, for whatever reason. */
  readonly onEnd?: () => void
}

/** The clients' open streams. Each is told once of a change of its lists, however many notices of servers led to it. */
export interface ChangeStreams<P> {
  /** Refuses one more stream of a holder who has reached the bound. */
  mayOpen(holder: string): Refusal | undefined
  /** @param onGone tells when the client has closed it */
  add(stream: ChangeStream<P>, onGone: (listener: () => void) => void): void
  /** Tells every client whose lists have changed, and ends streams whose endpoint no longer exists or is closed to the caller. */
  look(): Promise<void>
  /** Looks at the streams of one session only, after a newer one was opened. */
  tend(session: string): void
  endSession(session: string): void
  endAll(): void
  readonly size: number
  /** How often a look has told a client of a change or ended its stream, since the start. */
  readonly toldCount: number
}

/** The revisions of an endpoint's lists, by which a change is seen. */
export type Revisions = Readonly<Record<ChangeKind, string>>

/** How long a look holds up other work at a time. */
const sliceMs = 10
/** The longest time that a timer can wait. */
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
  /** Looks at one stream; true where its client was told something. */
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
  /** The next look, which begins when the current one ends. */
  let due: PromiseWithResolvers<void> | undefined
  let toldCount = 0
  /** Looks at all streams in slices of time, since it has to be computed what each of many callers sees. */
  const look = (): Promise<void> => {
    const done = due ?? Promise.withResolvers<void>()
    due = isLooking ? done : undefined
    if (isLooking) return done.promise
    isLooking = true
    const told = new Set<string>()
    // The newest first.
    const waiting = [...open.keys()]
    const goOn = () => {
      const startedAt = elapsed()
      for (let stream = waiting.pop(); stream !== undefined; stream = waiting.pop()) {
        try {
          if (lookAt(stream, told)) toldCount++
        } catch (error) {
          // After a bug it is not known what the client may see: its stream ends.
          end(stream)
          toldCount++
          onBug(error)
        }
        if (elapsed() - startedAt < sliceMs) continue
        setImmediate(goOn)
        return
      }
      isLooking = false
      done.resolve()
      if (due !== undefined) void look()
    }
    goOn()
    return done.promise
  }

  /** Runs when the next stream expires. */
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
    get toldCount() {
      return toldCount
    },
  }
}
