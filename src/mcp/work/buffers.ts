/** Something that holds bytes of servers, and can free them. */
export interface Holder {
  readonly heldBytes: number
  /**
   * Frees what it holds, or the largest part of it, by `give`; the request or stream that the bytes belong to fails. False where there is
   * nothing that it can free.
   */
  giveUp(): boolean
}

/** A holder of at most this much never has to give up anything. */
const smallBytes = 16 * 1024

/** Holders within one bound; a group of them is one itself. */
interface Group {
  take(holder: Holder, bytes: number): void
  give(holder: Holder, bytes: number): void
}

/**
 * Counts the bytes that this process holds of servers: unfinished events, answers that are not whole yet, and replies that clients have not
 * read. Where they are more than `limitBytes`, the holder of most has to give up, so that one server or client never keeps others from
 * being served.
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

  /** Counts bytes that a holder has taken; its `heldBytes` includes them already. */
  take(holder: Holder, bytes: number): void {
    this.heldBytes += bytes
    if (holder.heldBytes > smallBytes) this.#large.add(holder)
    if (this.heldBytes > this.limitBytes) this.#relieve()
  }

  /** Counts bytes that a holder has freed; its `heldBytes` no longer includes them. */
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

/**
 * All that is held of one server, as one holder of `Buffers`: a server is asked to give up for many small parts as well as for one large
 * part.
 */
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
