import type { ClientRequest } from '../../era/era.ts'
import {
  type Ask,
  type Call,
  type Caller,
  Cancellation,
  type Capabilities,
  type ClientSession,
  type EraName,
  type LogLevel,
  type Message,
  type Method,
  noCapabilities,
  type Resume,
  type Subject,
} from '../../mcp/mcp.ts'
import type { ReplyStream } from '../request/request.ts'
import { type Endpoint, holderOf } from '../route/route.ts'
import type { AskScope, Asks } from '../sessions/sessions.ts'
import type { SuspendableCall } from './suspended-calls.ts'

/** A client's request as upstreams see it. It is a class so that no closures are made for a call that needs none. */
export class ClientCall implements Call {
  readonly method: Method
  readonly subject: Subject | undefined
  readonly message: Message
  readonly caller: Caller
  readonly session: ClientSession | undefined
  readonly clientEra: EraName
  readonly capabilities: Capabilities
  logLevel: LogLevel | undefined
  resume: Resume | undefined
  readonly cancellation = new Cancellation()
  readonly timeoutMs: number | undefined
  readonly reply: ReplyStream
  suspendable: SuspendableCall | undefined
  /** Set where a legacy client can be asked. It is a field because a closure would keep everything in scope of `createClientCalls` alive. */
  asks: Asks | undefined
  readonly #route: string
  /** Who the call counts for, where calls that wait are bounded per caller. */
  readonly holder: string

  constructor(era: EraName, request: ClientRequest, message: Message, to: Endpoint, reply: ReplyStream) {
    this.method = request.method
    this.subject = request.subject
    this.message = message
    this.session = request.session
    this.clientEra = era
    const canBeAsked = request.capabilities !== noCapabilities && (era === 'modern' || reply.canStream)
    this.capabilities = canBeAsked ? request.capabilities : noCapabilities
    this.logLevel = request.logLevel
    this.resume = undefined
    this.timeoutMs = to.requestMs
    this.reply = reply
    this.suspendable = undefined
    this.asks = undefined
    this.#route = to.endpoint.route
    this.caller = to.caller
    this.holder = holderOf(to, reply.remote)
  }

  /** The session and caller whose answers to requests in this call are accepted. */
  scope(): AskScope {
    return { route: this.#route, caller: this.caller.id, session: this.session?.key ?? '' }
  }

  onNotice(message: string): void {
    if (this.suspendable === undefined) this.reply.write(message)
    else this.suspendable.onNotice(message)
  }

  drained(): Promise<void> | undefined {
    return (this.suspendable ?? this.reply).drained()
  }

  onAsk(ask: Ask): void {
    if (this.suspendable !== undefined) return this.suspendable.onAsk(ask)
    const id = this.asks?.relayed(this.scope(), ask)
    if (id === undefined || !this.reply.write(`{"jsonrpc":"2.0","id":${id},"method":"${ask.method}","params":${ask.params}}`))
      return ask.reply('"error":{"code":-32000,"message":"the client can not be asked"}')
    ask.onWithdrawn(() => void this.reply.write(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`))
  }
}
