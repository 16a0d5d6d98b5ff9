import { type LegacySession, type ListenFilter, listenFilter, listenMessages, unknownVersion } from '../../era/era.ts'
import {
  type Ask,
  type ChangeKind,
  changeKinds,
  type EventStream,
  type Exchange,
  type Head,
  lists,
  type Message,
  member,
  members,
  type Refusal,
  refuse,
  splice,
  sseComment,
  sseEvent,
  stringOf,
} from '../../mcp/mcp.ts'
import type { Metrics } from '../../observe/observe.ts'
import type { Follower, Upstream } from '../../upstream/upstream.ts'
import type { ClientCalls } from '../calls/calls.ts'
import { acceptsEvents, isModernHead, noteWithheld, type Origin, type Trace } from '../request/request.ts'
import { absenceOf, type Endpoint, holderOf, maySubscribe, type Snapshot } from '../route/route.ts'
import { type Asks, type ClientStates, ResourceWatch, visibleUri, type WatchShares } from '../sessions/sessions.ts'
import type { ChangeStreams } from './change-streams.ts'

/**
 * Requests whose reply is an event stream, and the end of sessions. Each resolves with a refusal, or with undefined where the reply was
 * made.
 */
export interface Streams {
  /** `subscriptions/listen` (2026-07-28, subscriptions). */
  openListen(to: Endpoint, message: Message, id: string, origin: Origin, trace: Trace): Promise<Refusal | undefined>
  /** A legacy client's GET (2025-11-25, transports, Listening for Messages from the Server). */
  openLegacy(to: Endpoint, exchange: Exchange, trace: Trace): Promise<Refusal | undefined>
  /** A legacy client's DELETE (2025-11-25, transports, Session Management). */
  endSession(snapshot: Snapshot, to: Endpoint, exchange: Exchange, trace: Trace): Refusal | undefined
}

export interface StreamDeps {
  readonly changes: ChangeStreams<Endpoint>
  readonly clients: ClientStates
  readonly asks: Asks
  readonly metrics: Metrics
  readonly shares: WatchShares
  readonly calls: ClientCalls
  /** An endpoint as its caller sees it now; undefined where it no longer exists, or the caller may no longer come in. */
  readonly endpointOf: (to: Endpoint) => Endpoint | undefined
}

const postOnly = refuse('not-allowed-method', 'this revision takes POST only', { headers: { allow: 'POST' } })

const legacyChanged = framed(changeKinds, (kind) => `{"jsonrpc":"2.0","method":"${lists[kind].changed}"}`)

