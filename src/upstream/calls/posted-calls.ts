import { type Addressed, legacyNotification, progressIdOf } from '../../era/era.ts'
import {
  type Ask,
  type Call,
  type Cancellation,
  type Capabilities,
  type ClientSession,
  type Message,
  member,
  patienceMs,
  Roster,
  type Rostered,
} from '../../mcp/mcp.ts'
import type { Met, UpstreamSettings } from '../server/server.ts'
import type { Connector, Failure, Post, Reply, Waiting } from '../wire/wire.ts'
import type { OpenAsks } from './open-asks.ts'
import type { AskingStream, ServerRequests } from './server-requests.ts'

/** The calls in flight to one server. */
export interface PostedCalls {
  /** Posts a call once, and resolves with what comes back for it. */
  post(met: Met, call: Call, addressed: Addressed, session: string | undefined): Promise<Reply>
  /** Gives a progress notification that arrived on another stream to the call that it is about. */
  takeProgress(message: Message): void
}

/** Bound of a server's requests that are open during one call. */
const maxAsks = 32
/** Bound of the calls with open requests, since each keeps a connection that other calls could use. */
const maxSuspended = 64

/** Takes a legacy server's notification of a change, with the session of the client that called; false for any other message. */
type OnChange = (message: Message, method: string, client: ClientSession | undefined) => boolean

export function createPostedCalls(
  settings: UpstreamSettings,
  connector: Connector,
  requests: ServerRequests,
  nextId: () => number,
  onChange: OnChange,
): PostedCalls {
  /** Calls whose clients want progress; bounded by the calls that a server may have in flight and waiting. */
  const progressing = new Roster<PostedCall>()
  const suspended: Suspended = { count: 0 }

  return {
    async post(met, call, addressed, session) {
      const id = nextId()
      const posted = new PostedCall(settings, requests, onChange, suspended, met, call, addressed, session, id)
      const wantsProgress =
        met.era.name === 'legacy' && call.message.meta !== undefined && member(call.message.meta, 'progressToken') !== undefined
      if (wantsProgress) progressing.add(posted)
      const reply = await connector.post(posted)
      if (wantsProgress) progressing.remove(posted)
      posted.asks?.close()
      const isGivenUp = reply.kind === 'failed' && givenUp.has(reply.failure)
      if (isGivenUp && met.era.name === 'legacy') {
        const notice = legacyNotification('notifications/cancelled', { requestId: id, reason: reply.text }, met.facts.version, session)
        void connector.post({ ...notice, cause: 'client', id: undefined, timeoutMs: settings.listMs })
      }
      return reply
    },
    takeProgress(message) {
      const id = progressIdOf(message)
      if (id !== undefined)
        progressing
          .all()
          .find((posted) => posted.id === id)
          ?.onOtherStream(message)
    },
  }
}

/** Failures after which the server may still be at work. */
const givenUp: ReadonlySet<Failure['failure']> = new Set(['timeout', 'cancelled', 'slow-client', 'memory'])

interface Suspended {
  count: number
}

/** A call in flight. It is a class so that no closures are made for a call that needs none. */
class PostedCall implements Post, AskingStream, Rostered {
  place = -1
  readonly isCall = true
  readonly isResumable: boolean
  readonly headers: readonly string[]
  readonly body: string
  readonly id: number
  readonly timeoutMs: number
  readonly maxMs: number | undefined
  readonly cancellation: Cancellation
  readonly met: Met
  readonly session: string | undefined
  readonly maxAsks = maxAsks
  readonly isRolling = false
  asks: OpenAsks | undefined
  readonly #call: Call
  readonly #requests: ServerRequests
  readonly #onChange: OnChange
  readonly #suspended: Suspended
  #isSuspended = false
  #waiting: Waiting | undefined

  constructor(
    settings: UpstreamSettings,
    requests: ServerRequests,
    onChange: OnChange,
    suspended: Suspended,
    met: Met,
    call: Call,
    addressed: Addressed,
    session: string | undefined,
    id: number,
  ) {
    const { headers, body } = met.era.call(call, addressed, id, session)
    this.isResumable = met.era.name === 'legacy'
    this.headers = headers
    this.body = body
    this.id = id
    this.timeoutMs = settings.requestMs
    this.maxMs = call.timeoutMs
    this.cancellation = call.cancellation
    this.met = met
    this.session = session
    this.asks = undefined
    this.#call = call
    this.#requests = requests
    this.#onChange = onChange
    this.#suspended = suspended
  }

  get capabilities(): Capabilities {
    return this.#call.capabilities
  }

  onWaiting(waiting: Waiting): void {
    this.#waiting = waiting
  }

  onMessage(message: Message, method: string): void {
    const notice = this.met.era.notice(this.#call, message, method, this.id)
    if (notice !== undefined) this.#call.onNotice(notice)
    else if (this.met.era.name === 'legacy' && !this.#onChange(message, method, this.#call.session))
      this.#requests.take(this, message, method)
  }

  drained(): Promise<void> | undefined {
    return this.#call.drained()
  }

  /**
   * Takes progress of this call that the server sent on another stream. It is dropped where the client is slow to read, since that stream
   * is not held for this client.
   */
  onOtherStream(message: Message): void {
    const notice = this.met.era.notice(this.#call, message, 'notifications/progress', this.id)
    if (notice === undefined) return
    if (!this.#isSuspended && !this.cancellation.isAbandoned) this.#waiting?.allow(this.timeoutMs)
    if (this.#call.drained() === undefined) this.#call.onNotice(notice)
  }

  mayAsk(): boolean {
    return this.#suspended.count < maxSuspended
  }

  onAsk(ask: Ask): void {
    this.#waiting?.allow(patienceMs)
    this.#call.onAsk(ask)
  }

  onCount(count: number): void {
    if (count === 0) this.#waiting?.allow(this.timeoutMs)
    if (this.#isSuspended === count > 0) return
    this.#isSuspended = count > 0
    this.#suspended.count += this.#isSuspended ? 1 : -1
  }
}
