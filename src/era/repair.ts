import { elements, type Member, member, members, rebuildObject, type ValueType } from '../mcp/mcp.ts'

/**
 * Makes a valid `CallToolResult` of one whose content is not: strings and objects without a known `type` become text blocks,
 * nested lists are flattened, a missing `content` is filled from `structuredContent`.
 * @returns the JSON text of the repaired result, or undefined where there is nothing to repair.
 */
export function repairToolResult(text: string, result: readonly Member[]): string | undefined {
  const content = member(result, 'content')
  const isError = member(result, 'isError')
  const isFlagValid = isError === undefined || isError.type === 'true' || isError.type === 'false'
  const items = content?.type === 'array' ? elements(text, content.start, content.end) : undefined
  if (isFlagValid && items?.every((item) => isContentBlock(text, item))) return undefined
  const blocks = content === undefined ? structuredAsText(text, result) : blocksOf(text, content)
  const keep = (m: Member) => m.key !== 'content' && (m.key !== 'isError' || isFlagValid)
  return rebuildObject(text, result, keep, [`"content":[${blocks.join(',')}]`])
}

interface Value {
  readonly start: number
  readonly end: number
  readonly type: ValueType
}

/** The members that a block of each type must have, and their types (2026-07-28, schema, ContentBlock). */
const required: Readonly<Record<string, Readonly<Record<string, ValueType>>>> = Object.assign(Object.create(null), {
  text: { text: 'string' },
  image: { data: 'string', mimeType: 'string' },
  audio: { data: 'string', mimeType: 'string' },
  resource: { resource: 'object' },
  resource_link: { uri: 'string', name: 'string' },
})

function isContentBlock(text: string, value: Value): boolean {
  if (value.type !== 'object') return false
  const list = members(text, value.start, value.end)
  const type = member(list, 'type')
  if (type?.type !== 'string') return false
  const needs = required[text.slice(type.start + 1, type.end - 1)]
  if (needs === undefined) return false
  for (const key in needs) if (member(list, key)?.type !== needs[key]) return false
  return true
}

function blocksOf(text: string, value: Value): string[] {
  const own = text.slice(value.start, value.end)
  if (isContentBlock(text, value)) return [own]
  if (value.type === 'array') return elements(text, value.start, value.end).flatMap((item) => blocksOf(text, item))
  if (value.type === 'null') return []
  return [textBlock(value.type === 'string' ? own : JSON.stringify(own))]
}

function structuredAsText(text: string, result: readonly Member[]): string[] {
  const structured = member(result, 'structuredContent')
  return structured === undefined ? [] : [textBlock(JSON.stringify(text.slice(structured.start, structured.end)))]
}

/** @param literal a JSON string literal */
function textBlock(literal: string): string {
  return `{"type":"text","text":${literal}}`
}
