/** A member of a Roster; `place` is the roster's own. */
export interface Rostered {
  place: number
}

/**
 * What is under way, for hot paths: members come and go thousands of times a second. A Map or Set there rebuilds its table every
 * few dozen changes, and each old table keeps what was in it, and the next one, alive until the whole heap is collected.
 */
export class Roster<T extends Rostered> {
  readonly #members: T[] = []

  add(member: T): void {
    member.place = this.#members.length
    this.#members.push(member)
  }

  /** Takes a member out; false where it was not in. */
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
