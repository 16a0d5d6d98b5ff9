import {
  type ClientEra,
  type ClientRequest,
  type Decoded,
  discoverResult,
  type Encoded,
  encodeLegacy,
  eraOf,
  legacyClient,
  type Shape,
} from '../era/era.ts'
import { type Answer, listedBy, type Message, member, type Refusal, refusalReply, refuse, stringOf } from '../mcp/mcp.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { ClientCalls } from './calls/calls.ts'
import { noteAnswer, noteDenial, noteMeta, noteRefusal, type Origin, type Trace } from './request/request.ts'
import { absenceOf, type Endpoint, holderOf, maySubscribe } from './route/route.ts'
import type { LegacySessions } from './sessions/sessions.ts'
import type { Streams } from './streams/streams.ts'

export interface DispatchDeps {
  readonly modernClient: ClientEra
  readonly calls: ClientCalls
  readonly sessions: LegacySessions
  readonly streams: Streams
  /** Finds a server by its key, also one that is being closed. */
  readonly upstreamOf: (key: string) => Upstream | undefined
}

/** How many characters of a name or method that a client sent are logged. */
const maxLoggedChars = 256

/** Handles one message. Resolves with its reply, or with undefined where the reply was a stream and is already sent. */
export type Dispatch = (to: Endpoint, message: Message, shape: Shape, origin: Origin, trace: Trace) => Promise<Encoded | undefined>

const accepted: Encoded = { status: 202, headers: {}, body: undefined }

export function createDispatch({ modernClient, calls, sessions, streams, upstreamOf }: DispatchDeps): Dispatch {
  return async (to, message, shape, origin, trace) => {
    const id = shape.kind === 'request' ? shape.id : undefined
    trace.method = shape.kind === 'response' ? 'response' : shape.method.slice(0, maxLoggedChars)
    noteMeta(trace, message)
    const era = eraOf(origin.head, message, shape)
    if (typeof era !== 'string') return refused(era, id, 'modern')
    trace.clientEra = era
    const client = era === 'modern' ? modernClient : legacyClient
    const decoded = client.decode(origin.head, message, shape, to.endpoint, to.caller)
    switch (decoded.kind) {
      case 'request':
        if (decoded.subject !== undefined) return calls.call(to, client, decoded, message, origin, trace)
        return serve(decoded)
      case 'reply':
        return decoded.reply
      case 'refused':
        return refused(decoded, id, era)
      case 'initialize':
        return sessions.initialize(to, decoded)
      case 'cancel':
        calls.cancel(decoded.session.key, decoded.id)
        return accepted
      case 'roots-changed':
        sessions.rootsChanged(to, decoded.session)
        return accepted
      case 'response': {
        const answer = sessions.respond(upstreamOf, to, decoded)
        return answer.kind === 'refused' ? refused(answer, undefined, era) : accepted
      }
      case 'level':
        return answered(await sessions.setLevel(to, decoded.session, decoded.level), decoded.id, 'logging/setLevel')
      case 'subscribe':
        return subscribe(decoded)
    }

    async function subscribe({ session, subject, isOn, id: requestId }: Extract<Decoded, { kind: 'subscribe' }>): Promise<Encoded> {
      trace.name = subject.name.slice(0, maxLoggedChars)
      const item = isOn ? to.catalog.owner(subject)?.item : undefined
      const said = item === undefined ? undefined : maySubscribe(to, item)
      if (said?.kind === 'refused') {
        noteDenial(trace, said.by)
        return answered(said, requestId, 'resources/subscribe')
      }
      const answer = await sessions.subscribe(to, holderOf(to, origin.head.remote), session, subject, isOn)
      if (answer.kind === 'refused' && answer.reason === 'unknown-name') trace.whyAbsent = () => absenceOf(to, subject)
      return answered(answer, requestId, 'resources/subscribe')
    }

    async function serve(request: ClientRequest): Promise<Encoded | undefined> {
      if (request.method === 'subscriptions/listen') {
        const refusal = await streams.openListen(to, message, request.id, origin, trace)
        return refusal === undefined ? undefined : refused(refusal, request.id, era === 'legacy' ? 'legacy' : 'modern')
      }
      const kind = listedBy(request.method)
      if (kind !== undefined) return encode(await list(request, kind), request)
      await to.catalog.settled()
      return encode(discoverResult(to.endpoint), request)
    }

    async function list(request: ClientRequest, kind: NonNullable<ReturnType<typeof listedBy>>): Promise<Answer> {
      const found = member(message.params ?? [], 'cursor')
      const cursor = found === undefined || found.type === 'null' ? undefined : stringOf(message.text, found)
      if (found !== undefined && found.type !== 'null' && cursor === undefined)
        return refuse('invalid-params', 'params.cursor must be a string')
      const { answer, withheld } = await to.catalog.list(kind, request.dialect, cursor, [to.endpoint.route, to.caller.id])
      trace.withheld = withheld
      return answer
    }

    function encode(answer: Answer, request: ClientRequest): Encoded {
      noteAnswer(trace, answer)
      return client.encode(answer, request, origin.requestId)
    }

    /** Encodes the answer to a request that only revisions with a handshake have. */
    function answered(answer: Answer, requestId: string, method: string): Encoded {
      noteAnswer(trace, answer)
      return encodeLegacy(answer, { id: requestId, method, version: undefined }, origin.requestId)
    }

    function refused(refusal: Refusal, refusedId: string | undefined, of: typeof client.name): Encoded {
      noteRefusal(trace, refusal)
      return refusalReply(refusal, refusedId, origin.requestId, of)
    }
  }
}
