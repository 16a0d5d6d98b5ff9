import type { Member } from '../json/json.ts'
import { stringOf } from '../json/json.ts'

/** Most characters of a request's id, which is kept in memory for as long as its request or stream. */
export const maxIdChars = 1024

/** Most characters of such an id in sealed form: its JSON text takes up to six characters for each of its own, and two quotes. */
export const maxSealedIdChars = 16 * 1024

const integer = /^-?(0|[1-9]\d*)$/
const charsOfEscape = 6

/** Whether a member of a message is an id as MCP has it (JSON-RPC 2.0 as 2026-07-28 narrows it): a string or an integer. */
export function isRequestId(text: string, id: Member): boolean {
  return id.type === 'string' || (id.type === 'number' && integer.test(text.slice(id.start, id.end)))
}

/** Whether an id has at most that many characters, quotes not counted and an escape counted as the character that it stands for. */
export function isWithinIdBound(text: string, id: Member): boolean {
  const chars = id.end - id.start
  if (id.type !== 'string') return chars <= maxIdChars
  return chars <= maxIdChars + 2 || (chars <= charsOfEscape * maxIdChars + 2 && (stringOf(text, id)?.length ?? chars) <= maxIdChars)
}
