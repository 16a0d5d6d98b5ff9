import type { Capabilities, ClientSession } from '../../mcp/mcp.ts'
import type { Sealer } from '../seal.ts'

/** A legacy client's session as its sealed id tells it. Times in milliseconds since the epoch. */
export interface LegacySession extends ClientSession {
  /** The protocol revision that `initialize` settled. */
  readonly version: string
  readonly openedAtMs: number
  /** When it ends however much it is used. */
  readonly expiresAtMs: number
}

/** What a session id is good for: one route and one caller. */
export interface SessionScope {
  readonly route: string
  readonly caller: string
}

/** Opens and ends legacy sessions. The id itself holds the session; memory only knows what was seen here last and what was ended. */
export interface Sessions {
  /** A session that has no id yet: for opening the servers' sessions that it is to carry. */
  draft(version: string, capabilities: Capabilities): LegacySession
  /**
   * The id of a session: visible ASCII, at most 6,000 characters.
   * @param upstreams the servers' session ids by server (by their upstreams’ keys); what has no room in the id is left out.
   */
  start(draft: LegacySession, upstreams: ReadonlyMap<string, string>, scope: SessionScope): string
  /** The session behind an id; undefined where it is forged, of another route or caller, ended or expired. */
  find(id: string, scope: SessionScope): LegacySession | undefined
  /** Ends a session; later uses of its id find nothing in this process. */
  end(id: string, session: LegacySession): void
  /** Calls back with each session that has expired since the last sweep. */
  sweep(onExpired: (session: LegacySession) => void): void
}

export interface SessionSettings {
  readonly idleMs: number
  readonly absoluteMs: number
}

interface Seen {
  readonly session: LegacySession
  readonly scope: SessionScope
  usedAtMs: number
  /** The keys by which its id was opened last. */
  openedBy: Sealer
}

/** Sessions remembered at a time, and the characters of their ids; the first seen is forgotten first, which costs only one opening of its seal. */
const maxSeen = 20_000
const maxSeenChars = 32 * 1024 * 1024
/** Ended sessions remembered at a time, until their absolute expiry. */
const maxEnded = 20_000
/** Of what an id seals, which makes a token of at most 6,000 characters with a key id of up to 64. */
const maxPayloadBytes = 4_420

type Payload = readonly [
  key: string,
  version: string,
  openedAtMs: number,
  expiresAtMs: number,
  capabilities: Capabilities,
  upstreams: readonly (readonly [server: string, session: string])[],
]

/** What one process remembers of sessions; it outlives a change of keys or times. */
export interface SessionMemory {
  /** By session id. */
  readonly seen: Map<string, Seen>
  /** Characters of their ids. */
  seenChars: number
  /** Keys of sessions that were ended, with the time until which they would have been good. */
  readonly ended: Map<string, number>
}

/** Bounded by the sessions that it is given to. */
export function createSessionMemory(): SessionMemory {
  return { seen: new Map(), seenChars: 0, ended: new Map() }
}

export function createSessions(
  sealer: Sealer,
  settings: SessionSettings,
  now: () => number,
  random: (bytes: number) => Uint8Array,
  memory: SessionMemory = createSessionMemory(),
): Sessions {
  const { seen, ended } = memory
  const forget = (id: string) => {
    if (seen.delete(id)) memory.seenChars -= id.length
  }
  const remember = (id: string, entry: Seen) => {
    forget(id)
    seen.set(id, entry)
    memory.seenChars += id.length
    for (const [oldest] of seen) {
      if (seen.size <= maxSeen && memory.seenChars <= maxSeenChars) break
      forget(oldest)
    }
  }
  const isExpired = ({ session, usedAtMs }: Seen, at: number) =>
    at - usedAtMs > settings.idleMs || at - session.openedAtMs > settings.absoluteMs || at > session.expiresAtMs
  const noteEnd = ({ key, expiresAtMs }: LegacySession) => {
    ended.set(key, expiresAtMs)
    if (ended.size > maxEnded) for (const [oldest] of ended) if (ended.delete(oldest)) break
  }
  return {
    draft(version, capabilities) {
      const openedAtMs = now()
      const key = Buffer.from(random(12)).toString('base64url')
      return sessionOf([key, version, openedAtMs, openedAtMs + settings.absoluteMs, capabilities, []])
    },
    start({ key, version, openedAtMs, expiresAtMs, capabilities }, upstreams, scope) {
      const payload = fitted([key, version, openedAtMs, expiresAtMs, capabilities, []], upstreams)
      const id = sealer.seal(JSON.stringify(payload), boundOf(scope))
      remember(id, { session: sessionOf(payload), scope, usedAtMs: now(), openedBy: sealer })
      return id
    },
    find(id, scope) {
      const at = now()
      const known = seen.get(id)
      if (known !== undefined) {
        if (known.scope.route !== scope.route || known.scope.caller !== scope.caller) return undefined
        if (isExpired(known, at)) return undefined
        if (known.openedBy !== sealer) {
          // The keys have changed: one that is gone opens nothing any more.
          if (sealer.open(id, boundOf(scope)) === undefined) return undefined
          known.openedBy = sealer
        }
        known.usedAtMs = at
        return known.session
      }
      const text = sealer.open(id, boundOf(scope))
      if (text === undefined) return undefined
      const entry: Seen = { session: sessionOf(JSON.parse(text) as Payload), scope, usedAtMs: at, openedBy: sealer }
      if (ended.has(entry.session.key) || isExpired(entry, at)) return undefined
      remember(id, entry)
      return entry.session
    },
    end(id, session) {
      forget(id)
      noteEnd(session)
    },
    sweep(onExpired) {
      const at = now()
      for (const [id, entry] of seen) {
        if (!isExpired(entry, at)) continue
        forget(id)
        noteEnd(entry.session)
        onExpired(entry.session)
      }
      for (const [key, until] of ended) if (until < at) ended.delete(key)
    },
  }
}

function boundOf({ route, caller }: SessionScope): readonly string[] {
  return [route, caller, 'legacy']
}

/** The payload with as many of the servers' ids as it has room for, in their order. */
function fitted(bare: Payload, upstreams: ReadonlyMap<string, string>): Payload {
  const [key, version, openedAtMs, expiresAtMs, capabilities] = bare
  let room = maxPayloadBytes - Buffer.byteLength(JSON.stringify(bare))
  const kept = [...upstreams].filter((pair) => {
    const bytes = Buffer.byteLength(JSON.stringify(pair)) + 1
    if (bytes > room) return false
    room -= bytes
    return true
  })
  return [key, version, openedAtMs, expiresAtMs, capabilities, kept]
}

const none: ReadonlyMap<string, string> = new Map()

function sessionOf([key, version, openedAtMs, expiresAtMs, capabilities, upstreams]: Payload): LegacySession {
  const ids = upstreams.length === 0 ? none : new Map(upstreams)
  return { key, version, openedAtMs, expiresAtMs, capabilities, upstreamSession: (server) => ids.get(server) }
}
