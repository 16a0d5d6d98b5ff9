import type { Dispatcher } from 'undici'
import { type Message, member, type Rostered, type ServerBuffers, stringOf, textOf } from '../../../mcp/mcp.ts'
import type { Failure, Post, Reply, Waiting } from '../connector.ts'
import { BodyReader, givenUpText, type Reading, resumingFrom, single } from './body-reader.ts'
import type { CallLane } from './call-lane.ts'
import { failureOf } from './failure.ts'
import { Pace } from './pace.ts'
import type { HttpSettings } from './settings.ts'

type Controller = Dispatcher.DispatchController

/** How long progress may extend a request's time-out in total. */
const maxProgressMs = 60 * 60 * 1000
/** How long after its answer a stream may stay open before it is cut. */
const lingerMs = 1000
/** How many times one stream is resumed, and the pause before it: the server's `retry`, up to a bound. */
const maxResumes = 10
const resumeMs = 1000
const maxResumeMs = 30_000

/**
 * One POST and its reply. It settles once: with the JSON-RPC response, with an HTTP reply that holds none, or with a failure. An event
 * stream that breaks off is resumed by GET.
 */
export class PostExchange implements Dispatcher.DispatchHandler, Reading, Rostered, Waiting {
  place = -1
  deadline: number
  private allowedMs: number
  private readonly startedAt: number
  private readonly lastDeadline: number
  private readonly request: Post
  private readonly settings: HttpSettings
  private readonly buffers: ServerBuffers
  private settle: ((reply: Reply) => void) | undefined
  private controller: Controller | undefined
  private reader: BodyReader | undefined
  private status = 0
  private type = ''
  private session: string | undefined
  private abortReason: Failure | undefined
  private pace: Pace | undefined
  private lane: CallLane | undefined
  private laneBytes = 0
  private readonly resume: Resume | undefined
  private resumes = 0
  private resumeTimer: NodeJS.Timeout | undefined
  private lastEventId: string | undefined
  private retryMs = resumeMs

  /** @param resume sends the GET that resumes a broken stream */
  constructor(request: Post, settings: HttpSettings, buffers: ServerBuffers, settle: (reply: Reply) => void, resume?: Resume) {
    this.request = request
    this.settings = settings
    this.buffers = buffers
    this.settle = settle
    this.resume = resume
    const now = performance.now()
    this.startedAt = now
    this.lastDeadline = now + Math.min(request.maxMs ?? maxProgressMs, maxProgressMs)
    this.allowedMs = request.timeoutMs
    this.deadline = Math.min(now + request.timeoutMs, this.lastDeadline)
    request.onWaiting?.(this)
    request.cancellation?.listen(() => this.cut({ kind: 'failed', failure: 'cancelled', text: 'the caller gave up' }))
  }

  /** Takes note of the lane that the call is in, which has to be told when the call ends. */
  enter(lane: CallLane, bytes: number): void {
    this.lane = lane
    this.laneBytes = bytes
  }

  private leave(): void {
    const { lane } = this
    this.lane = undefined
    lane?.free(this.laneBytes)
  }

  get isSettled(): boolean {
    return this.settle === undefined
  }

  /** Settles it with the failure `busy`; nothing was sent. */
  refuse(text: string): void {
    this.finish({ kind: 'failed', failure: 'busy', text })
  }

  /**
   * Called when its deadline is over. While the client is waited for only the last deadline counts; where waiting for the client took most
   * of the time, the failure is the client's and not the server's.
   */
  expire(now: number): void {
    const heldMs = this.pace?.heldMs ?? 0
    if (now < this.lastDeadline && this.pace?.isHeld) return
    if (now >= this.lastDeadline && heldMs > (now - this.startedAt) / 2) {
      const text = `the caller took ${Math.round(heldMs)} ms to read what came, and the time of the whole call is over`
      return this.cut({ kind: 'failed', failure: 'slow-client', text })
    }
    this.cut({
      kind: 'failed',
      failure: 'timeout',
      remedy: 'look at its log; how long is waited is in its `timeouts`',
      text: `did not answer within ${Math.ceil(Math.min(this.allowedMs, this.request.maxMs ?? this.allowedMs))} ms`,
    })
  }

  giveUp(): void {
    this.cut({ kind: 'failed', failure: 'memory', text: givenUpText })
  }

  allow(ms: number): void {
    this.allowedMs = ms
    this.deadline = Math.min(performance.now() + ms, this.lastDeadline)
  }

  onRequestStart(controller: Controller): void {
    this.controller = controller
    if (this.abortReason !== undefined) controller.abort(new Error(this.abortReason.text))
  }

