import { askOf, isNotification, replyToServer, requiredFor } from '../../era/era.ts'
import { type Ask, type Capabilities, can, isWithinIdBound, type Message, member, textOf } from '../../mcp/mcp.ts'
import type { Met } from '../server/server.ts'
import type { Cause, Connector } from '../wire/wire.ts'
import { notCapable, OpenAsks, tooManyAsks, unknownMethod } from './open-asks.ts'

/** A stream on which a legacy server may make requests to one client. */
export interface AskingStream {
  readonly met: Met
  /** The server's id of the session that the stream belongs to. */
  readonly session: string | undefined
  readonly capabilities: Capabilities
  readonly maxAsks: number
  /** What happens beyond `maxAsks`: true drops the oldest request, false refuses the newest. */
  readonly isRolling: boolean
  /** The requests that are open on the stream; made at the first one. */
  asks: OpenAsks | undefined
  /** Whether the first request on this stream may be opened. */
  mayAsk(): boolean
  onAsk(ask: Ask): void
  /** Called with the number of open requests when one has come or gone. */
  onCount(count: number): void
}

/** Handles the requests that one legacy server makes. */
export interface ServerRequests {
  /**
   * Takes a message that no call wants as a notice. A request goes to the client if it declared the capability; everything else is
   * answered here.
   */
  take(stream: AskingStream, message: Message, method: string): void
  /** Takes a message on the gateway's own stream, and answers it here: the gateway has no roots, and no client to ask. */
  takeOwn(met: Met, message: Message, method: string): void
  /** Sends the response of a client to the server. */
  reply(met: Met, session: string | undefined, id: string, rest: string): void
}

/** Bound of the answers to the server that are in flight; a request of the server beyond it gets no answer. */
const maxAnswering = 16
/** Bound of the characters of all requests that are open at a time. */
const maxOpenChars = 64 * 1024 * 1024

/** @param server its key */
export function createServerRequests(server: string, connector: Connector, timeoutMs: number): ServerRequests {
  /** Streams and calls with open requests; bounded as these are. */
  const waiting = new Set<OpenAsks>()
  const room = { chars: maxOpenChars }
  let answering = 0

  function post(met: Met, session: string | undefined, id: string, rest: string, cause: Cause | undefined): Promise<unknown> {
    return connector.post({ ...replyToServer(id, rest, met.facts.version, session), cause, id: undefined, timeoutMs })
  }

  function answer(met: Met, session: string | undefined, message: Message, rest: string, cause?: Cause): void {
    const id = member(message.top, 'id')
    if (id === undefined || !isWithinIdBound(message.text, id) || answering === maxAnswering) return
    answering++
    void post(met, session, textOf(message.text, id), rest, cause).finally(() => answering--)
  }

  function openAsks(stream: AskingStream): OpenAsks {
    const { met, session, maxAsks: max, isRolling } = stream
    const asks: OpenAsks = new OpenAsks({
      server,
      session,
      max,
      isRolling,
      room,
      post: (id, rest) => void post(met, session, id, rest, 'client'),
      onCount(count) {
        if (count === 0) waiting.delete(asks)
        else waiting.add(asks)
        stream.onCount(count)
      },
    })
    return asks
  }

  return {
    take(stream, message, method) {
      const { met, session, capabilities } = stream
      if (method === 'notifications/cancelled') {
        const id = member(message.params ?? [], 'requestId')
        if (id !== undefined && isNotification(message)) stream.asks?.withdraw(textOf(message.text, id))
        return
      }
      const asked = askOf(message, method)
      if (asked === undefined) return answer(met, session, message, method === 'ping' ? '"result":{}' : unknownMethod, 'client')
      if (!can(capabilities, requiredFor(asked))) return answer(met, session, message, notCapable(asked, capabilities), 'client')
      stream.asks ??= openAsks(stream)
      if (stream.asks.has(asked.id)) return
      const ask = stream.asks.count > 0 || stream.mayAsk() ? stream.asks.add(asked) : undefined
      if (ask === undefined) answer(met, session, message, tooManyAsks, 'client')
      else stream.onAsk(ask)
    },
    takeOwn(met, message, method) {
      const rest = method === 'ping' ? '"result":{}' : method === 'roots/list' ? '"result":{"roots":[]}' : unknownMethod
      if (met.era.name === 'legacy') answer(met, met.session, message, rest)
    },
    reply(met, session, id, rest) {
      for (const asks of waiting) if (asks.session === session && asks.reply(id, rest)) return
      void post(met, session, id, rest, 'client')
    },
  }
}
