import { type EventStream, type Refusal, refuse } from '../mcp/mcp.ts'

/** A client that wants to hear when its list of tools becomes another one. */
export interface ChangeStream {
  readonly route: string
  /** The legacy session that it is of: only its newest stream gets messages, and none outlives it (2025-11-25, transports). */
  readonly session: string | undefined
  /** Who holds it, for the bound per caller. */
  readonly holder: string
  readonly events: EventStream
  /** The message that says that tools changed, framed; undefined: the client did not ask for it. */
  readonly changed: string | undefined
  /** The message before a graceful end, framed, if the era has one. */
  readonly goodbye: string | undefined
}

/** The clients' open streams, each told once of a change of its own list, however many notices led to it. */
export interface ChangeStreams {
  /** Whether one more stream of this holder is within the bound. */
  mayOpen(holder: string): Refusal | undefined
  /** @param revision what the client's list is now @param onGone tells when the client has closed it */
  add(stream: ChangeStream, revision: string, onGone: (listener: () => void) => void): void
  /** Tells every client whose list has become another one, and ends the streams of routes that are gone. */
  look(): void
  endSession(session: string): void
  endAll(): void
  readonly size: number
}

/** @param revisionOf gives a route's list, undefined where the route is gone */
export function createChangeStreams(maxPerHolder: () => number, revisionOf: (route: string) => string | undefined): ChangeStreams {
  const open = new Map<ChangeStream, string>()
  const holders = new Map<string, number>()

  const remove = (stream: ChangeStream) => {
    if (!open.delete(stream)) return
    const left = (holders.get(stream.holder) ?? 1) - 1
    if (left > 0) holders.set(stream.holder, left)
    else holders.delete(stream.holder)
  }
  const end = (stream: ChangeStream) => {
    if (stream.goodbye !== undefined) stream.events.write(stream.goodbye)
    stream.events.end()
    remove(stream)
  }
  const look = () => {
    const told = new Set<string>()
    // The newest first.
    for (const [stream, known] of [...open].reverse()) {
      if (stream.events.isClosed) {
        remove(stream)
        continue
      }
      const revision = revisionOf(stream.route)
      if (revision === undefined) end(stream)
      else if (revision !== known) {
        open.set(stream, revision)
        const isTold = stream.session !== undefined && told.has(stream.session)
        if (stream.changed !== undefined && !isTold) stream.events.write(stream.changed)
        if (stream.session !== undefined) told.add(stream.session)
      }
    }
  }

  return {
    mayOpen(holder) {
      const max = maxPerHolder()
      if ((holders.get(holder) ?? 0) < max) return undefined
      return refuse('limited', `more than ${max} streams of one caller`, { headers: { 'retry-after': '5' } })
    },
    add(stream, revision, onGone) {
      open.set(stream, revision)
      holders.set(stream.holder, (holders.get(stream.holder) ?? 0) + 1)
      onGone(() => remove(stream))
    },
    look,
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
