import { headersFor, legacyRequest } from '../../era/era.ts'
import {
  type Call,
  type Capabilities,
  type ClientSession,
  capability,
  type LogLevel,
  noCapabilities,
  type Refusal,
  refuse,
} from '../../mcp/mcp.ts'
import { isSessionLost, type MeetOptions, type Met, shakeHands, type UpstreamSettings } from '../server/server.ts'
import type { Cause, Connector, Reply } from '../wire/wire.ts'
import { createSessionPool, type Opening, type OpenSession, openSession } from './session-pool.ts'

/** The sessions with one legacy server in which calls are made: one for each legacy client, and some that modern clients share. */
export interface ServerSessions {
  /** The session in which a call is made. */
  of(call: Call): Opening
  /** A new session in place of one that the server no longer knows. */
  againOf(call: Call, lost: OpenSession): Opening
  /** Takes note that a session is lost, without opening another one yet. */
  lose(call: Call, lost: OpenSession): void
  /** Takes note that a call in a session has ended. */
  release(session: OpenSession): void
  own(client: ClientSession): Opening
  ownAgain(client: ClientSession, lost: OpenSession): Opening
  /** A client's own session, if it has one already. */
  find(client: ClientSession): Opening | undefined
  /** Sends `ping` in a session, to learn whether the server still knows it. */
  ping(met: Met, session: OpenSession): Promise<Reply>
  /** Sends a request in a client's own session. If that was lost, opens it again and sends the request once more. */
  request(client: ClientSession, method: string, params: object): Promise<Reply | Refusal>
  /** Remembers a client's log level, to set it again when its session is opened again; `keepUri` does the same for subscriptions. */
  keepLevel(client: ClientSession, level: LogLevel): void
  keepUri(client: ClientSession, uri: string, isOn: boolean): void
  /** Ends a client's session. Calls in flight in it open no other session and are not sent again. */
  end(client: ClientSession, isDeleted: boolean): void
  /**
   * Ends all sessions that no other process may continue; if there is no other process, all of them. Resolves when the server has been
   * told.
   */
  endAll(isLast: boolean): Promise<void>
}

export interface ServerSessionsOptions {
  /** The server's key, under which a client's sealed session id holds the server's session id. */
  readonly key: string
  readonly settings: UpstreamSettings
  readonly connector: Connector
  readonly meet: MeetOptions
  /** The server as it was met; undefined where it is down. */
  readonly met: () => Met | undefined
  /** Opens the stream of a shared session whose clients have capabilities; returns a function that closes it. */
  readonly openStream: (met: Met, session: string) => () => void
}

interface Sharing {
  readonly key: string
  readonly capabilities: Capabilities
  readonly level: LogLevel | undefined
}

interface Kept {
  level: LogLevel | undefined
  readonly uris: Set<string>
}

/** Bound of the sessions of single clients. */
const maxOwn = 10_000
/**
 * Bound of the shared sessions, each of which is for one set of capabilities and log level. Clients of one installation have far fewer such
 * sets.
 */
const maxShared = 64
/** Bound of the clients whose ended sessions are remembered; the oldest are forgotten. */
const maxEnded = 10_000
/**
 * Bounds of the clients whose log levels and subscriptions are remembered (the oldest are forgotten), and of the subscriptions of one
 * client.
 */
const maxKept = 10_000
const maxUris = 100

const over = refuse('session-unknown', 'no longer has a session of this client, who has ended it')

