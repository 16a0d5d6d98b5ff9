import type { Dialect } from '../mcp/mcp.ts'
import { type ListPages, pageBounds, pagesOf } from './list-pages.ts'
import type { ListTable, Shown } from './list-table.ts'
import type { Sight } from './model.ts'

/** A table, and the lists that callers read of it: one for all callers who see the same. */
export interface ShownLists {
  readonly table: ListTable
  /** What a caller sees of it, in its order. */
  of(sight: Sight | undefined): ShownList
}

export interface ShownList {
  readonly count: number
  pages(dialect: Dialect): ListPages
}

/** Different parts of one table that are remembered; then it starts anew. */
const maxParts = 256

export function createShownLists(table: ListTable): ShownLists {
  const whole = createShownList(table, table.shown)
  /** By a bit for each entry. */
  const parts = new Map<string, ShownList>()
  return {
    table,
    of(sight) {
      if (sight === undefined) return whole
      const bits = table.shown.map(({ thing }) => (sight.sees(thing) ? '1' : '0')).join('')
      if (!bits.includes('0')) return whole
      const known = parts.get(bits)
      if (known !== undefined) return known
      if (parts.size === maxParts) parts.clear()
      const part = createShownList(
        table,
        table.shown.filter((_, i) => bits[i] === '1'),
      )
      parts.set(bits, part)
      return part
    },
  }
}

function createShownList({ kind }: ListTable, shown: readonly Shown[]): ShownList {
  const read = new Map<Dialect, ListPages>()
  return {
    count: shown.length,
    pages(dialect) {
      let pages = read.get(dialect)
      if (pages === undefined) {
        pages = pagesOf({ kind, shown }, dialect, pageBounds)
        read.set(dialect, pages)
      }
      return pages
    },
  }
}
