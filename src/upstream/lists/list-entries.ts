import { type EraName, elements, type ListKind, lists, type Message, member, type Refusal, refuse, stringOf } from '../../mcp/mcp.ts'
import type { ListEntry } from './list-entry.ts'
import { readEntry, repeatedEntry } from './read-entry.ts'

/** One list of a server, from all its pages. */
export interface EntryList {
  readonly kind: 'list'
  readonly entries: readonly ListEntry[]
  /** The server's own hint in ms; undefined where it gives none. */
  readonly ttlMs: number | undefined
  readonly isPublic: boolean
  /** Why entries were left out; at most a few. */
  readonly dropped: readonly string[]
}

export interface ListBounds {
  readonly pages: number
  readonly entries: number
  readonly era: EraName
  /** Characters of all entries together. */
  readonly chars: number
}

const maxReasons = 5

/**
 * Reads all pages of one of a server's lists (2026-07-28, pagination): until there is no cursor, a cursor comes twice, or a bound is
 * reached. Of several entries with the same key the first one counts.
 * @param page requests one page and resolves with its response, or with the reason why there is none
 */
export async function listEntries(
  kind: ListKind,
  page: (cursor: string | undefined) => Promise<Message | Refusal>,
  bounds: ListBounds,
): Promise<EntryList | Refusal> {
  const row = lists[kind]
  const entries: ListEntry[] = []
  const dropped: string[] = []
  const drop = (reason: string) => {
    if (dropped.length < maxReasons) dropped.push(reason)
  }
  const keys = new Set<string>()
  const cursors = new Set<string>()
  let ttlMs: number | undefined
  let isPublic = true
  let isCut = false
  let chars = 0
  let cursor: string | undefined
  for (let pages = 0; ; pages++) {
    if (pages === bounds.pages) {
      drop(`the pages after the first ${bounds.pages}`)
      break
    }
    const message = await page(cursor)
    if (message.kind === 'refused') return message
    const { text } = message
    const result = message.result ?? []
    const list = member(result, row.member)
    if (list?.type !== 'array') return refuse('upstream-invalid', `answered ${row.method} without a list of ${row.member}`)
    for (const element of elements(text, list.start, list.end)) {
      if (entries.length === bounds.entries) {
        isCut = true
        break
      }
      const entry = readEntry(kind, text, element, bounds.era)
      if ('dropped' in entry) drop(entry.dropped)
      else if (keys.has(entry.key)) drop(repeatedEntry(kind, entry.key))
      else {
        chars += entry.text.length
        if (chars > bounds.chars) {
          isCut = true
          break
        }
        keys.add(entry.key)
        entries.push(entry)
      }
    }
    const ttl = member(result, 'ttlMs')
    if (ttl?.type === 'number') ttlMs = Math.min(ttlMs ?? Number.MAX_SAFE_INTEGER, Math.max(0, Number(text.slice(ttl.start, ttl.end))))
    const scope = member(result, 'cacheScope')
    isPublic &&= scope !== undefined && stringOf(text, scope) === 'public'
    const next = member(result, 'nextCursor')
    cursor = next === undefined ? undefined : stringOf(text, next)
    if (isCut || entries.length === bounds.entries) {
      if (isCut || cursor !== undefined) drop(`the ${kind} after the first ${entries.length}`)
      break
    }
    if (cursor === undefined) break
    if (cursors.has(cursor)) {
      drop('the rest of a list whose cursor came twice')
      break
    }
    cursors.add(cursor)
  }
  return { kind: 'list', entries, ttlMs, isPublic, dropped }
}