  onResponseStart(_controller: Controller, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return
    this.status = status
    this.type = single(headers['content-type'])?.toLowerCase() ?? ''
    this.session = single(headers['mcp-session-id'])
    const coding = single(headers['content-encoding'])
    if (coding !== undefined && coding !== 'identity')
      return this.broken(`answered with content-encoding ${coding}, which was not asked for`)
    this.reader?.close()
    this.reader = new BodyReader(this.settings, this.buffers, this)
    this.reader.start(this.type)
    if (this.resumes > 0 && (status !== 200 || !this.reader.isStream))
      this.broken(`${cutOff}, and answered ${status} when asked for the rest`)
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.settle === undefined) return
    const messages = this.reader?.feed(chunk) ?? []
    if (typeof messages === 'string') return this.broken(messages)
    for (const message of messages) this.take(message)
    // Nobody waits for what comes after the answer.
    if (this.settle === undefined || !this.reader?.isStream) return
    // While the client is waited for, the time-out stands still.
    this.pace ??= new Pace(
      () => performance.now(),
      (ms) => {
        this.deadline = Math.min(this.deadline + ms, this.lastDeadline)
      },
    )
    const load = { messages: messages.length, lines: this.reader.takeLines(), bytes: chunk.length }
    this.pace.took(controller, load, this.request.drained?.())
  }

  onResponseEnd(): void {
    if (this.resumeLater()) return
    this.leave()
    if (this.settle === undefined) return
    const { reader, status } = this
    if (reader === undefined || reader.isStream) return this.broken(cutOff)
    // The reply of an authentication layer is not the server's answer, even if it is JSON-RPC.
    if (status === 401 || status === 403) return this.finish({ kind: 'http', status, text: this.type })
    const read = this.type.startsWith('application/json') || status >= 400 ? reader.whole() : undefined
    const message = Array.isArray(read) ? this.takeBatch(read) : read
    if (message === undefined || typeof message === 'string' || !isResponse(message)) {
      if (status < 300 && typeof message === 'string' && this.request.id !== undefined)
        return this.broken(`answered with broken JSON: ${message}`)
      return this.finish({ kind: 'http', status, text: this.type })
    }
    if (this.request.id !== undefined && !this.isOwn(message)) {
      // Some servers invent an id for errors of their HTTP layer; then only the status counts.
      return status >= 400 ? this.finish({ kind: 'http', status, text: this.type }) : this.broken('answered with the id of another request')
    }
    this.finish({ kind: 'message', status, message, session: this.session })
  }

  onResponseError(_controller: Controller, error: Error): void {
    if (this.resumeLater()) return
    this.leave()
    this.finish(this.abortReason ?? failureOf(error, this.controller !== undefined, this.status === 0, this.settings.at))
  }

  /** Resumes the stream after a pause. Meanwhile it keeps its place in the lane. */
  private resumeLater(): boolean {
    const { reader, resume } = this
    this.lastEventId = reader?.lastEventId ?? this.lastEventId
    this.retryMs = reader?.retryMs ?? this.retryMs
    const { lastEventId } = this
    if (this.settle === undefined || this.abortReason !== undefined || resume === undefined || lastEventId === undefined) return false
    if (this.resumes++ === maxResumes) return false
    reader?.close()
    this.resumeTimer = setTimeout(
      () => {
        this.resumeTimer = undefined
        resume(this, [...this.request.headers, ...resumingFrom(lastEventId)])
      },
      Math.min(this.retryMs, maxResumeMs),
    ).unref()
    return true
  }

  /** Takes all messages that are no responses, and returns the response to this request, if there is one. */
  private takeBatch(messages: readonly Message[]): Message | undefined {
    for (const message of messages) if (!isResponse(message)) this.take(message)
    const responses = messages.filter(isResponse)
    return responses.find((message) => this.isOwn(message)) ?? responses[0]
  }

  private take(message: Message): void {
    const method = member(message.top, 'method')
    const name = method === undefined ? undefined : stringOf(message.text, method)
    if (name !== undefined) {
      if (name === 'notifications/progress' && !this.request.cancellation?.isAbandoned)
        this.deadline = Math.max(this.deadline, Math.min(performance.now() + this.request.timeoutMs, this.lastDeadline))
      this.request.onMessage?.(message, name)
    } else if (isResponse(message) && this.isOwn(message)) {
      this.finish({ kind: 'message', status: this.status, message, session: this.session })
      const { controller } = this
      setTimeout(() => controller?.abort(new Error('answered')), lingerMs).unref()
    }
  }

  /**
   * Whether a response is the one to this request. Some servers send errors with a null id; these can only be meant for the request of the
   * same HTTP exchange.
   */
  private isOwn(message: Message): boolean {
    const id = member(message.top, 'id')
    return id === undefined || id.type === 'null' || textOf(message.text, id) === String(this.request.id)
  }

  private broken(text: string): void {
    this.cut({ kind: 'failed', failure: 'broken', text })
  }

  private cut(reason: Failure): void {
    if (this.settle === undefined) return
    this.abortReason = reason
    this.controller?.abort(new Error(reason.text))
    this.finish(reason)
  }

  private finish(reply: Reply): void {
    const { settle } = this
    this.settle = undefined
    this.reader?.close()
    this.request.cancellation?.listen(undefined)
    if (this.resumeTimer !== undefined) {
      clearTimeout(this.resumeTimer)
      this.leave()
    }
    settle?.(reply)
  }
}

const cutOff = 'closed its stream before the answer'

type Resume = (exchange: PostExchange, headers: readonly string[]) => void

/** Whether it is a JSON-RPC response, and not some other JSON with an `error` member. */
function isResponse({ top, text }: Message): boolean {
  const version = member(top, 'jsonrpc')
  if (version === undefined || stringOf(text, version) !== '2.0' || member(top, 'method') !== undefined) return false
  return member(top, 'result') !== undefined || member(top, 'error')?.type === 'object'
}
