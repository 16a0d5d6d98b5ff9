/** Somebody who holds bytes that servers sent, and can let go of them. */
export interface Holder {
  readonly heldBytes: number
  /** Lets go of what it holds, or of its largest part, by `give`; whatever the bytes were for fails. False: it has nothing to let go of. */
  giveUp(): boolean
}

/** A holder of less is not looked at: what is small is held beside the bound, and is never given up. */
const smallBytes = 16 * 1024

/** Holders within one bound; a group of them is one itself. */
interface Group {
  take(holder: Holder, bytes: number): void
  give(holder: Holder, bytes: number): void
}

/**
 * The bytes that are held of servers, in one process: unfinished events, answers until they are whole, and what clients have not yet taken.
 * Where they are more than `limitBytes`, the holder of most gives up what it holds: one that sends or takes too little never keeps others
 * from being served.
 */
export class Buffers implements Group {
  heldBytes = 0
  /** How often a holder has given up. */
  givenUp = 0
  limitBytes: number
  readonly #large = new Set<Holder>()

  constructor(limitBytes = Number.POSITIVE_INFINITY) {
    this.limitBytes = limitBytes
  }

  /** Counts bytes that a holder has got, and has counted itself. */
  take(holder: Holder, bytes: number): void {
    this.heldBytes += bytes
    if (holder.heldBytes > smallBytes) this.#large.add(holder)
    if (this.heldBytes > this.limitBytes) this.#relieve()
  }

  /** Counts bytes that a holder no longer has. */
  give(holder: Holder, bytes: number): void {
    this.heldBytes -= bytes
    if (holder.heldBytes <= smallBytes) this.#large.delete(holder)
  }

  #relieve(): void {
    const able = new Set(this.#large)
    while (this.heldBytes > this.limitBytes) {
      const most = largest(able)
      if (most === undefined) return
      if (most.giveUp()) this.givenUp++
      else able.delete(most)
    }
  }
}

/** What is held of one server: all together it is one holder, so that of many small parts as well as of one large one the same is given up. */
export class ServerBuffers implements Group, Holder {
  heldBytes = 0
  readonly #buffers: Buffers
  readonly #large = new Set<Holder>()

  constructor(buffers = new Buffers()) {
    this.#buffers = buffers
  }

  take(holder: Holder, bytes: number): void {
    this.heldBytes += bytes
    if (holder.heldBytes > smallBytes) this.#large.add(holder)
    this.#buffers.take(this, bytes)
  }

  give(holder: Holder, bytes: number): void {
    this.heldBytes -= bytes
    if (holder.heldBytes <= smallBytes) this.#large.delete(holder)
    this.#buffers.give(this, bytes)
  }

  giveUp(): boolean {
    return largest(this.#large)?.giveUp() ?? false
  }
}

function largest(holders: ReadonlySet<Holder>): Holder | undefined {
  let most: Holder | undefined
  for (const holder of holders) if (most === undefined || holder.heldBytes > most.heldBytes) most = holder
  return most
}
