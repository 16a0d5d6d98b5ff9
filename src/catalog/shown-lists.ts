import type { Dialect } from '../mcp/mcp.ts'
import { type ListPages, pageBounds, pagesOf } from './list-pages.ts'
import type { ListTable } from './list-table.ts'
import type { Sight } from './model.ts'

/** A table, and the lists that callers read of it: one for all callers who see the same. */
export interface ShownLists {
  readonly table: ListTable
  /** What a caller sees of it, in its order. */
  of(sight: Sight | undefined): ShownList
}

export interface ShownList {
  readonly count: number
  /** How many entries of the table are not in it. */
  readonly withheld: number
  pages(dialect: Dialect): ListPages
  /** The digest of its modern pages. */
  digest(): string
}

/** Of different parts of one table that are remembered. Beyond either, those go first that were not asked for longest. */
export interface PartBounds {
  readonly parts: number
  /** UTF-16 units of their pages. A part without pages makes them again; its digest stays. */
  readonly chars: number
}

const partBounds: PartBounds = { parts: 1024, chars: 32 * 1024 * 1024 }

/** A list whose pages can be let go of. */
interface Part extends ShownList {
  readonly chars: number
  dropPages(): void
}

export function createShownLists(table: ListTable, bounds: PartBounds = partBounds): ShownLists {
  const whole = createPart(table, undefined, () => {})
  /** By a bit for each entry, those that were asked for last at the end. */
  const parts = new Map<string, Part>()
  let chars = 0

  const drop = (part: Part) => {
    chars -= part.chars
    part.dropPages()
  }
  const fit = (added: number) => {
    chars += added
    for (const part of parts.values()) {
      if (chars <= bounds.chars) break
      drop(part)
    }
  }

  return {
    table,
    of(sight) {
      if (sight === undefined) return whole
      const bits = table.shown.map(({ item }) => (sight.sees(item) ? '1' : '0')).join('')
      if (!bits.includes('0')) return whole
      const known = parts.get(bits)
      const part = known ?? createPart(table, bits, (added) => (parts.get(bits) === part ? fit(added) : undefined))
      parts.delete(bits)
      parts.set(bits, part)
      const [[first, oldest] = []] = parts
      if (parts.size > bounds.parts && first !== undefined && oldest !== undefined) {
        parts.delete(first)
        drop(oldest)
      }
      return part
    },
  }
}

/** @param bits which entries are in it; undefined: all @param made is told how long pages are that were made */
function createPart(table: ListTable, bits: string | undefined, made: (chars: number) => void): Part {
  const read = new Map<Dialect, ListPages>()
  let chars = 0
  let digest: string | undefined
  const pages = (dialect: Dialect): ListPages => {
    const known = read.get(dialect)
    if (known !== undefined) return known
    const shown = bits === undefined ? table.shown : table.shown.filter((_, i) => bits[i] === '1')
    const list = pagesOf({ kind: table.kind, shown }, dialect, pageBounds)
    read.set(dialect, list)
    const added = list.pages.reduce((sum, { text }) => sum + text.length, 0)
    chars += added
    made(added)
    return list
  }
  const count = bits === undefined ? table.shown.length : bits.replaceAll('0', '').length
  return {
    count,
    withheld: table.shown.length - count,
    pages,
    digest() {
      digest ??= pages('modern').digest
      return digest
    },
    get chars() {
      return chars
    },
    dropPages() {
      read.clear()
      chars = 0
    },
  }
}
