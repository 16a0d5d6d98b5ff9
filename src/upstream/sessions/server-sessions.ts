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

/** The sessions that a legacy server gives, for calls: each legacy client's own, and those that modern clients share. */
export interface Sessions {
  /** The session that a call belongs into. */
  of(call: Call): Opening
  /** In place of one that the server no longer knows. */
  againOf(call: Call, lost: OpenSession): Opening
  /** For all calls to come; one that waits for nothing else opens nothing. */
  lose(call: Call, lost: OpenSession): void
  /** A call has left its session. */
  release(session: OpenSession): void
  own(client: ClientSession): Opening
  ownAgain(client: ClientSession, lost: OpenSession): Opening
  /** A client's own session, where it has one already. */
  find(client: ClientSession): Opening | undefined
  /** Asks the server whether it knows a session. */
  ping(met: Met, session: OpenSession): Promise<Reply>
  /** Sends a request in a client's own session; once more where that is lost and has been opened again. */
  request(client: ClientSession, method: string, params: object): Promise<Reply | Refusal>
  /** Remembers what a client's own session is told again when it has to be opened again. */
  keepLevel(client: ClientSession, level: LogLevel): void
  keepUri(client: ClientSession, uri: string, isOn: boolean): void
  /** A client's session is over: what is still under way in it opens no other and is not sent again. */
  end(client: ClientSession, isDeleted: boolean): void
  /** Ends all with which no other process may go on and, where there is none, the others too; resolves when the server has been told. */
  endAll(isLast: boolean): Promise<void>
}

export interface SessionsOptions {
  /** The server's, by which a client's session knows its own with it. */
  readonly key: string
  readonly settings: UpstreamSettings
  readonly connector: Connector
  readonly meet: MeetOptions
  /** The server as it was met; undefined where it is not there. */
  readonly met: () => Met | undefined
  /** Opens the stream of a session that able clients share, and gives what closes it. */
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

/** Own sessions known at a time. */
const maxOwn = 10_000
/** Shared ones: there are more sets of capabilities than anybody has clients for. */
const maxShared = 64
/** Clients whose sessions are over, and are known to be: the oldest are forgotten. */
const maxEnded = 10_000
/** Clients of whose levels and subscriptions is known, and subscriptions of one: the oldest are forgotten. */
const maxKept = 10_000
const maxUris = 100

const over = refuse('session-unknown', 'no longer has a session of this client, who has ended it')

export function createSessions({ key, settings, connector, meet, met, openStream }: SessionsOptions): Sessions {
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
