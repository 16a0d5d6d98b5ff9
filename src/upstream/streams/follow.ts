import { headersFor, isNotification } from '../../era/era.ts'
import type { Ask, ClientSession, Message } from '../../mcp/mcp.ts'
import type { AskingStream, OpenAsks, ServerRequests } from '../calls/calls.ts'
import { type Met, sessionLoss } from '../server/server.ts'
import type { OpenSession, ServerSessions } from '../sessions/sessions.ts'
import type { Connector, Listening } from '../wire/wire.ts'

/** Takes what a server sends to one client outside of calls, on the stream of the client's own session. */
export interface Follower {
  /**
   * JSON text of the whole notification: `notifications/message`, `notifications/resources/updated` or
   * `notifications/elicitation/complete`.
   */
  onNotice(text: string, method: string): void
  onAsk(ask: Ask): void
  /**
   * Undefined while the client keeps up with reading; otherwise a promise that resolves when the client has read everything, or is gone.
   * Until then nothing more is read from the server for it.
   */
  drained(): Promise<void> | undefined
}

export interface FollowOptions {
  readonly connector: Connector
  readonly sessions: ServerSessions
  readonly requests: ServerRequests
  readonly now: () => number
  /** The server as it was met; undefined where it is down or gives no sessions. */
  readonly met: () => Met | undefined
  readonly onProgress: (message: Message) => void
}

const firstRetryMs = 1000
const maxRetryMs = 30_000
/** Bound of a server's requests on one stream that wait for a response. */
const maxAsks = 32

const passed: ReadonlySet<string> = new Set([
  'notifications/message',
  'notifications/resources/updated',
  'notifications/elicitation/complete',
])

/** HTTP statuses after which opening the stream is tried again: the earlier stream has not ended yet, or the server is overloaded. */
const passing: ReadonlySet<number> = new Set([408, 409, 425, 429])

/**
 * Keeps the stream of a client's own session open until the returned function is called. When it ends it is opened again, with growing
 * pauses and not earlier than the server's `retry`. If the server has no such stream, it is given up. If the server has lost the session,
 * that is opened again, and the stream in it. If the server can't resume from the last event, the stream is opened without it.
 */
export function follow(client: ClientSession, follower: Follower, options: FollowOptions): () => void {
  const { connector, sessions, now } = options
  let isStopped = false
  let stream: Listening | undefined
  let timer: NodeJS.Timeout | undefined
  let failures = 0
  let followed: FollowedStream | undefined
  let lost: OpenSession | undefined
  let lastEventId: string | undefined

  function later(retryMs = 0): void {
    const wait = Math.min(maxRetryMs, Math.max(retryMs, firstRetryMs * 2 ** Math.min(failures++, 5)))
    timer = setTimeout(() => void open(), wait).unref()
  }

  async function open(): Promise<void> {
    const met = options.met()
    if (met === undefined) return later()
    const session = await (lost === undefined ? sessions.own(client) : sessions.ownAgain(client, lost))
    if (isStopped) return
    if (session.kind === 'refused' || session.id === undefined) return later()
    lost = undefined
    if (followed?.session !== session.id) {
      followed?.asks?.close()
      followed = new FollowedStream(met, session.id, client, follower)
      lastEventId = undefined
    }
    listen(met, session, followed)
  }

  function listen(met: Met, session: OpenSession, from: FollowedStream): void {
    const openedAt = now()
    const isResumed = lastEventId !== undefined
    const opened = connector.listen({
      method: 'GET',
      headers: headersFor(met.facts.version, session.id),
      isFollowed: true,
      lastEventId,
      drained: () => follower.drained(),
      onMessage(message, method) {
        if (method !== undefined) take(from, message, method)
      },
      onEnd(status, retryMs, eventId) {
        stream = undefined
        lastEventId = eventId
        if (isStopped) return
        if (now() - openedAt > maxRetryMs) failures = 0
        if (status === 404 || status === 400 || status === 0) void judgeLoss(met, session, status, isResumed, retryMs)
        else if (status < 400 || status >= 500 || passing.has(status)) later(retryMs)
        else if (isResumed) fromNow(retryMs)
      },
    })
    stream = opened
    session.closeStream = () => {
      if (isStopped || stream !== opened) return
      opened.close()
      stream = undefined
      lost = session
      void open()
    }
  }

  /** Opens the stream without the last event's id, where the server may have forgotten only that event. */
  function fromNow(retryMs: number | undefined): void {
    lastEventId = undefined
    later(retryMs)
  }

  /**
   * Finds out what a 404 or 400 for the stream means. Servers without such a stream answer so too; only a request in the session shows
   * whether the session, or the address of the server, is gone.
   */
  async function judgeLoss(met: Met, session: OpenSession, status: number, isResumed: boolean, retryMs: number | undefined): Promise<void> {
    const reply = await sessions.ping(met, session)
    if (isStopped) return
    if (sessionLoss(reply, session.id) !== undefined) {
      lost = session
      if (failures++ === 0) return open()
      later(retryMs)
    } else if (reply.kind === 'failed' || status === 0) later(retryMs)
    else if (isResumed) fromNow(retryMs)
  }

  function take(from: FollowedStream, message: Message, method: string): void {
    if (passed.has(method)) {
      if (isNotification(message)) follower.onNotice(message.text, method)
    } else if (method === 'notifications/progress') options.onProgress(message)
    else options.requests.take(from, message, method)
  }

  void open()
  return () => {
    isStopped = true
    clearTimeout(timer)
    stream?.close()
    followed?.asks?.close()
  }
}

class FollowedStream implements AskingStream {
  readonly met: Met
  readonly session: string
  readonly capabilities: number
  readonly maxAsks = maxAsks
  readonly isRolling = true
  asks: OpenAsks | undefined
  readonly #follower: Follower

  constructor(met: Met, session: string, client: ClientSession, follower: Follower) {
    this.met = met
    this.session = session
    this.capabilities = client.capabilities
    this.asks = undefined
    this.#follower = follower
  }

  mayAsk(): boolean {
    return true
  }

  onAsk(ask: Ask): void {
    this.#follower.onAsk(ask)
  }

  onCount(): void {}
}
