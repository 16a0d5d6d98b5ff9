import type { Dialect } from '../mcp/mcp.ts'
import { type ListPages, pageBounds, pagesOf } from './list-pages.ts'
import type { ListTable } from './list-table.ts'
import type { Sight } from './model.ts'

/** A table and the lists that callers read from it. Callers who see the same share one list. */
export interface ShownLists {
  readonly table: ListTable
  /** The list of the entries that a caller sees, in the order of the table. */
  of(sight: Sight | undefined): ShownList
}

export interface ShownList {
  readonly count: number
  /** How many entries of the table the list leaves out. */
  readonly withheld: number
  pages(dialect: Dialect): ListPages
  /** The digest of its pages for modern clients. */
  digest(): string
}

/**
 * Bounds of the different lists of one table that are kept: their number and the size of their pages. The least recently read are dropped
 * first.
 */
export interface PartBounds {
  readonly parts: number
  /** UTF-16 units of all pages. A list whose pages were dropped makes them again; its digest is kept. */
  readonly chars: number
}

const partBounds: PartBounds = { parts: 1024, chars: 32 * 1024 * 1024 }

/** A list whose pages can be dropped. */
interface Part extends ShownList {
  readonly chars: number
  dropPages(): void
}

export function createShownLists(table: ListTable, bounds: PartBounds = partBounds): ShownLists {
  const whole = createPart(table, undefined, () => {})
  /** Lists by a text with one bit for each entry, the most recently read at the end. */
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

/** @param bits which entries are in the list; undefined: all @param made called with the length of pages when they are made */
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
