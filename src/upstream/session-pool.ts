import type { Refusal } from '../mcp/mcp.ts'

/** A client's own session with one server; `id` is the server's. */
export interface OwnSession {
  readonly kind: 'session'
  readonly id: string | undefined
}

/** The sessions that one server keeps for single clients: opened at the first call, opened again once when lost, for all who wait. */
export interface SessionPool {
  get(client: string): Promise<OwnSession | Refusal>
  /** Forgets a session that the server no longer knows; a newer one of the same client stays. */
  lost(client: string, session: OwnSession): void
  end(client: string): void
  /** Resolves when all have been given up. */
  endAll(): Promise<void>
}

interface Entry {
  readonly opening: Promise<OwnSession | Refusal>
  session: OwnSession | undefined
}

/** Sessions of single clients kept with one server; past it the longest unused makes room. */
const maxSessions = 10_000

/** @param onEnd gets each session that is given up while the server still knows it. */
export function createSessionPool(open: () => Promise<OwnSession | Refusal>, onEnd: (session: OwnSession) => Promise<void>): SessionPool {
  const entries = new Map<string, Entry>()
  const drop = (client: string, entry: Entry): Promise<void> => {
    entries.delete(client)
    return entry.opening.then(async (session) => {
      if (session.kind === 'session') await onEnd(session)
    })
  }
  return {
    get(client) {
      const known = entries.get(client)
      if (known !== undefined) {
        entries.delete(client)
        entries.set(client, known)
        return known.opening
      }
      const opening = open().then((session) => {
        if (session.kind === 'session') entry.session = session
        else if (entries.get(client) === entry) entries.delete(client)
        return session
      })
      const entry: Entry = { opening, session: undefined }
      entries.set(client, entry)
      if (entries.size > maxSessions) {
        const [oldest] = entries
        if (oldest !== undefined) void drop(...oldest)
      }
      return opening
    },
    lost(client, session) {
      if (entries.get(client)?.session === session) entries.delete(client)
    },
    end(client) {
      const known = entries.get(client)
      if (known !== undefined) void drop(client, known)
    },
    async endAll() {
      await Promise.all([...entries].map(([client, entry]) => drop(client, entry)))
    },
  }
}
