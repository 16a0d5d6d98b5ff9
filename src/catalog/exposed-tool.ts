import { type EraName, type Member, member, members, rebuildObject, splice, stringOf } from '../mcp/mcp.ts'
import type { ToolEntry } from '../upstream/upstream.ts'

/** A tool's JSON under the name that callers see, fit for clients of an era; every other character is the server's. */
export function exposedTool(tool: ToolEntry, name: string, era: EraName): string {
  const text = tool.text.slice(0, tool.nameStart) + JSON.stringify(name) + tool.text.slice(tool.nameEnd)
  const list = members(text, 0, text.length)
  const isUnfit = (m: Member) => m.key === 'execution' || (m.key === 'outputSchema' && era === 'legacy' && !isObjectSchema(text, m))
  const plain = list.some(isUnfit) ? rebuildObject(text, list, (m) => !isUnfit(m)) : text
  return era === 'legacy' ? withObjectSchemas(plain) : plain
}

/** Revisions before 2026-07-28 know only object results, and only objects as schemas of properties (2025-11-25, schema, Tool). */
function isObjectSchema(text: string, schema: Member): boolean {
  const list = members(text, schema.start, schema.end)
  const type = member(list, 'type')
  if (type === undefined || stringOf(text, type) !== 'object') return false
  const properties = member(list, 'properties')
  if (properties === undefined) return true
  return properties.type === 'object' && members(text, properties.start, properties.end).every((property) => property.type === 'object')
}

/** `true` and `false` as schemas of arguments, spelled as objects that say the same. */
function withObjectSchemas(text: string): string {
  const schema = member(members(text, 0, text.length), 'inputSchema')
  const properties = schema === undefined ? undefined : member(members(text, schema.start, schema.end), 'properties')
  if (properties?.type !== 'object') return text
  const edits = members(text, properties.start, properties.end).flatMap(({ start, end, type }) =>
    type === 'true' ? [{ start, end, text: '{}' }] : type === 'false' ? [{ start, end, text: '{"not":{}}' }] : [],
  )
  return edits.length === 0 ? text : splice(text, edits)
}
