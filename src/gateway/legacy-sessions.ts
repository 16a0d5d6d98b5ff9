import { type Decoded, type Encoded, encodeInitialize, type LegacySession } from '../era/era.ts'
import { type Answer, anonymous, type LogLevel, refuse, type Subject, sseEvent } from '../mcp/mcp.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Asks } from './asks.ts'
import type { Endpoint } from './calls.ts'
import { type ClientStates, maxWatches } from './client-state.ts'
import type { Snapshot } from './snapshot.ts'

type Initialize = Extract<Decoded, { kind: 'initialize' }>
type Response = Extract<Decoded, { kind: 'response' }>

/** What only clients of the revisions with a handshake ask of their sessions. */
export interface LegacySessions {
  /** Answers `initialize` once the servers have been heard of; each that keeps sessions has opened one for this client. */
  initialize(to: Endpoint, request: Initialize): Promise<Encoded>
  /** `logging/setLevel`: for the servers' own sessions, and for the calls to come. */
  setLevel(to: Endpoint, session: LegacySession, level: LogLevel): Promise<Answer>
  /** `resources/subscribe` and `resources/unsubscribe`. */
  subscribe(to: Endpoint, session: LegacySession, subject: Subject, isOn: boolean): Promise<Answer>
  rootsChanged(to: Endpoint, session: LegacySession): void
  /** Takes a client's answer to a request of ours. */
  respond(snapshot: Snapshot, to: Endpoint, response: Response): Answer
}

/** How long `initialize` waits for the servers' own sessions; those that take longer are opened at the first call. */
const openMs = 2000
const done: Answer = { kind: 'complete', result: '{}', isError: false, hasMeta: false }

export function createLegacySessions(clients: ClientStates, asks: Asks): LegacySessions {
  return {
    async initialize(to, request) {
      await to.catalog.settled()
      const { sessions, route } = to.endpoint
      const draft = sessions.draft(request.version, request.capabilities)
      const opened = new Map<string, string>()
      const opening = withSessions(to).map(async (upstream) => {
        const id = await upstream.openSession(draft)
        if (id !== undefined) opened.set(upstream.key, id)
      })
      await within(Promise.all(opening), openMs)
      return encodeInitialize(request, to.endpoint, sessions.start(draft, new Map(opened), { route, caller: anonymous.id }))
    },
    async setLevel(to, session, level) {
      clients.get(session).level = level
      await Promise.all(withSessions(to).map((upstream) => upstream.setLevel(session, level)))
      return done
    },
    async subscribe(to, session, subject, isOn) {
      const owner = to.catalog.owner(subject)
      if (owner === undefined) return refuse('unknown-name', 'Resource not found', { data: { uri: subject.name } })
      const { upstream, addressed } = owner
      if (upstream.hasSessions()) return owner.expose(await upstream.subscribe(session, addressed.name, isOn), 'resources/read', subject)
      const state = clients.get(session)
      if (!isOn) {
        state.watches.get(subject.name)?.stop()
        state.watches.delete(subject.name)
        return done
      }
      if (state.watches.has(subject.name)) return done
      if (state.watches.size === maxWatches) return refuse('limited', `more than ${maxWatches} subscriptions of one session`)
      const watch = upstream.watch(addressed.name, (own) => state.write?.(sseEvent(updated(to.catalog.exposedUri(owner.server, own)))))
      state.watches.set(subject.name, watch)
      if (await watch.isGranted) return done
      watch.stop()
      state.watches.delete(subject.name)
      return refuse('invalid-params', 'its server tells of no updates of this resource', { data: { uri: subject.name } })
    },
    rootsChanged(to, session) {
      for (const upstream of withSessions(to)) upstream.rootsChanged(session)
    },
    respond(snapshot, to, { session, id, rest }) {
      const taken = asks.take({ route: to.endpoint.route, caller: anonymous.id, session: session.key }, id, rest)
      switch (taken.kind) {
        case 'relay':
          snapshot.upstreams.get(taken.server)?.upstream.respond(session, taken.id, rest)
          return done
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

function within(promise: Promise<unknown>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    void promise.finally(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
