import { type Element, type Member, member, members, rebuildObject, stringOf } from '../mcp/mcp.ts'

/** A tool as its server lists it. `text` is the JSON object's own characters; the offsets are those of the name's string in it. */
export interface ToolEntry {
  readonly name: string
  readonly text: string
  readonly nameStart: number
  readonly nameEnd: number
}

/** Longer names are taken for an attack on whoever shows them. */
const maxNameChars = 256

/**
 * Reads one element of a tools list. A tool that a strict client would refuse, and with it the whole list, is left out
 * with the reason: `name`, an object `inputSchema` of type "object", and the optional members' types (2026-07-28, schema, Tool).
 */
export function readTool(text: string, element: Element): ToolEntry | { readonly dropped: string } {
  if (element.type !== 'object') return { dropped: 'a tool that is no object' }
  const start = element.start
  // A copy: a slice would keep the whole page in memory.
  const sent = Buffer.from(text.slice(start, element.end)).toString()
  const own = withoutNulls(sent)
  const list = members(own, 0, own.length)
  const nameMember = member(list, 'name')
  const name = nameMember === undefined ? undefined : stringOf(own, nameMember)
  if (nameMember === undefined || name === undefined || name === '') return { dropped: 'a tool without a name' }
  if (name.length > maxNameChars) return { dropped: `a tool with a name of ${name.length} characters` }
  const fault = faultOf(own, list)
  if (fault !== undefined) return { dropped: `tool ${JSON.stringify(name)}: ${fault}` }
  return { name, text: own, nameStart: nameMember.start, nameEnd: nameMember.end }
}

const optional = {
  title: 'string',
  description: 'string',
  outputSchema: 'object',
  annotations: 'object',
  icons: 'array',
  _meta: 'object',
} as const satisfies Record<string, string>

/** `null` for "absent" is common and refused by strict clients. */
function withoutNulls(text: string): string {
  const list = members(text, 0, text.length)
  const isNull = (m: Member) => m.type === 'null' && Object.hasOwn(optional, m.key)
  return list.some(isNull) ? rebuildObject(text, list, (m) => !isNull(m)) : text
}

function faultOf(text: string, list: readonly Member[]): string | undefined {
  const schema = member(list, 'inputSchema')
  if (schema?.type !== 'object') return 'its inputSchema is no object'
  const type = member(members(text, schema.start, schema.end), 'type')
  if (type === undefined || stringOf(text, type) !== 'object') return 'its inputSchema is not of type "object"'
  for (const [key, wanted] of Object.entries(optional)) {
    const found = member(list, key)
    if (found !== undefined && found.type !== wanted) return `its ${key} is no ${wanted}`
  }
  return undefined
}
