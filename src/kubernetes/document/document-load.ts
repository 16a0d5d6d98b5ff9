import type { Size } from '../fragments/fragments.ts'

/**
 * The room that something takes in a document: its own, and that of what it shares with others, such as a backend. Each shared size is one
 * object and counts once.
 */
export interface Need {
  readonly own: Size
  readonly shared: ReadonlySet<Size>
}

/** The room that several needs take together. */
export interface Load extends Size {
  add(need: Need): void
  remove(need: Need): void
  /** Stops counting a shared size, whatever needs have it. */
  leaveOut(shared: Size): void
}

/** A load of nothing. */
export function createLoad(): Load {
  /** How many needs have each shared size. */
  const leading = new Map<Size, number>()
  const gone = new Set<Size>()
  const load = {
    bytes: 0,
    parts: 0,
    add: (need: Need) => change(need, 1),
    remove: (need: Need) => change(need, -1),
    leaveOut(shared: Size) {
      if (!gone.has(shared) && (leading.get(shared) ?? 0) > 0) grow(shared, -1)
      gone.add(shared)
    },
  }

  function grow({ bytes, parts }: Size, by: 1 | -1): void {
    load.bytes += by * bytes
    load.parts += by * parts
  }

  function change({ own, shared }: Need, by: 1 | -1): void {
    grow(own, by)
    for (const size of shared) {
      const count = (leading.get(size) ?? 0) + by
      leading.set(size, count)
      if (!gone.has(size) && (count === 0 || (count === 1 && by === 1))) grow(size, by)
    }
  }

  return load
}
