import { headersFor, listenRequest, readAcknowledged, updatedUri } from '../../era/era.ts'
import { type ChangeKind, changeKinds, lists, type Message, type Offers } from '../../mcp/mcp.ts'
import type { MeetOptions, Met, Timers } from '../server/server.ts'
import type { Connector } from '../wire/wire.ts'
import { createWatches, type Watch } from './resource-watches.ts'
import { createSubscriber, type Subscriber } from './subscriber.ts'

/** The one stream on which a server notifies the gateway of changes: of its lists, and of resources that clients watch. */
export interface ChangeWatch {
  /** Opens the stream, if the server has anything to notify of; it is opened again when it ends. */
  open(met: Met): void
  /** Whether the stream is open, so that its end would show that the server is gone. */
  isOpen(): boolean
  watch(uri: string, onUpdate: (uri: string) => void): Watch
  /** Takes a notification of a change, on whatever stream it arrived; false for any other message. */
  hear(message: Message, method: string): boolean
  /** Takes note that the server is gone. Watched resources are subscribed to again when it is back. */
  close(): void
}

export interface ChangeWatchOptions {
  readonly connector: Connector
  readonly timers: Timers
  readonly meet: MeetOptions
  readonly now: () => number
  /** Called when the server notifies of a change of one of its lists. */
  readonly onChange: (kind: ChangeKind) => void
  /** Called when the stream has ended or the session is lost: the server may be gone, and notifications may be lost. */
  readonly onEnd: () => void
  /** Called with every other message on the stream. */
  readonly onOther: (met: Met, message: Message, method: string) => void
}

/** One stream. With a modern server, `uris` are those that it was opened for. */
interface Stream {
  readonly uris: readonly string[]
  readonly openedAt: number
  close(): void
}

const firstRetryMs = 1000
const maxRetryMs = 30_000
/** How long after another meeting the stream is opened, where earlier streams ended soon. */
const renewMs = 2000
/** How long changes of the watched URIs are gathered into one request. The request names every URI, so the time grows with their number. */
const gatherMs = 20
const gatherMsPerUri = 0.1

