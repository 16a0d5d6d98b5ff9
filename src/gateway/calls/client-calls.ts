import type { Owner } from '../../catalog/catalog.ts'
import type { ClientEra, ClientRequest, Encoded, Sealer } from '../../era/era.ts'
import { type Answer, type Message, noCapabilities, type Refusal, refuse, type Subject } from '../../mcp/mcp.ts'
import type { Sent } from '../../upstream/upstream.ts'
import { noteAnswer, type Origin, ReplyStream, type Trace } from '../request/request.ts'
import { absenceOf, type Endpoint } from '../route/route.ts'
import type { ClientStates } from '../sessions/sessions.ts'
import type { RoundDeps } from './ask-client.ts'
import { argumentsOf, checkCall } from './check-call.ts'
import { ClientCall } from './client-call.ts'
import { createRequestStates } from './request-states.ts'
import { writeNotice } from './resumed-notice.ts'
import { createSessionCalls } from './session-calls.ts'
import { SuspendableCall, type SuspendedCalls } from './suspended-calls.ts'

export interface CallDeps extends RoundDeps {
  readonly suspendedCalls: SuspendedCalls
  readonly states: () => Sealer
  readonly clients: ClientStates
}

/** Requests that one server answers: calls, prompts, reads and completions, through all their rounds. */
export interface ClientCalls {
  /** Resolves with the reply, or with undefined where the reply was a stream and is already sent. */
  call(
    to: Endpoint,
    client: ClientEra,
    request: ClientRequest,
    message: Message,
    origin: Origin,
    trace: Trace,
  ): Promise<Encoded | undefined>
  /** A legacy client cancels its request with this id or, without an id, all requests of its session. */
  cancel(session: string, id?: string): void
}

/** How many characters of a name or method that a client sent are logged. */
const maxLoggedChars = 256

export function createClientCalls(deps: CallDeps): ClientCalls {
  const { asks, suspendedCalls, clients } = deps
  const states = createRequestStates(deps.states)
  const sessions = createSessionCalls(deps)

  return {
    cancel: sessions.cancel,
    async call(to, client, request, message, origin, trace) {
      const encode = (answer: Answer): Encoded => {
        noteAnswer(trace, answer)
        return client.encode(answer, request, origin.requestId)
      }
      const { subject } = request
      if (subject === undefined) return client.encode(refuse('internal', 'a call about nothing'), request, origin.requestId)
      trace.name = subject.name.slice(0, maxLoggedChars)
      if (trace.audit !== undefined) trace.args = argumentsOf(message)
      const owner = to.catalog.owner(subject) ?? (await ownerOnceSettled(to, subject))
      if (owner === undefined) {
        trace.whyAbsent = () => absenceOf(to, subject)
        return encode(unknown(subject))
      }
      trace.server = owner.server
      trace.backend = owner.upstream.settings.backend
      const refusal = checkCall(to, owner, client, request, message, origin.head, trace)
      if (refusal !== undefined) return encode(refusal)
      const round = request.resume === undefined ? undefined : states.open(to, owner, request, message, request.resume)
      if (round?.kind === 'refused') return encode(round)
      const reply = new ReplyStream(origin)
      let sent: Sent
      if (round?.kind === 'suspended') sent = await goOn(round.state, request, message, origin, reply)
      else {
        const call = new ClientCall(client.name, request, message, to, reply)
        call.resume = round?.resume
        sent = await send(call, request.id, owner, to, origin)
      }
      trace.serverEra = sent.era
      trace.upstreamMs = sent.upstreamMs
      if (sent.answer.kind === 'refused' && sent.answer.reason === 'cancelled') {
        noteAnswer(trace, sent.answer)
        reply.abandon()
        return undefined
      }
      const answer = owner.expose(sent.answer, request.method, subject)
      const encoded = encode(states.seal(to, owner, request, message, answer, sent.era))
      if (!reply.isOpen) return encoded
      reply.end(encoded.body)
      return undefined
    },
  }

  /** Resumes a call that is suspended in this process. */
  function goOn(state: string, request: ClientRequest, message: Message, origin: Origin, reply: ReplyStream): Promise<Sent> {
    return suspendedCalls.resume(state, request.resume?.responses, {
      onNotice: (text) => writeNotice(reply, request, message, text),
      drained: () => reply.drained(),
      onGone: (listener) => origin.onGone?.(listener),
    })
  }

  /**
   * Sends a call. How depends on how its client can be asked for input: in a request on the call's stream, in another round, or not at
   * all.
   */
  function send(call: ClientCall, id: string, owner: Owner, to: Endpoint, origin: Origin): Promise<Sent> {
    const { session, cancellation, reply } = call
    // A modern client cancels by closing its connection; a legacy one that closes it has not cancelled (2025-11-25, transports).
    if (call.clientEra === 'modern') origin.onGone?.(() => cancellation.cancel())
    else
      origin.onGone?.(() => {
        cancellation.isAbandoned = true
        reply.leave()
      })
    if (session === undefined) {
      if (call.capabilities === noCapabilities || call.clientEra === 'legacy') return owner.upstream.send(call, owner.addressed)
      return sendSuspendable(call, owner)
    }
    const state = clients.find(session)
    call.logLevel = state?.level
    // The session's subscriptions go on with the newest credential.
    if (state?.endpoint !== undefined && state.endpoint.caller !== to.caller) state.endpoint = to
    call.asks = asks
    return sessions.send(call, session, id, owner)
  }

  function sendSuspendable(call: ClientCall, owner: Owner): Promise<Sent> {
    const { reply } = call
    const hooks = { onNotice: (text: string) => void reply.write(text), drained: () => reply.drained(), onGone: () => {} }
    call.suspendable = new SuspendableCall(call.holder, call.cancellation, hooks)
    return suspendedCalls.run(call.suspendable, () => owner.upstream.send(call, owner.addressed))
  }
}

async function ownerOnceSettled({ catalog }: Endpoint, subject: Subject): Promise<Owner | undefined> {
  await catalog.settled()
  return catalog.owner(subject)
}

function unknown(subject: Subject): Refusal {
  if (subject.kind === 'resources') return refuse('unknown-name', 'Resource not found', { data: { uri: subject.name } })
  return refuse('unknown-name', `Unknown ${subject.kind === 'tools' ? 'tool' : 'prompt'}: ${subject.name}`)
}
