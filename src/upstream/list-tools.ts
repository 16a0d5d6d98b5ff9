import { type EraName, elements, type Message, member, type Refusal, refuse, stringOf } from '../mcp/mcp.ts'
import { readTool, type ToolEntry } from './tool-entry.ts'

/** All tools of a server, from all its pages. */
export interface ToolList {
  readonly kind: 'tools'
  readonly tools: readonly ToolEntry[]
  /** The server's own hint in ms; undefined where it gives none. */
  readonly ttlMs: number | undefined
  readonly isPublic: boolean
  /** Why tools were left out; at most a few. */
  readonly dropped: readonly string[]
}

export interface ListBounds {
  readonly pages: number
  readonly tools: number
  readonly era: EraName
  /** Characters of all tools together. */
  readonly chars: number
}

const maxReasons = 5

/**
 * Drains a server's `tools/list` (2026-07-28, pagination): until there is no cursor, a cursor comes twice, or a bound is reached.
 * @param page asks for one page and gives its response, or why there is none.
 */
export async function listTools(
  page: (cursor: string | undefined) => Promise<Message | Refusal>,
  bounds: ListBounds,
): Promise<ToolList | Refusal> {
  const tools: ToolEntry[] = []
  const dropped: string[] = []
  const names = new Set<string>()
  const cursors = new Set<string>()
  let ttlMs: number | undefined
  let isPublic = true
  let isCut = false
  let chars = 0
  let cursor: string | undefined
  for (let pages = 0; ; pages++) {
    if (pages === bounds.pages) {
      dropped.push(`the pages after the first ${bounds.pages}`)
      break
    }
    const message = await page(cursor)
    if (message.kind === 'refused') return message
    const { text } = message
    const result = message.result ?? []
    const list = member(result, 'tools')
    if (list?.type !== 'array') return refuse('upstream-invalid', 'answered tools/list without a list of tools')
    for (const element of elements(text, list.start, list.end)) {
      if (tools.length === bounds.tools) {
        isCut = true
        break
      }
      const tool = readTool(text, element, bounds.era)
      if ('dropped' in tool) dropped.push(tool.dropped)
      else if (names.has(tool.name)) dropped.push(`tool ${JSON.stringify(tool.name)}: listed twice`)
      else {
        chars += tool.text.length
        if (chars > bounds.chars) {
          isCut = true
          break
        }
        names.add(tool.name)
        tools.push(tool)
      }
    }
    const ttl = member(result, 'ttlMs')
    if (ttl?.type === 'number') ttlMs = Math.min(ttlMs ?? Number.MAX_SAFE_INTEGER, Math.max(0, Number(text.slice(ttl.start, ttl.end))))
    const scope = member(result, 'cacheScope')
    isPublic &&= scope !== undefined && stringOf(text, scope) === 'public'
    const next = member(result, 'nextCursor')
    cursor = next === undefined ? undefined : stringOf(text, next)
    if (isCut || tools.length === bounds.tools) {
      if (isCut || cursor !== undefined) dropped.push(`the tools after the first ${tools.length}`)
      break
    }
    if (cursor === undefined) break
    if (cursors.has(cursor)) {
      dropped.push('the rest of a list whose cursor came twice')
      break
    }
    cursors.add(cursor)
  }
  return { kind: 'tools', tools, ttlMs, isPublic, dropped: dropped.slice(0, maxReasons) }
}
