import type { Dispatcher } from 'undici'
import { buildConnector, Pool } from 'undici'
import {
  createSseParser,
  decodeText,
  type JsonLimits,
  type Message,
  member,
  Roster,
  type Rostered,
  type SseParser,
  scanMessage,
  stringOf,
  textOf,
} from '../../mcp/mcp.ts'
import type { Connector, Failure, Listen, Post, Reply } from '../connector.ts'

/** A Streamable HTTP server's address and the bounds of its answers. */
export interface HttpSettings {
  readonly url: string
  /** Sent with every request: names and values in turn. */
  readonly headers: readonly string[]
  readonly tls: TlsSettings | undefined
  readonly connectMs: number
  /** How long a reply may say nothing between two of its bytes; undefined: as long as the request's time-out. */
  readonly idleMs: number | undefined
  readonly answerBytes: number
  readonly json: JsonLimits
}

export interface TlsSettings {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly serverName?: string
  readonly insecure: boolean
}

/** Calls in flight to one server at a time; more wait their turn, so that one slow server holds no more sockets than these. */
const maxConnections = 256
/** How often time-outs are looked at: they may be late by this much. */
const sweepMs = 100
/** How long progress may put off a request's time-out in all. */
const maxProgressMs = 60 * 60 * 1000
/** Streams end by themselves after their answer; one that doesn't is cut after this. */
const lingerMs = 1000

/** Speaks Streamable HTTP to one server over a pool of kept-alive connections. Redirects are not followed, coded bodies not accepted. */
export function createStreamableHttp(settings: HttpSettings): Connector {
  const url = new URL(settings.url)
  const { tls } = settings
  const pool = new Pool(url.origin, {
    connections: maxConnections,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: settings.idleMs ?? 0,
    connect: buildConnector({
      timeout: settings.connectMs,
      allowH2: false,
      ...(tls === undefined
        ? {}
        : {
            rejectUnauthorized: !tls.insecure,
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.cert === undefined ? {} : { cert: tls.cert }),
            ...(tls.key === undefined ? {} : { key: tls.key }),
            ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
          }),
    }),
  })
  const path = `${url.pathname}${url.search}`
  const base = ['accept', 'application/json, text/event-stream', 'accept-encoding', 'identity', ...settings.headers]
  const posted = ['content-type', 'application/json', ...base]
  const waiting = new Roster<PostExchange>()
  let sweeper: NodeJS.Timeout | undefined

  const sweep = () => {
    const now = performance.now()
    for (const one of waiting.all()) if (one.deadline <= now) one.expire()
    if (waiting.size === 0) {
      clearInterval(sweeper)
      sweeper = undefined
    }
  }
  const watch = (one: PostExchange) => {
    waiting.add(one)
    if (sweeper === undefined) sweeper = setInterval(sweep, sweepMs).unref()
  }

  return {
    post(request) {
      return new Promise((resolve) => {
        const exchange = new PostExchange(request, settings, (reply) => {
          waiting.remove(exchange)
          resolve(reply)
        })
        watch(exchange)
        pool.dispatch({ path, method: 'POST', headers: posted.concat(request.headers), body: request.body }, exchange)
      })
    },
    listen(request) {
      const stream = new ListenExchange(request, settings)
      const headers = (request.method === 'POST' ? posted : base).concat(request.headers)
      pool.dispatch({ path, method: request.method, headers, ...(request.body === undefined ? {} : { body: request.body }) }, stream)
      return { close: () => stream.close() }
    },
    async delete(headers) {
      await new Promise<void>((resolve) => {
        const ignored = new PostExchange({ headers, body: '', id: undefined, timeoutMs: 2000 }, settings, () => {
          waiting.remove(ignored)
          resolve()
        })
        watch(ignored)
        pool.dispatch({ path, method: 'DELETE', headers: base.concat(headers) }, ignored)
      })
    },
    async close() {
      clearInterval(sweeper)
      await pool.destroy()
    },
  }
}

type Controller = Dispatcher.DispatchController

/** What both kinds of exchange share: reading a body as JSON or as events, within the bounds. */
class BodyReader {
  private parser: SseParser | undefined
  private chunks: Buffer[] = []
  private bytes = 0
  retryMs: number | undefined
  private readonly settings: HttpSettings

  constructor(settings: HttpSettings) {
    this.settings = settings
  }

  /** Why the reply can't be read, or undefined. */
  start(type: string): void {
    if (type.startsWith('text/event-stream')) this.parser = createSseParser({ maxEventChars: this.settings.answerBytes })
  }

  get isStream(): boolean {
    return this.parser !== undefined
  }

  /** The messages that the chunk completes; only streams give any before the end. */
  feed(chunk: Buffer): Message[] | string {
    if (this.parser === undefined) {
      this.bytes += chunk.length
      if (this.bytes > this.settings.answerBytes) return `answered with more than ${this.settings.answerBytes} bytes`
      this.chunks.push(chunk)
      return []
    }
    const events = this.parser.feed(chunk)
    if (events === 'too-large') return `sent an event of more than ${this.settings.answerBytes} bytes`
    const messages: Message[] = []
    for (const event of events) {
      if (event.retry !== undefined) this.retryMs = event.retry
      if (event.data === '' || (event.event !== undefined && event.event !== 'message')) continue
      const message = scanMessage(event.data, this.settings.json)
      if (message.kind === 'fault') return `sent an event that is not JSON-RPC: ${message.text}`
      messages.push(message)
    }
    return messages
  }

  /** The body that is not a stream, whole. */
  whole(): Message | string {
    const [only] = this.chunks
    const text = decodeText(this.chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.chunks))
    if (typeof text !== 'string') return text.text
    const message = scanMessage(text, this.settings.json)
    return message.kind === 'fault' ? message.text : message
  }
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

