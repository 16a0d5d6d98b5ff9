import { createHash } from 'node:crypto'
import { type Dialect, lists } from '../mcp/mcp.ts'
import { exposedEntry } from './exposed-entry.ts'
import type { ListTable } from './list-table.ts'

/** A page of a list: JSON text of the whole result, without a cursor. `start` is the place of its first entry in the list. */
export interface Page {
  readonly start: number
  readonly text: string
}

/** One list as clients of one dialect read it. There is always a first page. */
export interface ListPages {
  readonly pages: readonly Page[]
  /** A digest of all pages, equal on every replica that has the same list. */
  readonly digest: string
}

export interface PageBounds {
  readonly entries: number
  /** UTF-16 units. An entry that is longer has a page of its own. */
  readonly chars: number
}

/** Pages are large, since few clients request a second one, and all can read one of this size. */
export const pageBounds: PageBounds = { entries: 1000, chars: 4 * 1024 * 1024 }

export function pagesOf({ kind, shown }: Pick<ListTable, 'kind' | 'shown'>, dialect: Dialect, bounds: PageBounds): ListPages {
  const hash = createHash('sha256')
  const pages: Page[] = []
  let start = 0
  let held: string[] = []
  let chars = 0
  const close = () => {
    const text = `{"${lists[kind].member}":[${held.join(',')}]}`
    hash.update(text)
    pages.push({ start, text })
    start += held.length
    held = []
    chars = 0
  }
  for (const one of shown) {
    const text = exposedEntry(kind, one, dialect)
    if (held.length > 0 && (held.length === bounds.entries || chars + text.length > bounds.chars)) close()
    held.push(text)
    chars += text.length + 1
  }
  if (held.length > 0 || pages.length === 0) close()
  return { pages, digest: hash.digest('base64url') }
}
