import type { Refusal } from '../../mcp/mcp.ts'

/** An open session with one server; `id` is the server's id. */
export interface OpenSession {
  readonly kind: 'session'
  readonly id: string | undefined
  /** Whether another process may continue the session, or has opened it. */
  isHandedOut: boolean
  /** How many calls are in flight in it. */
  users: number
  /** Whether the pool dropped it to make room, so that no further call uses it. */
  isEvicted: boolean
  /** Closes the stream that is kept open for it. */
  closeStream: (() => void) | undefined
}

/** A session, or the promise of one that is being opened. */
export type Opening = OpenSession | Promise<OpenSession | Refusal>

/**
 * Sessions with one server, each for one client or for the clients that share it. A session is opened at its first use. A lost one is
 * opened again once, for all who wait for it.
 */
export interface SessionPool<K extends { readonly key: string }> {
  get(whom: K): Opening
  /** A new session in place of one that the server no longer knows. All who lost that session get the same new one. */
  again(whom: K, lost: OpenSession): Opening
  /** Takes note that a session is lost: the next use opens another one. */
  lose(key: string, lost: OpenSession): void
  /** The session if there is one; opens none. */
  find(whom: K): Opening | undefined
  remove(key: string): void
  /** Removes and returns all sessions. */
  drain(): readonly Opening[]
}

export interface PoolOptions<K> {
  /** Bound of the sessions; beyond it the least recently used is dropped. */
  readonly max: number
  readonly open: (whom: K) => Promise<OpenSession | Refusal>
  /** The server's id of a session that another process opened. */
  readonly adopt: (whom: K) => string | undefined
  readonly onEvicted: (session: OpenSession) => void
}

interface Entry {
  session: OpenSession | undefined
  opening: Promise<OpenSession | Refusal> | undefined
}

export function createSessionPool<K extends { readonly key: string }>(options: PoolOptions<K>): SessionPool<K> {
  const entries = new Map<string, Entry>()

  function add(key: string, entry: Entry): void {
    entries.set(key, entry)
    if (entries.size <= options.max) return
    const [oldest] = entries
    if (oldest === undefined) return
    entries.delete(oldest[0])
    const { session, opening } = oldest[1]
    if (session !== undefined) evict(session)
    else void opening?.then((opened) => opened.kind === 'session' && evict(opened))
  }

  function evict(session: OpenSession): void {
    session.isEvicted = true
    options.onEvicted(session)
  }

  function open(whom: K): Promise<OpenSession | Refusal> {
    const entry: Entry = { session: undefined, opening: undefined }
    const opening = options.open(whom).then((opened) => {
      if (opened.kind === 'session') entry.session = opened
      else if (entries.get(whom.key) === entry) entries.delete(whom.key)
      entry.opening = undefined
      return opened
    })
    entry.opening = opening
    entries.delete(whom.key)
    add(whom.key, entry)
    return opening
  }

  function find(whom: K): Opening | undefined {
    const known = entries.get(whom.key)
    if (known !== undefined) {
      // The order of use is kept only while the pool is more than half full; before that nothing is about to be evicted.
      if (entries.size > options.max / 2) {
        entries.delete(whom.key)
        entries.set(whom.key, known)
      }
      return known.session ?? known.opening
    }
    const id = options.adopt(whom)
    if (id === undefined) return undefined
    const session = openSession(id, true)
    add(whom.key, { session, opening: undefined })
    return session
  }

  return {
    find,
    get: (whom) => find(whom) ?? open(whom),
    again(whom, lost) {
      const known = entries.get(whom.key)
      if (known === undefined || known.session === lost) return open(whom)
      return known.session ?? known.opening ?? open(whom)
    },
    lose(key, lost) {
      const known = entries.get(key)
      // The entry stays, so that the lost session is not adopted again.
      if (known?.session === lost) known.session = undefined
    },
    remove: (key) => void entries.delete(key),
    drain() {
      const all = [...entries.values()].flatMap(({ session, opening }) => session ?? opening ?? [])
      entries.clear()
      return all
    },
  }
}

export function openSession(id: string | undefined, isHandedOut: boolean): OpenSession {
  return { kind: 'session', id, isHandedOut, users: 0, isEvicted: false, closeStream: undefined }
}