/** One POST: settles once, with the response, with HTTP that is none, or with a failure. */
class PostExchange implements Dispatcher.DispatchHandler, Rostered {
  place = -1
  deadline: number
  private readonly lastDeadline: number
  private readonly request: Post
  private readonly settings: HttpSettings
  private settle: ((reply: Reply) => void) | undefined
  private controller: Controller | undefined
  private reader: BodyReader | undefined
  private status = 0
  private type = ''
  private session: string | undefined
  private abortReason: Failure | undefined

  constructor(request: Post, settings: HttpSettings, settle: (reply: Reply) => void) {
    this.request = request
    this.settings = settings
    this.settle = settle
    this.deadline = performance.now() + request.timeoutMs
    this.lastDeadline = this.deadline + maxProgressMs
    request.cancellation?.listen(() => this.cut({ kind: 'failed', failure: 'cancelled', text: 'the caller gave up' }))
  }

  expire(): void {
    this.cut({ kind: 'failed', failure: 'timeout', text: `did not answer within ${this.request.timeoutMs} ms` })
  }

  onRequestStart(controller: Controller): void {
    this.controller = controller
    if (this.abortReason !== undefined) controller.abort(new Error(this.abortReason.text))
  }

  onResponseStart(_controller: Controller, status: number, headers: Record<string, string | string[] | undefined>): void {
    this.status = status
    this.type = single(headers['content-type'])?.toLowerCase() ?? ''
    this.session = single(headers['mcp-session-id'])
    const coding = single(headers['content-encoding'])
    if (coding !== undefined && coding !== 'identity')
      return this.broken(`answered with content-encoding ${coding}, which was not asked for`)
    this.reader = new BodyReader(this.settings)
    this.reader.start(this.type)
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    if (this.settle === undefined) return
    const messages = this.reader?.feed(chunk) ?? []
    if (typeof messages === 'string') return this.broken(messages)
    for (const message of messages) this.take(message)
  }

  onResponseEnd(): void {
    if (this.settle === undefined) return
    const { reader, status } = this
    if (reader === undefined || reader.isStream) return this.broken('closed its stream before the answer')
    const message = this.type.startsWith('application/json') || status >= 400 ? reader.whole() : undefined
    if (message === undefined || typeof message === 'string' || !isResponse(message)) {
      if (status < 300 && typeof message === 'string' && this.request.id !== undefined)
        return this.broken(`answered with broken JSON: ${message}`)
      return this.finish({ kind: 'http', status, text: this.type })
    }
    if (this.request.id !== undefined && !this.isOwn(message)) return this.broken('answered with the id of another request')
    this.finish({ kind: 'message', status, message, session: this.session })
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.finish(this.abortReason ?? failureOf(error, this.status === 0))
  }

  private take(message: Message): void {
    const method = member(message.top, 'method')
    const name = method === undefined ? undefined : stringOf(message.text, method)
    if (name !== undefined) {
      if (name === 'notifications/progress') this.deadline = Math.min(performance.now() + this.request.timeoutMs, this.lastDeadline)
      this.request.onMessage?.(message, name)
    } else if (isResponse(message) && this.isOwn(message)) {
      this.finish({ kind: 'message', status: this.status, message, session: this.session })
      const { controller } = this
      setTimeout(() => controller?.abort(new Error('answered')), lingerMs).unref()
    }
  }

  /** Some servers answer errors with a null id: the exchange tells whose it is. */
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
    this.request.cancellation?.listen(undefined)
    settle?.(reply)
  }
}

/** A stream of the server's messages. */
class ListenExchange implements Dispatcher.DispatchHandler {
  private readonly request: Listen
  private readonly reader: BodyReader
  private controller: Controller | undefined
  private status = 0
  private isClosed = false

  constructor(request: Listen, settings: HttpSettings) {
    this.request = request
    this.reader = new BodyReader(settings)
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.controller?.abort(new Error('closed'))
  }

  onRequestStart(controller: Controller): void {
    this.controller = controller
    if (this.isClosed) controller.abort(new Error('closed'))
  }

  onResponseStart(controller: Controller, status: number, headers: Record<string, string | string[] | undefined>): void {
    this.status = status
    this.reader.start(single(headers['content-type'])?.toLowerCase() ?? '')
    if (status !== 200 || !this.reader.isStream) controller.abort(new Error('no stream'))
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    const messages = this.reader.feed(chunk)
    if (typeof messages === 'string') return controller.abort(new Error(messages))
    for (const message of messages) {
      const method = member(message.top, 'method')
      this.request.onMessage(message, method === undefined ? undefined : stringOf(message.text, method))
    }
  }

  onResponseEnd(): void {
    this.end()
  }

  onResponseError(): void {
    this.end()
  }

  private end(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.request.onEnd(this.status, this.reader.retryMs)
  }
}

function isResponse(message: Message): boolean {
  return member(message.top, 'method') === undefined && (member(message.top, 'result') ?? member(message.top, 'error')) !== undefined
}

/** Errors that come before anything was sent. */
const unreachable: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
])

function failureOf(error: Error, isBeforeReply: boolean): Failure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const isTls = code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || /CERT|SELF_SIGNED|UNABLE_TO/.test(code)
  if (unreachable.has(code) || isTls) return { kind: 'failed', failure: 'unreachable', text: `can't be reached: ${code}` }
  const when = isBeforeReply ? 'before it answered' : 'in the middle of its answer'
  return { kind: 'failed', failure: 'broken', text: `broke the connection ${when}${code === '' ? '' : `: ${code}`}` }
}
