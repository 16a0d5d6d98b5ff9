/** A member of a Roster. Only the roster changes `place`. */
export interface Rostered {
  place: number
}

/**
 * A set of what is in progress, for hot paths, where members come and go thousands of times a second. A Map or Set would rebuild its table
 * every few dozen changes, and each old table would keep its members and the next table alive until the whole heap is collected.
 */
export class Roster<T extends Rostered> {
  readonly #members: T[] = []

  add(member: T): void {
    member.place = this.#members.length
    this.#members.push(member)
  }

  /** Removes a member; false where it was not there. */
  remove(member: T): boolean {
    const { place } = member
    if (this.#members[place] !== member) return false
    const last = this.#members.pop()
    if (last !== undefined && last !== member) {
      this.#members[place] = last
      last.place = place
    }
    member.place = -1
    return true
  }

  /** The members now, in no order; a copy, so that members may go while it is read. */
  all(): readonly T[] {
    return this.#members.slice()
  }

  get size(): number {
    return this.#members.length
  }
}
