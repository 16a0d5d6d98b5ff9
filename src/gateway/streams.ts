import { type LegacySession, listenFilter, listenMessages } from '../era/era.ts'
import { anonymous, type Exchange, type Head, type Message, type Refusal, refuse, sseComment, sseEvent } from '../mcp/mcp.ts'
import type { Metrics } from '../observe/observe.ts'
import type { ChangeStreams } from './change-streams.ts'
import type { Endpoint, Origin } from './dispatch.ts'
import { acceptsEvents, isModernHead } from './negotiate.ts'
import type { Snapshot } from './snapshot.ts'
import type { Trace } from './trace.ts'

/** What has no answer but a stream, and the end of sessions. Each gives a refusal, or has made the reply. */
export interface Streams {
  /** `subscriptions/listen` (2026-07-28, subscriptions). */
  openListen(to: Endpoint, message: Message, id: string, origin: Origin): Promise<Refusal | undefined>
  /** A legacy client's GET (2025-11-25, transports, Listening for Messages from the Server). */
  openLegacy(to: Endpoint, exchange: Exchange, trace: Trace): Promise<Refusal | undefined>
  /** A legacy client's DELETE (2025-11-25, transports, Session Management). */
  endSession(snapshot: Snapshot, to: Endpoint, exchange: Exchange, trace: Trace): Refusal | undefined
}

const legacyChanged = sseEvent('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}')
const postOnly = refuse('not-allowed-method', 'this revision takes POST only', { headers: { allow: 'POST' } })

export function createStreams({ changes, metrics }: { readonly changes: ChangeStreams; readonly metrics: Metrics }): Streams {
  return {
    async openListen(to, message, id, origin) {
      const filter = listenFilter(message)
      if ('kind' in filter) return filter
      if (origin.stream === undefined || !acceptsEvents(origin.head))
        return refuse('accept', 'subscriptions/listen answers with text/event-stream')
      await to.catalog.settled()
      const refusal = changes.mayOpen(origin.head.remote)
      if (refusal !== undefined) return refusal
      const events = origin.stream({})
      events.write(sseEvent(listenMessages.acknowledged(id, filter)))
      const changed = filter.toolsListChanged ? sseEvent(listenMessages.toolsChanged(id)) : undefined
      const goodbye = sseEvent(listenMessages.end(id))
      changes.add(
        { route: to.name, session: undefined, holder: origin.head.remote, events, changed, goodbye },
        to.catalog.revision(),
        (listener) => origin.onGone?.(listener),
      )
      return undefined
    },
    async openLegacy(to, exchange, trace) {
      const { head } = exchange
      if (isModernHead(head)) return postOnly
      if (!acceptsEvents(head)) return refuse('accept', 'this is an MCP endpoint: a GET must accept text/event-stream')
      const session = sessionOf(to, head)
      if ('reason' in session) return session
      trace.clientEra = 'legacy'
      await to.catalog.settled()
      const refusal = changes.mayOpen(head.remote)
      if (refusal !== undefined) return refusal
      const events = exchange.stream({})
      events.write(sseComment())
      const stream = {
        route: to.name,
        session: session.session.key,
        holder: head.remote,
        events,
        changed: legacyChanged,
        goodbye: undefined,
      }
      changes.add(stream, to.catalog.revision(), (listener) => exchange.onGone(listener))
      return undefined
    },
    endSession(snapshot, to, exchange, trace) {
      if (isModernHead(exchange.head)) return postOnly
      const session = sessionOf(to, exchange.head)
      if ('reason' in session) return session
      trace.clientEra = 'legacy'
      to.endpoint.sessions.end(session.id, session.session)
      changes.endSession(session.session.key)
      metrics.observeSession(Date.now() - session.session.openedAtMs)
      for (const { upstream } of snapshot.upstreams.values()) upstream.endSession(session.session.key)
      exchange.reply(204, {})
      return undefined
    },
  }
}

function sessionOf(to: Endpoint, head: Head): { readonly id: string; readonly session: LegacySession } | Refusal {
  const id = head.header('mcp-session-id')
  if (id === undefined) return refuse('bad-request', 'the Mcp-Session-Id header is missing')
  const session = to.endpoint.sessions.find(id, { route: to.endpoint.route, caller: anonymous.id })
  return session === undefined ? refuse('session-unknown', 'this session has ended or is not known here') : { id, session }
}
