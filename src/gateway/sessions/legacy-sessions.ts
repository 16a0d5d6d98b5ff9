import { type Decoded, type Encoded, encodeInitialize, type LegacySession } from '../../era/era.ts'
import { type Answer, can, capability, type LogLevel, type Refusal, refuse, type Subject, sseEvent, within } from '../../mcp/mcp.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import type { Endpoint } from '../route/route.ts'
import type { Asks } from './asks.ts'
import { type ClientStates, maxWatches } from './client-state.ts'
import { ResourceWatch } from './resource-watch.ts'
import type { WatchShares } from './watch-shares.ts'

type Initialize = Extract<Decoded, { kind: 'initialize' }>
type Response = Extract<Decoded, { kind: 'response' }>

/** The requests and notifications that only revisions with a handshake have, all about the client's session. */
export interface LegacySessions {
  /** Answers `initialize`. First opens a session for this client with each server that has sessions, as far as servers answer in time. */
  initialize(to: Endpoint, request: Initialize): Promise<Encoded>
  /** `logging/setLevel`: for the servers' own sessions, and for the calls to come. */
  setLevel(to: Endpoint, session: LegacySession, level: LogLevel): Promise<Answer>
  /** `resources/subscribe` and `resources/unsubscribe`. */
  subscribe(to: Endpoint, holder: string, session: LegacySession, subject: Subject, isOn: boolean): Promise<Answer>
  rootsChanged(to: Endpoint, session: LegacySession): void
  /** Takes a client's response to a request. @param upstreamOf finds a server by its key, also one that is being closed */
  respond(upstreamOf: (key: string) => Upstream | undefined, to: Endpoint, response: Response): Answer
}

export interface LegacySessionDeps {
  readonly clients: ClientStates
  readonly asks: Asks
  readonly shares: WatchShares
  /** An endpoint as its caller sees it now; undefined where it no longer exists, or the caller may no longer come in. */
  readonly endpointOf: (to: Endpoint) => Endpoint | undefined
  /** performance.now() or alike. */
  readonly now: () => number
}

/** How long `initialize` waits for servers to open sessions. What takes longer is opened at the first call. */
const openMs = 2000
/** How long a server that took longer is not asked to open sessions during `initialize`. */
const slowMs = 30_000
/** Longer session ids of servers are not sealed into the client's session id, so that there is room for those of other servers. */
const maxIdChars = 512
const done: Answer = { kind: 'complete', result: '{}', isError: false, hasMeta: false }

export function createLegacySessions({ clients, asks, shares, now, endpointOf }: LegacySessionDeps): LegacySessions {
  /** Since when each server has been opening a session, without success so far. */
  const opening = new WeakMap<Upstream, number>()
  const isSlow = (upstream: Upstream) => {
    const ms = now() - (opening.get(upstream) ?? now())
    return ms > openMs && ms < slowMs
  }
  const open = async (upstream: Upstream, draft: LegacySession): Promise<string | undefined> => {
    if (now() - (opening.get(upstream) ?? Number.NEGATIVE_INFINITY) >= slowMs) opening.set(upstream, now())
    const id = await upstream.openSession(draft)
    // A server that refuses at once is not slow.
    if (id !== undefined || !isSlow(upstream)) opening.delete(upstream)
    return id !== undefined && id.length <= maxIdChars ? id : undefined
  }

  return {
    async initialize(to, request) {
      await to.catalog.settled()
      const { sessions, route } = to.endpoint
      const draft = sessions.draft(request.version, request.capabilities)
      const upstreams = withSessions(to)
      const opened = new Map<Upstream, string>()
      const waits = upstreams
        .filter((upstream) => !isSlow(upstream))
        .map(async (upstream) => {
          const id = await open(upstream, draft)
          if (id !== undefined) opened.set(upstream, id)
        })
      await within(openMs, Promise.all(waits))
      // In the document's order and not in that of the answers, since there may not be room for all.
      const ids = upstreams.flatMap((upstream) => {
        const id = opened.get(upstream)
        return id === undefined ? [] : [[upstream.key, id] as const]
      })
      return encodeInitialize(request, to.endpoint, sessions.start(draft, new Map(ids), { route, caller: to.caller.id }))
    },
    async setLevel(to, session, level) {
      clients.get(session).level = level
      await Promise.all(to.catalog.servers().map(({ upstream }) => upstream.setLevel(session, level)))
      return done
    },
    async subscribe(to, holder, session, subject, isOn) {
      const { name: uri } = subject
      const owner = to.catalog.owner(subject)
      if (owner === undefined) return refuse('unknown-name', 'Resource not found', { data: { uri } })
      const { upstream, addressed } = owner
      const shared = clients.find(session)?.watches
      const known = shared?.get(uri)
      if (known !== undefined && (!isOn || known.upstream !== upstream)) {
        known.stop()
        shared?.delete(uri)
      }
      if (upstream.hasSessions()) return owner.expose(await upstream.subscribe(session, addressed.name, isOn), 'resources/read', subject)
      if (!isOn) return done
      const state = clients.get(session)
      const { watches } = state
      state.endpoint = to
      const same = watches.get(uri)
      if (same !== undefined) return (await same.isGranted) ? done : untold(subject)
      const onStop = watches.size === maxWatches ? undefined : shares.take(holder, [uri])
      if (onStop === undefined) return refuse('limited', `more than ${maxWatches} subscriptions of one session, or too many of one caller`)
      const onUpdate = (changed: string) => clients.find(session)?.events?.push(sseEvent(updated(changed)))
      const watch = new ResourceWatch({ endpointOf: () => endpointOf(state.endpoint ?? to), uri, onUpdate, onStop })
      watches.set(uri, watch)
      if (await watch.isGranted) return done
      watch.stop()
      if (watches.get(uri) === watch) watches.delete(uri)
      return untold(subject)
    },
    rootsChanged(to, session) {
      if (!can(session.capabilities, capability.rootsChange)) return
      for (const upstream of withSessions(to)) upstream.rootsChanged(session)
    },
    respond(upstreamOf, to, { session, id, rest }) {
      const taken = asks.take({ route: to.endpoint.route, caller: to.caller.id, session: session.key }, id, rest)
      switch (taken.kind) {
        case 'relay': {
          const upstream = upstreamOf(taken.server)
          if (upstream === undefined) return refuse('bad-request', 'the server that asked is no longer there')
          upstream.respond(session, taken.id, rest)
          return done
        }
        case 'taken':
        case 'late':
          return done
        case 'elsewhere':
          return refuse('bad-request', 'another replica waits for this response: it did not get there')
        case 'unknown':
          return refuse('bad-request', 'a response to no request of ours')
      }
    },
  }
}

function untold({ name }: Subject): Refusal {
  return refuse('invalid-params', 'its server tells of no updates of this resource', { data: { uri: name } })
}

/** JSON text of the notification that a resource has changed. */
export function updated(uri: string): string {
  return `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":${JSON.stringify(uri)}}}`
}

/** The servers that keep a session for each client. */
export function withSessions(to: Endpoint): readonly Upstream[] {
  return to.catalog
    .servers()
    .map(({ upstream }) => upstream)
    .filter((upstream) => upstream.hasSessions())
}
