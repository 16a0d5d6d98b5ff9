import { createHash } from 'node:crypto'
import type { Owner } from '../../catalog/catalog.ts'
import { type ClientEra, type ClientRequest, checkParamHeaders, type Encoded, resendState, type Sealer } from '../../era/era.ts'
import {
  type Answer,
  type Ask,
  type Call,
  type Caller,
  Cancellation,
  type Capabilities,
  type ClientSession,
  type EraName,
  isAtLeast,
  type LogLevel,
  type Message,
  type Method,
  member,
  members,
  noCapabilities,
  type Refusal,
  type Resume,
  Roster,
  type Rostered,
  refuse,
  type Subject,
  splice,
  stringOf,
  textOf,
} from '../../mcp/mcp.ts'
import type { Sent } from '../../upstream/upstream.ts'
import { noteAnswer, noteRule, type Origin, ReplyStream, type Trace } from '../request/request.ts'
import { type Endpoint, held, holderOf } from '../route/route.ts'
import type { AskScope, Asks, ClientStates } from '../sessions/sessions.ts'
import { askClient, maxRounds, type RoundDeps } from './rounds.ts'
import { SuspendableCall, type Suspensions } from './suspensions.ts'

export interface CallDeps extends RoundDeps {
  readonly suspensions: Suspensions
  readonly states: () => Sealer
  readonly clients: ClientStates
}

/** Requests that one server answers: calls, prompts, reads and completions, through all their rounds. */
export interface Calls {
  /** The promise gives undefined where a stream has taken the reply over. */
  call(
    to: Endpoint,
    client: ClientEra,
    request: ClientRequest,
    message: Message,
    origin: Origin,
    trace: Trace,
  ): Promise<Encoded | undefined>
  /** A legacy client gives up on its request with this id, or on all of its session. */
  cancel(session: string, id?: string): void
}

/** What of a client's own words goes into the log. */
const maxLoggedChars = 256
/** Of the requests of legacy clients that are being asked something. */
const maxWaitingChars = 64 * 1024 * 1024
/** Of a server's own `requestState`, which its client has to carry. */
const maxStateChars = 128 * 1024

interface InFlight extends Rostered {
  readonly session: string
  readonly id: string
  readonly cancellation: Cancellation
}

