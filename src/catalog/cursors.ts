import type { ListPages, Page } from './list-pages.ts'
import type { CursorSealer } from './model.ts'

/** Makes the cursor that leads to a page of a list. `bound` is what it is sealed for: only with the same it can be opened again. */
export function sealCursor(sealer: CursorSealer, list: ListPages, page: Page, bound: readonly string[]): string {
  return sealer.seal(cursorText(list, page), bound)
}

/**
 * Reads a cursor of a client: the index of the page to which it leads. Undefined where it is forged or was sealed for something else, or
 * belongs to another list or an earlier state of this one.
 */
export function openCursor(sealer: CursorSealer, list: ListPages, cursor: string, bound: readonly string[]): number | undefined {
  return pageAt(list, sealer.open(cursor, bound) ?? '')
}

/** What a cursor holds under its seal: the digest of its list, and the index of the page's first entry. */
export function cursorText({ digest }: ListPages, page: Page): string {
  return `${digest} ${page.start}`
}

/** The index of the page that the text under a seal names; undefined where the list has no such page. */
export function pageAt(list: ListPages, text: string): number | undefined {
  const index = list.pages.findIndex((page) => text === cursorText(list, page))
  return index < 0 ? undefined : index
}