export function createChangeWatch(options: ChangeWatchOptions): ChangeWatch {
  const { connector, timers, now, meet } = options
  const watches = createWatches(timers, meet.timeoutMs, wanted)
  let met: Met | undefined
  let isDown = false
  /** Whether the server refused the stream. */
  let isRefused = false
  let current: Stream | undefined
  /** The stream that replaces `current` as soon as a modern server acknowledges it. */
  let next: Stream | undefined
  /** Whether the watched URIs have changed since the last request to a modern server. */
  let isStale = false
  let subscriber: Subscriber | undefined
  let failures = 0

  function wanted(uri: string): void {
    if (met === undefined ? isDown : isRefused || !met.facts.offers.subscribe) watches.giveUp(uri)
    if (!met?.facts.offers.subscribe) return
    isStale = true
    subscriber?.mark(uri)
    gather()
  }

  function gather(): void {
    timers.start('watched', Math.max(gatherMs, watches.count() * gatherMsPerUri), follow)
  }

  /** Brings the stream up to what is watched. */
  function follow(): void {
    if (met === undefined || isRefused) return
    if (!isWorth(met.facts.offers)) closeStreams()
    else if (current === undefined) return openStream()
    else if (subscriber === undefined && isStale && next === undefined) replaceStream(met)
    subscriber?.flush()
  }

  function isWorth(offers: Offers): boolean {
    return offers.toolsChange || offers.promptsChange || offers.resourcesChange || (offers.subscribe && watches.count() > 0)
  }

  function openStream(): void {
    if (met === undefined || current !== undefined || timers.isRunning('changes') || !isWorth(met.facts.offers)) return
    listen(met, (stream) => {
      current = stream
    })
    // When this timer runs, a server without streams has refused the stream.
    if (subscriber !== undefined) timers.start('subscribe', gatherMs, subscriber.again)
  }

  /** Opens the stream after a pause. Notifications of the time without a stream are lost, so the lists are requested again. */
  function openLate(): void {
    openStream()
    options.onEnd()
  }

  function replaceStream(known: Met): void {
    listen(known, (stream) => {
      next = stream
    })
    timers.start('acknowledge', meet.timeoutMs, dropNext)
  }

  function dropNext(): void {
    timers.cancel('acknowledge')
    next?.close()
    for (const uri of next?.uris ?? []) watches.giveUp(uri)
    next = undefined
    if (isStale) gather()
  }

  function listen(known: Met, place: (stream: Stream) => void): void {
    const { version, offers } = known.facts
    const isModern = known.era.name === 'modern'
    const uris = isModern && offers.subscribe ? watches.uris() : []
    const flags = { tools: offers.toolsChange, prompts: offers.promptsChange, resources: offers.resourcesChange }
    const outbound = isModern
      ? { method: 'POST' as const, ...listenRequest(meet.nextId(), meet.clientInfo, flags, uris) }
      : { method: 'GET' as const, headers: headersFor(version, known.session) }
    isStale = false
    const stream = { uris, openedAt: now(), close() {} }
    place(stream)
    const listening = connector.listen({
      ...outbound,
      onMessage(message, method) {
        if (method !== undefined && (stream === current || stream === next)) heard(known, stream, message, method)
      },
      onEnd: (status, retryMs) => ended(stream, status, retryMs),
    })
    stream.close = () => listening.close()
  }

  function hear(message: Message, method: string): boolean {
    const kind = changeKinds.find((one) => lists[one].changed === method)
    if (kind !== undefined) options.onChange(kind)
    else if (method === 'notifications/resources/updated') {
      const uri = updatedUri(message)
      if (uri !== undefined) watches.updated(uri)
    } else return false
    return true
  }

  function heard(known: Met, stream: Stream, message: Message, method: string): void {
    if (hear(message, method)) return
    if (method === 'notifications/subscriptions/acknowledged') acknowledged(stream, readAcknowledged(message))
    else options.onOther(known, message, method)
  }

  function acknowledged(stream: Stream, honoured: ReadonlySet<string>): void {
    if (stream === next) {
      timers.cancel('acknowledge')
      const old = current
      current = next
      next = undefined
      old?.close()
    }
    for (const uri of stream.uris) watches.settle(uri, honoured.has(uri))
    if (isStale) gather()
  }

  function ended(stream: Stream, status: number, retryMs: number | undefined): void {
    if (stream === next) return dropNext()
    if (stream !== current) return
    timers.cancel('subscribe')
    watches.lost()
    current = next
    next = undefined
    if (current === undefined) {
      if (status >= 400 && status !== 404) {
        isRefused = true
        return watches.giveUp()
      }
      if (now() - stream.openedAt > maxRetryMs) failures = 0
      // The server may ask for a longer pause, never for a shorter one.
      const wait = Math.min(maxRetryMs, Math.max(retryMs ?? 0, firstRetryMs * 2 ** failures++))
      timers.start('changes', wait, openLate)
    } else timers.cancel('acknowledge')
    options.onEnd()
  }

  function closeStreams(): void {
    // The timer `changes` keeps running: a stream that failed is not opened again before its time.
    for (const name of ['watched', 'subscribe', 'acknowledge']) timers.cancel(name)
    const open = [current, next]
    current = undefined
    next = undefined
    for (const stream of open) stream?.close()
  }

  function forget(): void {
    closeStreams()
    watches.lost()
    subscriber?.close()
    subscriber = undefined
  }

  return {
    open(found) {
      isDown = false
      isRefused = false
      if (found !== met) {
        forget()
        // Where a stream that had lasted ended because its session was lost, the stream of the new session is opened at once.
        const isLate = failures >= 2 && timers.isRunning('changes')
        timers.cancel('changes')
        if (isLate) timers.start('changes', renewMs, openLate)
        met = found
        if (found.era.name === 'legacy' && found.facts.offers.subscribe)
          subscriber = createSubscriber(
            { connector, meet, watches, isHeard: () => current !== undefined, onSessionLost: options.onEnd },
            found,
          )
      }
      if (!found.facts.offers.subscribe) watches.giveUp()
      openStream()
    },
    isOpen: () => current !== undefined,
    watch: watches.watch,
    hear,
    close() {
      forget()
      met = undefined
      isDown = true
      watches.giveUp()
    },
  }
}