export function createCalls(deps: CallDeps): Calls {
  const { asks, suspensions, clients } = deps
  /** Calls of sessions, which can be cancelled; the lines of their servers and the time-outs bound them, not the clients' connections. */
  const inFlight = new Roster<InFlight>()
  let waitingChars = 0

  return {
    cancel(session, id) {
      for (const one of inFlight.all()) if (one.session === session && (id === undefined || one.id === id)) one.cancellation.cancel()
    },
    async call(to, client, request, message, origin, trace) {
      const { subject, session } = request
      if (subject === undefined) return client.encode(refuse('internal', 'a call about nothing'), request, origin.requestId)
      trace.name = subject.name.slice(0, maxLoggedChars)
      if (trace.audit !== undefined) trace.args = argumentsOf(message)
      let owner = to.catalog.owner(subject)
      if (owner === undefined) {
        await to.catalog.settled()
        owner = to.catalog.owner(subject)
      }
      if (owner === undefined) {
        noteHidden(to, subject, trace)
        return encode(unknown(subject))
      }
      trace.server = owner.server
      trace.backend = owner.upstream.settings.backend
      const denied = deniedByRule(to, owner, request.method, message, trace)
      if (denied !== undefined) return encode(denied)
      const mismatch = client.name === 'modern' ? checkParamHeaders(owner.addressed.paramHeaders, origin.head, message) : undefined
      if (mismatch !== undefined) return encode(mismatch)
      const reply = new ReplyStream(origin)
      const round = request.resume === undefined ? undefined : openRound(to, owner, request, message, request.resume)
      if (round?.kind === 'refused') return encode(round)
      if (round?.kind === 'suspended') {
        const hooks = {
          onNotice: (text: string) => writeNotice(reply, request, message, text),
          onGone: (listener: () => void) => origin.onGone?.(listener),
        }
        return settle(await suspensions.resume(round.state, request.resume?.responses, hooks), owner, subject)
      }
      const canonical = new ClientCall(client.name, request, message, to, reply)
      canonical.resume = round?.resume
      const { cancellation } = canonical
      // A legacy client that goes away has not cancelled (2025-11-25, transports); a modern one has.
      if (client.name === 'modern') origin.onGone?.(() => cancellation.cancel())
      else
        origin.onGone?.(() => {
          cancellation.isAbandoned = true
          reply.leave()
        })
      if (session === undefined) {
        if (canonical.capabilities === noCapabilities || client.name === 'legacy')
          return settle(await owner.upstream.send(canonical, owner.addressed), owner, subject)
        return settle(await sendSuspendable(canonical, owner), owner, subject)
      }
      const state = clients.find(session)
      canonical.logLevel = state?.level
      // What it has subscribed to goes on with its newest credential.
      if (state?.endpoint !== undefined && state.endpoint.caller !== to.caller) state.endpoint = held(to, origin.head)
      canonical.asks = asks
      const underWay = { place: -1, session: session.key, id: request.id, cancellation }
      inFlight.add(underWay)
      try {
        return settle(await sendInRounds(canonical, owner), owner, subject)
      } finally {
        inFlight.remove(underWay)
      }

      function encode(answer: Answer): Encoded {
        noteAnswer(trace, answer)
        return client.encode(answer, request, origin.requestId)
      }

      function settle(sent: Sent, from: Owner, about: Subject): Encoded | undefined {
        trace.serverEra = sent.era
        trace.upstreamMs = sent.upstreamMs
        if (sent.answer.kind === 'refused' && sent.answer.reason === 'cancelled') {
          noteAnswer(trace, sent.answer)
          reply.abandon()
          return undefined
        }
        const encoded = encode(sealed(to, from, request, message, from.expose(sent.answer, request.method, about), sent.era))
        if (!reply.isOpen) return encoded
        reply.end(encoded.body)
        return undefined
      }
    },
  }

  function sendSuspendable(call: ClientCall, owner: Owner): Promise<Sent> {
    const hooks = { onNotice: (text: string) => void call.reply.write(text), onGone: () => {} }
    call.suspendable = new SuspendableCall(call.holder, call.cancellation, hooks)
    return suspensions.run(call.suspendable, () => owner.upstream.send(call, owner.addressed))
  }

  /** A legacy client is asked on its stream until the server has what it needs (2026-07-28, multi round-trip requests). */
  async function sendInRounds(call: ClientCall, owner: Owner): Promise<Sent> {
    let sent = await owner.upstream.send(call, owner.addressed)
    for (let rounds = 0; sent.answer.kind === 'input-required'; rounds++) {
      const { length } = call.message.text
      if (waitingChars + length > maxWaitingChars)
        return { ...sent, answer: refuse('upstream-busy', 'too many calls wait for their clients', { server: owner.server }) }
      waitingChars += length
      const release = owner.upstream.hold()
      try {
        const resume =
          rounds === maxRounds ? 'it asks again and again' : await askClient(deps, call.scope(), sent.answer, call.reply, call.cancellation)
        if (typeof resume === 'string') return { ...sent, answer: withoutInput(resume, owner.server, call.cancellation) }
        call.resume = resume
        sent = await owner.upstream.send(call, owner.addressed)
      } finally {
        waitingChars -= length
        release()
      }
    }
    return sent
  }

  /** A state is good for this endpoint, this caller and this server only; which request it is of stands in it. */
  function boundTo(to: Endpoint, { upstream }: Owner, request: ClientRequest): readonly string[] {
    return [to.endpoint.route, to.caller.id, upstream.key, request.method]
  }

  function sealed(to: Endpoint, owner: Owner, request: ClientRequest, message: Message, answer: Answer, era: EraName | undefined): Answer {
    if (answer.kind !== 'input-required' || answer.state === undefined) return answer
    if (answer.state.length > maxStateChars) return refuse('upstream-invalid', 'its requestState is too long', { server: owner.server })
    const kind = era === 'modern' ? 'server' : answer.state === resendState ? 'resend' : 'suspended'
    return { ...answer, state: deps.states().seal(`${kind} ${fingerprint(message)} ${answer.state}`, boundTo(to, owner, request)) }
  }

  /** What a modern client's next round goes on with. */
  function openRound(to: Endpoint, owner: Owner, request: ClientRequest, message: Message, resume: Resume): Round | Refusal {
    const isModern = owner.upstream.status().era === 'modern'
    if (resume.state === undefined) {
      if (isModern) return { kind: 'resume', resume }
      return refuse('invalid-params', 'requestState is missing: it came with the answer that asked for input')
    }
    const opened = deps.states().open(resume.state, boundTo(to, owner, request)) ?? ''
    const [kind = '', print = '', ...words] = opened.split(' ')
    if (opened === '' || print !== fingerprint(message))
      return refuse('invalid-params', 'requestState is not good here: it is too old, altered, or of another request')
    const state = words.join(' ')
    if (kind === 'suspended') return { kind, state }
    // The server speaks another era than it did in the round before: what it had begun is gone.
    if ((kind === 'server') !== isModern) return refuse('invalid-params', 'this call no longer waits for input: make it again')
    return { kind: 'resume', resume: { responses: resume.responses, state } }
  }
}

