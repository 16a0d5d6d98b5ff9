import type { Capabilities, ClientSession } from '../../mcp/mcp.ts'
import type { Sealer } from '../seal.ts'

/** A legacy client's session, as its sealed id holds it. Times are in milliseconds since the epoch. */
export interface LegacySession extends ClientSession {
  /** The protocol revision that `initialize` negotiated. */
  readonly version: string
  readonly openedAtMs: number
  /** When the session expires, even if it is in use. */
  readonly expiresAtMs: number
}

/** What a session id is bound to: one endpoint and one caller. */
export interface SessionScope {
  readonly route: string
  readonly caller: string
}

/**
 * Opens and ends legacy sessions. The sealed id itself holds the session; memory only holds when a session was last used in this process,
 * and which sessions were ended here.
 */
export interface SealedSessions {
  /** Makes a session that has no id yet. With it the sessions with servers are opened, whose ids become part of its own id. */
  draft(version: string, capabilities: Capabilities): LegacySession
  /**
   * Gives a session its id: visible ASCII, at most 6,000 characters.
   * @param upstreams the servers' session ids, by their upstreams’ keys; those for which the id has no room are left out.
   */
  start(draft: LegacySession, upstreams: ReadonlyMap<string, string>, scope: SessionScope): string
  /** The session of an id; undefined where the id is forged or bound to another endpoint or caller, or the session has ended or expired. */
  find(id: string, scope: SessionScope): LegacySession | undefined
  /** Ends a session. Its id is not valid any more in this process. */
  end(id: string, session: LegacySession): void
  /** Calls back for each session that has expired since the last sweep. */
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
  /** The keys with which its id was last opened. */
  openedBy: Sealer
}

/**
 * Bounds of the sessions that are remembered, and of the characters of their ids. The first seen is forgotten first; its id is then
 * decrypted again at its next use.
 */
const maxSeen = 20_000
const maxSeenChars = 32 * 1024 * 1024
/** Bound of the ended sessions that are remembered, until their absolute expiry. */
const maxEnded = 20_000
/** Bound of the sealed text, so that the id has at most 6,000 characters with a key id of up to 64. */
const maxPayloadBytes = 4_420

type Payload = readonly [
  key: string,
  version: string,
  openedAtMs: number,
  expiresAtMs: number,
  capabilities: Capabilities,
  upstreams: readonly (readonly [server: string, session: string])[],
]

/** What one process remembers of sessions. It outlives a reload that changes keys or times. */
export interface SessionMemory {
  /** By session id. */
  readonly seen: Map<string, Seen>
  /** Characters of all ids in `seen`. */
  seenChars: number
  /** Keys of ended sessions, with the time at which they would have expired. */
  readonly ended: Map<string, number>
}

/** Makes an empty memory; `createSealedSessions` bounds it. */
export function createSessionMemory(): SessionMemory {
  return { seen: new Map(), seenChars: 0, ended: new Map() }
}

export function createSealedSessions(
  sealer: Sealer,
  settings: SessionSettings,
  now: () => number,
  random: (bytes: number) => Uint8Array,
  memory: SessionMemory = createSessionMemory(),
): SealedSessions {
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
          // The keys were changed: an id that was sealed by a removed key is no longer valid.
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

/** The payload with as many of the servers' ids, in their order, as there is room for. */
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
