import type { Refusal } from '../../mcp/mcp.ts'

/** A session with one server; `id` is the server's. */
export interface OpenSession {
  readonly kind: 'session'
  readonly id: string | undefined
  /** Another process may go on with it, or has opened it. */
  isHandedOut: boolean
  /** Calls that are under way in it. */
  users: number
  /** Made room for others: nobody comes back to it. */
  isEvicted: boolean
  /** Ends what is kept open for it. */
  closeStream: (() => void) | undefined
}

/** A session that is open, or what its opening will come to. */
export type Opening = OpenSession | Promise<OpenSession | Refusal>

/** Sessions with one server by whom they are for: opened when first needed, and again once when lost, for all who wait. */
export interface SessionPool<K extends { readonly key: string }> {
  get(whom: K): Opening
  /** A session in place of one that the server no longer knows; all who lost the same one get the same one. */
  again(whom: K, lost: OpenSession): Opening
  /** The server no longer knows it: the next who comes opens another one. */
  lose(key: string, lost: OpenSession): void
  /** Without opening one; undefined where there is none. */
  find(whom: K): Opening | undefined
  remove(key: string): void
  /** All that are there; the pool is empty afterwards. */
  drain(): readonly Opening[]
}

export interface PoolOptions<K> {
  /** Past so many the longest unused makes room. */
  readonly max: number
  readonly open: (whom: K) => Promise<OpenSession | Refusal>
  /** The id of a session that another process opened. */
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
      // Order matters only where somebody may have to make room soon.
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
      // It stays in its place, so that the lost one is not adopted again.
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