type Round = { readonly kind: 'suspended'; readonly state: string } | { readonly kind: 'resume'; readonly resume: Resume }

/** A client's request as upstreams see it. A class, since its methods cost a plain call nothing. */
class ClientCall implements Call {
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
  /** By which a legacy client is asked. Closures made in `call` would keep all that it knows alive. */
  asks: Asks | undefined
  readonly #route: string
  /** Who it is of, for the bound of what one caller may leave waiting. */
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

  /** Whose answers to what is asked in this call are taken. */
  scope(): AskScope {
    return { route: this.#route, caller: this.caller.id, session: this.session?.key ?? '' }
  }

  onNotice(message: string): void {
    if (this.suspendable === undefined) this.reply.write(message)
    else this.suspendable.onNotice(message)
  }

  onAsk(ask: Ask): void {
    if (this.suspendable !== undefined) return this.suspendable.onAsk(ask)
    const id = this.asks?.relayed(this.scope(), ask)
    if (id === undefined || !this.reply.write(`{"jsonrpc":"2.0","id":${id},"method":"${ask.method}","params":${ask.params}}`))
      return ask.reply('"error":{"code":-32000,"message":"the client can not be asked"}')
    ask.onWithdrawn(() => void this.reply.write(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`))
  }
}

/** In a later round progress goes under this round's token and log messages by this round's level; without them its client wants none. */
function writeNotice(reply: ReplyStream, { logLevel }: ClientRequest, { text, meta }: Message, notice: string): void {
  const params = member(members(notice, 0, notice.length), 'params')
  const list = params?.type === 'object' ? members(notice, params.start, params.end) : []
  const [token, level] = [member(list, 'progressToken'), member(list, 'level')]
  if (token !== undefined) {
    const own = member(meta ?? [], 'progressToken')
    if (own !== undefined) reply.write(splice(notice, [{ start: token.start, end: token.end, text: textOf(text, own) }]))
  } else if (level !== undefined) {
    if (logLevel !== undefined && isAtLeast(stringOf(notice, level), logLevel)) reply.write(notice)
  } else reply.write(notice)
}

/** JSON text of a call's arguments. */
function argumentsOf({ text, params }: Message): string | undefined {
  const found = member(params ?? [], 'arguments')
  return found === undefined ? undefined : textOf(text, found)
}

/** Who looks at the record later learns what hid it; who asked does not. */
function noteHidden({ caller, entry }: Endpoint, subject: Subject, trace: Trace): void {
  const judge = entry?.gate.judge
  const owner = judge === undefined ? undefined : entry?.whole.owner(subject)
  if (entry === undefined || judge === undefined || owner === undefined) return
  trace.server = owner.server
  noteRule(trace, judge.sees({ caller, head: entry.head }, owner.item).by)
}

/** What a rule says of this very call. What is hidden never gets this far. */
function deniedByRule({ caller, entry }: Endpoint, { item }: Owner, method: string, message: Message, trace: Trace): Refusal | undefined {
  const verdict = entry?.gate.judge?.mayCall({ caller, head: entry.head }, item, method, argumentsOf(message))
  if (verdict === undefined) return undefined
  noteRule(trace, verdict.by)
  if (verdict.isAllowed) return undefined
  return refuse('refused-by-rule', `a rule refuses this call${item.kind === 'tools' ? ' with these arguments' : ''}`)
}

function unknown(subject: Subject): Refusal {
  if (subject.kind === 'resources') return refuse('unknown-name', 'Resource not found', { data: { uri: subject.name } })
  return refuse('unknown-name', `Unknown ${subject.kind === 'tools' ? 'tool' : 'prompt'}: ${subject.name}`)
}

function withoutInput(why: string, server: string, cancellation: Cancellation): Refusal {
  if (cancellation.isCancelled) return refuse('cancelled', why)
  return refuse('upstream-invalid', `needs input that it did not get: ${why}`, { server })
}

/** Says whether two rounds are of one call: what it is about and its arguments, however their members are ordered. */
function fingerprint({ text, top }: Message): string {
  const params = member(top, 'params')
  const { _meta, inputResponses, requestState, ...own } =
    params === undefined ? {} : (JSON.parse(textOf(text, params), spelled) as Readonly<Record<string, unknown>>)
  return createHash('sha256').update(JSON.stringify(own, sortedKeys)).digest('base64url')
}

/** Numbers as they are written: two that a double can't tell apart are two. */
function spelled(_key: string, value: unknown, { source }: { readonly source?: string } = {}): unknown {
  if (typeof value === 'number') return `n${source ?? value}`
  return typeof value === 'string' ? `s${value}` : value
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
