import type { Size } from '../fragments/fragments.ts'

/** What something takes in a document: by itself, and what is counted once however many lead to it, each an object of its own. */
export interface Need {
  readonly own: Size
  readonly shared: ReadonlySet<Size>
}

/** What several needs come to. */
export interface Load extends Size {
  add(need: Need): void
  remove(need: Need): void
  /** Counts something that is shared no more, whoever leads to it. */
  leaveOut(shared: Size): void
}

export function createLoad(): Load {
  /** How many lead to it. */
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