export function createServerSessions({ key, settings, connector, meet, met, openStream }: ServerSessionsOptions): ServerSessions {
  const ended = new Set<string>()
  const kept = new Map<string, Kept>()
  const own = createSessionPool<ClientSession>({
    max: maxOwn,
    open: openOwn,
    adopt: (client) => client.upstreamSession(key),
    onEvicted: endUnused,
  })
  const shared = createSessionPool<Sharing>({ max: maxShared, open: openShared, adopt: () => undefined, onEvicted: endShared })

  async function openOwn(client: ClientSession): Promise<OpenSession | Refusal> {
    const session = await open(client.capabilities)
    const known = kept.get(client.key)
    if (session.kind === 'refused' || known === undefined) return session
    if (known.level !== undefined && met()?.facts.offers.logging) await request(session, 'logging/setLevel', { level: known.level })
    for (const uri of known.uris) void request(session, 'resources/subscribe', { uri })
    return session
  }

  async function openShared({ capabilities, level }: Sharing): Promise<OpenSession | Refusal> {
    const session = await open(capabilities)
    if (session.kind === 'refused') return session
    if (level !== undefined) await request(session, 'logging/setLevel', { level })
    const current = met()
    if (capabilities !== noCapabilities && current !== undefined && session.id !== undefined)
      session.closeStream = openStream(current, session.id)
    return session
  }

  async function open(capabilities: Capabilities): Promise<OpenSession | Refusal> {
    const found = await shakeHands(connector, meet, capabilities, 'client')
    return found.kind === 'refused' ? found : openSession(found.session, false)
  }

  async function request(session: OpenSession, method: string, params: object): Promise<Reply> {
    const current = met()
    return current === undefined ? { kind: 'failed', failure: 'unreachable', text: 'is down' } : post(current, session, method, params)
  }

  function post({ facts }: Met, session: OpenSession, method: string, params: object): Promise<Reply> {
    const id = meet.nextId()
    const outbound = legacyRequest(id, method, params, facts.version, session.id)
    return connector.post({ ...outbound, cause: 'client', id, timeoutMs: settings.listMs })
  }

  async function tellEnd({ id }: OpenSession, cause?: Cause): Promise<void> {
    const current = met()
    if (id !== undefined && current !== undefined) await connector.delete(headersFor(current.facts.version, id), cause)
  }

  function endUnused(session: OpenSession): void {
    if (!session.isHandedOut && session.users === 0) void tellEnd(session, 'client')
  }

  function endShared(session: OpenSession): void {
    session.closeStream?.()
    endUnused(session)
  }

  function sharingOf({ capabilities, logLevel }: Call): Sharing {
    const able = capabilities & ~capability.rootsChange
    const level = met()?.facts.offers.logging ? logLevel : undefined
    return { key: `${able} ${level ?? ''}`, capabilities: able, level }
  }

  function keptOf(client: ClientSession): Kept {
    const known = kept.get(client.key)
    if (known !== undefined) return known
    const fresh: Kept = { level: undefined, uris: new Set() }
    kept.set(client.key, fresh)
    if (kept.size > maxKept) for (const [oldest] of kept) if (kept.delete(oldest)) break
    return fresh
  }

  function ownOf(client: ClientSession): Opening {
    return ended.has(client.key) ? Promise.resolve(over) : own.get(client)
  }

  function ownAgain(client: ClientSession, lost: OpenSession): Opening {
    lost.closeStream?.()
    return ended.has(client.key) ? Promise.resolve(over) : own.again(client, lost)
  }

  return {
    of: (call) => (call.session === undefined ? shared.get(sharingOf(call)) : ownOf(call.session)),
    againOf(call, lost) {
      if (call.session !== undefined) return ownAgain(call.session, lost)
      lost.closeStream?.()
      return shared.again(sharingOf(call), lost)
    },
    lose(call, lost) {
      lost.closeStream?.()
      if (call.session === undefined) shared.lose(sharingOf(call).key, lost)
      else own.lose(call.session.key, lost)
    },
    release(session) {
      session.users--
      if (session.isEvicted) endUnused(session)
    },
    own: ownOf,
    ownAgain,
    find: (client) => (ended.has(client.key) ? undefined : own.find(client)),
    ping: (current, session) => post(current, session, 'ping', {}),
    async request(client, method, params) {
      const session = await ownOf(client)
      if (session.kind === 'refused') return session
      const reply = await request(session, method, params)
      if (!isSessionLost(reply, session.id)) return reply
      const again = await ownAgain(client, session)
      return again.kind === 'refused' ? again : request(again, method, params)
    },
    keepLevel(client, level) {
      keptOf(client).level = level
    },
    keepUri(client, uri, isOn) {
      if (!isOn) return void kept.get(client.key)?.uris.delete(uri)
      const { uris } = keptOf(client)
      if (uris.size < maxUris) uris.add(uri)
    },
    end(client, isDeleted) {
      const found = own.find(client)
      own.remove(client.key)
      kept.delete(client.key)
      ended.add(client.key)
      if (ended.size > maxEnded) for (const oldest of ended) if (ended.delete(oldest)) break
      if (found === undefined) return
      void Promise.resolve(found).then((session) => {
        if (session.kind === 'session' && (isDeleted || !session.isHandedOut)) void tellEnd(session, 'client')
      })
    },
    async endAll(isLast) {
      const opened = await Promise.all([...own.drain(), ...shared.drain()])
      const all = opened.filter((session) => session.kind === 'session')
      for (const session of all) session.closeStream?.()
      await Promise.all(all.map((session) => (isLast || !session.isHandedOut ? tellEnd(session) : undefined)))
    },
  }
}