export function createStreams({ changes, clients, asks, metrics, shares, calls, endpointOf }: StreamDeps): Streams {
  return {
    async openListen(to, message, id, origin, trace) {
      const filter = listenFilter(message)
      if ('kind' in filter) return filter
      if (origin.stream === undefined || !acceptsEvents(origin.head))
        return refuse('accept', 'subscriptions/listen answers with text/event-stream')
      await to.catalog.settled()
      const holder = holderOf(to, origin.head.remote)
      const refusal = changes.mayOpen(holder)
      if (refusal !== undefined) return refusal
      let events: EventStream | undefined
      /** Updates that arrive before the acknowledgement, which has to be the first message. */
      const early = new Set<string>()
      const update = (uri: string) => {
        if (events === undefined) early.add(uri)
        else events.push(sseEvent(listenMessages.updated(id, uri)))
      }
      const giveBack = shares.take(holder, filter.resourceSubscriptions)
      if (giveBack === undefined) return refuse('limited', 'too many subscriptions of one caller', { headers: { 'retry-after': '5' } })
      const endpointNow = () => endpointOf(to)
      const watches = filter.resourceSubscriptions.map((uri) => {
        const watch = new ResourceWatch({ endpointOf: endpointNow, uri, onUpdate: update, onStop() {} })
        return { uri, watch }
      })
      const stopAll = () => {
        for (const { watch } of watches) watch.stop()
        giveBack()
      }
      const answers = await Promise.all(watches.map(({ watch }) => watch.isGranted))
      // Asked again, since other streams may have been opened in the meantime.
      const late = changes.mayOpen(holder)
      if (late !== undefined) {
        stopAll()
        return late
      }
      // Only what is acknowledged is watched.
      const granted = watches.filter(({ watch }, i) => answers[i] || void watch.stop())
      const resourceSubscriptions = granted.map(({ uri }) => uri)
      events = origin.stream({})
      const offers = to.catalog.offers()
      const kinds = changeKinds.filter((kind) => filter[lists[kind].flag] && (kind === 'tools' || offers[kind]))
      const honoured = Object.fromEntries(changeKinds.map((kind) => [lists[kind].flag, kinds.includes(kind)])) as Flags
      events.write(sseEvent(listenMessages.acknowledged(id, { ...honoured, resourceSubscriptions })))
      for (const uri of early) update(uri)
      for (const [i, name] of filter.resourceSubscriptions.entries()) if (answers[i] !== true) noteUntold(to, name, trace)
      changes.add(
        {
          place: to,
          session: undefined,
          holder,
          expiresAtMs: to.caller.expiresAtMs,
          events,
          changed: framed(kinds, (kind) => listenMessages.changed(id, lists[kind].changed)),
          goodbye: sseEvent(listenMessages.end(id)),
          onLook() {
            for (const { watch } of granted) watch.renew()
          },
          onEnd: stopAll,
        },
        (listener) => origin.onGone?.(listener),
      )
      return undefined
    },
    async openLegacy(to, exchange, trace) {
      const { head } = exchange
      if (isModernHead(head)) return postOnly
      if (!acceptsEvents(head)) return refuse('accept', 'this is an MCP endpoint: a GET must accept text/event-stream')
      const found = sessionOf(to, head)
      if ('reason' in found) return found
      const { session } = found
      trace.clientEra = 'legacy'
      await to.catalog.settled()
      const holder = holderOf(to, head.remote)
      const refusal = changes.mayOpen(holder)
      if (refusal !== undefined) return refusal
      const events = exchange.stream({})
      events.write(sseComment())
      const state = clients.get(session)
      state.endpoint = to
      state.events = events
      const followed = new Map<Upstream, () => void>()
      const stopAll = () => {
        for (const stop of followed.values()) stop()
        followed.clear()
      }
      changes.add(
        {
          place: to,
          session: session.key,
          holder,
          expiresAtMs: to.caller.expiresAtMs,
          events,
          changed: legacyChanged,
          goodbye: undefined,
          onLook() {
            // A newer stream of the session gets the messages from now on.
            const now = endpointOf(to)
            if (state.events !== events || now === undefined) return stopAll()
            followServers(now, session, followed, events)
            for (const watch of state.watches.values()) watch.renew()
          },
          onEnd() {
            stopAll()
            if (state.events === events) state.events = undefined
          },
        },
        (listener) => exchange.onGone(listener),
      )
      changes.tend(session.key)
      return undefined
    },
    endSession(snapshot, to, exchange, trace) {
      if (isModernHead(exchange.head)) return postOnly
      const found = sessionOf(to, exchange.head)
      if ('reason' in found) return found
      const { session } = found
      trace.clientEra = 'legacy'
      to.endpoint.sessions.end(found.id, session)
      calls.cancel(session.key)
      changes.endSession(session.key)
      clients.end(session.key)
      metrics.observeSession(Date.now() - session.openedAtMs)
      for (const { upstream } of snapshot.upstreams.values()) upstream.endSession(session, true)
      exchange.reply(204, {})
      return undefined
    },
  }

  /** Opens a stream for the client's own session with each server that has sessions, and closes those of servers that are gone. */
  function followServers(to: Endpoint, session: LegacySession, followed: Map<Upstream, () => void>, events: EventStream): void {
    const wanted = new Map(to.catalog.servers().flatMap((one) => (one.upstream.hasSessions() ? [[one.upstream, one.name] as const] : [])))
    for (const [upstream, stop] of followed) {
      if (wanted.has(upstream)) continue
      stop()
      followed.delete(upstream)
    }
    for (const [upstream, name] of wanted)
      if (!followed.has(upstream)) followed.set(upstream, upstream.follow(session, followerOf(to, session, name, events)))
  }

  function followerOf(to: Endpoint, session: LegacySession, server: string, events: EventStream): Follower {
    const scope = { route: to.endpoint.route, caller: to.caller.id, session: session.key }
    return {
      onNotice(text, method) {
        const now = endpointOf(to)
        if (now === undefined) return
        if (method !== 'notifications/resources/updated') return events.write(sseEvent(text))
        const exposed = exposeUpdate(now, server, text)
        // It may have come in the midst of a call, which does not wait for this stream.
        if (exposed !== undefined) events.push(sseEvent(exposed))
      },
      drained: () => events.drained(),
      onAsk(ask: Ask) {
        const id = asks.relayed(scope, ask)
        events.write(sseEvent(`{"jsonrpc":"2.0","id":${id},"method":"${ask.method}","params":${ask.params}}`))
        ask.onWithdrawn(() => events.write(sseEvent(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`)))
      },
    }
  }
}

/** Notes that rules keep a client from hearing of a resource, if they do. */
function noteUntold(to: Endpoint, name: string, trace: Trace): void {
  const owner = to.catalog.owner({ kind: 'resources', name })
  const said = owner === undefined ? undefined : maySubscribe(to, owner.item)
  if (said?.kind === 'refused') return noteWithheld(trace, said.by)
  const absence = owner === undefined ? absenceOf(to, { kind: 'resources', name }) : undefined
  if (absence?.reason === 'hidden-by-rule') noteWithheld(trace, absence.by)
}

type Flags = Pick<ListenFilter, (typeof lists)[ChangeKind]['flag']>

function framed(kinds: readonly ChangeKind[], message: (kind: ChangeKind) => string): Readonly<Partial<Record<ChangeKind, string>>> {
  return Object.fromEntries(kinds.map((kind) => [kind, sseEvent(message(kind))]))
}

/** The update notification with the URI that the client knows; undefined for a resource that it can't see. */
function exposeUpdate(to: Endpoint, server: string, text: string): string | undefined {
  const params = member(members(text, 0, text.length), 'params')
  const uri = params?.type === 'object' ? member(members(text, params.start, params.end), 'uri') : undefined
  const own = uri === undefined ? undefined : stringOf(text, uri)
  const exposed = own === undefined ? undefined : visibleUri(to, server, own)
  return uri === undefined || exposed === undefined
    ? undefined
    : splice(text, [{ start: uri.start, end: uri.end, text: JSON.stringify(exposed) }])
}

function sessionOf(to: Endpoint, head: Head): { readonly id: string; readonly session: LegacySession } | Refusal {
  const version = unknownVersion(head)
  if (version !== undefined) return version
  const id = head.header('mcp-session-id')
  if (id === undefined) return refuse('bad-request', 'the Mcp-Session-Id header is missing')
  const session = to.endpoint.sessions.find(id, { route: to.endpoint.route, caller: to.caller.id })
  return session === undefined ? refuse('session-unknown', 'this session has ended or is not known here') : { id, session }
}
