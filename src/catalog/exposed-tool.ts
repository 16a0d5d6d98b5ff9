import { type EraName, type Member, member, members, rebuildObject, stringOf } from '../mcp/mcp.ts'
import type { ToolEntry } from '../upstream/upstream.ts'

/** A tool's JSON under the name that callers see, fit for clients of an era; every other character is the server's. */
export function exposedTool(tool: ToolEntry, name: string, era: EraName): string {
  const text = tool.text.slice(0, tool.nameStart) + JSON.stringify(name) + tool.text.slice(tool.nameEnd)
  const list = members(text, 0, text.length)
  const isUnfit = (m: Member) => m.key === 'execution' || (m.key === 'outputSchema' && era === 'legacy' && !isObjectSchema(text, m))
  return list.some(isUnfit) ? rebuildObject(text, list, (m) => !isUnfit(m)) : text
}

/** Revisions before 2026-07-28 know only object results (2025-11-25, schema, Tool.outputSchema). */
function isObjectSchema(text: string, schema: Member): boolean {
  const type = member(members(text, schema.start, schema.end), 'type')
  return type !== undefined && stringOf(text, type) === 'object'
}
