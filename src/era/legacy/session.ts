import type { Sealer } from '../seal.ts'

/** A legacy client's session as its sealed id tells it. `key` names it towards the upstreams' pools. */
export interface LegacySession {
  readonly key: string
  /** The protocol revision that `initialize` settled. */
  readonly version: string
  readonly openedAtMs: number
}

/** What a session id is good for: one route and one caller. */
export interface SessionScope {
  readonly route: string
  readonly caller: string
}

/** Opens and ends legacy sessions. The id itself holds the session; memory only knows what was seen here last and what was ended. */
export interface Sessions {
  start(version: string, scope: SessionScope): string
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
}

/** Sessions remembered at a time; the longest unused is forgotten first, which costs only one opening of its seal. */
const maxSeen = 20_000
/** Ended ids remembered at a time, until their absolute expiry. */
const maxEnded = 20_000

export function createSessions(
  sealer: Sealer,
  settings: SessionSettings,
  now: () => number,
  random: (bytes: number) => Uint8Array,
  /** Ids that were ended, with the time until which they would have been good: it outlives a change of keys or times. */
  ended: Map<string, number> = new Map(),
): Sessions {
  const seen = new Map<string, Seen>()
  const remember = (id: string, entry: Seen) => {
    seen.delete(id)
    seen.set(id, entry)
    if (seen.size > maxSeen) for (const [oldest] of seen) if (seen.delete(oldest)) break
  }
  const isExpired = (entry: Seen, at: number) =>
    at - entry.usedAtMs > settings.idleMs || at - entry.session.openedAtMs > settings.absoluteMs
  return {
    start(version, scope) {
      const session: LegacySession = { key: Buffer.from(random(12)).toString('base64url'), version, openedAtMs: now() }
      const id = sealer.seal(JSON.stringify([session.key, version, session.openedAtMs]), [scope.route, scope.caller])
      remember(id, { session, scope, usedAtMs: session.openedAtMs })
      return id
    },
    find(id, scope) {
      const at = now()
      const known = seen.get(id)
      if (known !== undefined) {
        if (known.scope.route !== scope.route || known.scope.caller !== scope.caller) return undefined
        if (isExpired(known, at)) return undefined
        known.usedAtMs = at
        return known.session
      }
      if (ended.has(id)) return undefined
      const text = sealer.open(id, [scope.route, scope.caller])
      if (text === undefined) return undefined
      const [key, version, openedAtMs] = JSON.parse(text) as [string, string, number]
      const entry: Seen = { session: { key, version, openedAtMs }, scope, usedAtMs: at }
      if (isExpired(entry, at)) return undefined
      remember(id, entry)
      return entry.session
    },
    end(id, session) {
      seen.delete(id)
      ended.set(id, session.openedAtMs + settings.absoluteMs)
      if (ended.size > maxEnded) for (const [oldest] of ended) if (ended.delete(oldest)) break
    },
    sweep(onExpired) {
      const at = now()
      for (const [id, entry] of seen) {
        if (!isExpired(entry, at)) continue
        seen.delete(id)
        ended.set(id, entry.session.openedAtMs + settings.absoluteMs)
        onExpired(entry.session)
      }
      for (const [id, until] of ended) if (until < at) ended.delete(id)
    },
  }
}
