import { type ClientEra, checkParamHeaders, type Decoded, type Encoded, eraOf, legacyClient, type Shape } from '../era/era.ts'
import {
  type Answer,
  anonymous,
  type Call,
  Cancellation,
  type EventStream,
  type Head,
  type Message,
  member,
  type Refusal,
  Roster,
  type Rostered,
  refusalReply,
  refuse,
  sseEvent,
} from '../mcp/mcp.ts'
import { acceptsEvents } from './negotiate.ts'
import type { Target } from './snapshot.ts'
import type { Streams } from './streams.ts'
import { noteAnswer, noteMeta, noteRefusal, type Trace } from './trace.ts'

export type Endpoint = Extract<Target, { kind: 'catalog' }>

export interface DispatchDeps {
  readonly modernClient: ClientEra
}

/** Where a message came from: an exchange, or a place in a batch, which can't be streamed to. */
export interface Origin {
  readonly head: Head
  readonly requestId: string
  onGone?(listener: () => void): void
  readonly stream: ((headers: Readonly<Record<string, string>>) => EventStream) | undefined
}

/** What of a client's own words goes into the log. */
const maxLoggedChars = 256

interface InFlight extends Rostered {
  readonly session: string
  readonly id: string
  readonly cancellation: Cancellation
}

type Request = Extract<Decoded, { kind: 'request' }>

/** Takes one message to its reply; the promise gives undefined where a stream has taken the reply over. */
export type Dispatch = (to: Endpoint, message: Message, shape: Shape, origin: Origin, trace: Trace) => Promise<Encoded | undefined>

export function createDispatch(deps: DispatchDeps, streams: Streams): Dispatch {
  /** Calls of sessions, which can be cancelled; the lines of their servers and the time-outs bound them, not the clients' connections. */
  const inFlight = new Roster<InFlight>()

  return async (to, message, shape, origin, trace) => {
    const id = shape.kind === 'request' ? shape.id : undefined
    trace.method = shape.kind === 'response' ? 'response' : shape.method.slice(0, maxLoggedChars)
    noteMeta(trace, message)
    const era = eraOf(origin.head, message, shape)
    if (typeof era !== 'string') return refused(era, id, 'modern')
    trace.clientEra = era
    const client = era === 'modern' ? deps.modernClient : legacyClient
    const decoded = client.decode(origin.head, message, shape, to.endpoint, anonymous)
    switch (decoded.kind) {
      case 'reply':
        return decoded.reply
      case 'refused':
        return refused(decoded, id, era)
      case 'cancel':
        for (const one of inFlight.all()) if (one.session === decoded.session.key && one.id === decoded.id) one.cancellation.cancel()
        return { status: 202, headers: {}, body: undefined }
      case 'request':
        if (decoded.method === 'subscriptions/listen') {
          const refusal = await streams.openListen(to, message, decoded.id, origin)
          return refusal === undefined ? undefined : refused(refusal, decoded.id, 'modern')
        }
        if (decoded.method === 'tools/list') return encode(await list(), decoded)
        return call(decoded)
    }

    function list(): Answer | Promise<Answer> {
      // Lists have one page: a cursor can only be another server's, or made up (2026-07-28, pagination, Error Handling).
      const cursor = member(message.params ?? [], 'cursor')
      return cursor === undefined || cursor.type === 'null' ? to.catalog.list(client.name) : refuse('invalid-params', 'unknown cursor')
    }

    function refused(refusal: Refusal, refusedId: string | undefined, of: typeof client.name): Encoded {
      noteRefusal(trace, refusal)
      return refusalReply(refusal, refusedId, origin.requestId, of)
    }

    function encode(answer: Answer, request: Request): Encoded {
      noteAnswer(trace, answer)
      return client.encode(answer, request.id, request.method, origin.requestId)
    }

    async function call(request: Request): Promise<Encoded | undefined> {
      const { id: requestId, method, session } = request
      const subject = request.subject ?? ''
      trace.name = subject.slice(0, maxLoggedChars)
      let owner = to.catalog.owner(subject)
      if (owner === undefined) {
        await to.catalog.settled()
        owner = to.catalog.owner(subject)
      }
      if (owner === undefined) return encode(refuse('unknown-name', `Unknown tool: ${subject}`), request)
      trace.server = owner.server
      const mismatch = client.name === 'modern' ? checkParamHeaders(owner.tool.paramHeaders, origin.head, message) : undefined
      if (mismatch !== undefined) return encode(mismatch, request)
      trace.backend = owner.upstream.settings.backend
      const cancellation = new Cancellation()
      // A legacy client that goes away has not cancelled (2025-11-25, transports); a modern one has.
      if (client.name === 'modern') origin.onGone?.(() => cancellation.cancel())
      else
        origin.onGone?.(() => {
          cancellation.isAbandoned = true
        })
      const underWay = session === undefined ? undefined : { place: -1, session: session.key, id: requestId, cancellation }
      if (underWay !== undefined) inFlight.add(underWay)
      let stream: EventStream | undefined
      const canonical: Call = {
        method,
        subject,
        message,
        caller: anonymous,
        session: session?.key,
        clientEra: client.name,
        cancellation,
        timeoutMs: to.requestMs,
        onNotice(notice) {
          if (stream === undefined && acceptsEvents(origin.head)) stream = origin.stream?.({})
          stream?.write(sseEvent(notice))
        },
      }
      const sent = await owner.upstream.send(canonical, owner.tool)
      if (underWay !== undefined) inFlight.remove(underWay)
      trace.serverEra = sent.era
      trace.upstreamMs = sent.upstreamMs
      if (sent.answer.kind === 'refused' && sent.answer.reason === 'cancelled') {
        // Nobody waits for an answer any more, but the reply has to end.
        noteAnswer(trace, sent.answer)
        stream ??= origin.stream?.({})
        stream?.end()
        return undefined
      }
      const reply = encode(sent.answer, request)
      if (stream === undefined) return reply
      stream.write(sseEvent(reply.body ?? ''))
      stream.end()
      return undefined
    }
  }
}
