import { type ParamHeader, readParamHeaders } from '../era/era.ts'
import {
  areIcons,
  type Element,
  type EraName,
  isAbsentOr,
  isListOf,
  isRecord,
  isText,
  type Member,
  member,
  members,
  rebuildObject,
  stringOf,
  textOf,
} from '../mcp/mcp.ts'

/** A tool as its server lists it. `text` is the JSON object's own characters; the offsets are those of the name's string in it. */
export interface ToolEntry {
  readonly name: string
  readonly text: string
  readonly nameStart: number
  readonly nameEnd: number
  /** Arguments that clients and servers of 2026-07-28 repeat in headers. */
  readonly paramHeaders: readonly ParamHeader[]
}

/** Longer names are taken for an attack on whoever shows them. */
const maxNameChars = 256

/**
 * Reads one element of a tools list. A tool that no client could call, or for which a strict one would refuse the whole list,
 * is left out with the reason; optional members of a wrong shape are left out alone.
 */
export function readTool(text: string, element: Element, era: EraName): ToolEntry | { readonly dropped: string } {
  if (element.type !== 'object') return { dropped: 'a tool that is no object' }
  const start = element.start
  // A copy: a slice would keep the whole page in memory.
  const sent = Buffer.from(text.slice(start, element.end)).toString()
  const own = withoutUnfit(sent)
  const list = members(own, 0, own.length)
  const nameMember = member(list, 'name')
  const name = nameMember === undefined ? undefined : stringOf(own, nameMember)
  if (nameMember === undefined || name === undefined || name === '') return { dropped: 'a tool without a name' }
  if (name.length > maxNameChars) return { dropped: `a tool with a name of ${name.length} characters` }
  const fault = faultOf(own, list)
  if (fault !== undefined) return { dropped: `tool ${JSON.stringify(name)}: ${fault}` }
  const schema = member(list, 'inputSchema')
  const headers = readParamHeaders(schema === undefined ? '{}' : textOf(own, schema))
  // Only the revision that has the annotation can break it.
  if ('fault' in headers && era === 'modern') return { dropped: `tool ${JSON.stringify(name)}: ${headers.fault}` }
  return { name, text: own, nameStart: nameMember.start, nameEnd: nameMember.end, paramHeaders: 'fault' in headers ? [] : headers }
}

/** Optional members of a tool, and of its annotations and icons (2026-07-28, schema, Tool). */
const optional = {
  title: isText,
  description: isText,
  outputSchema: isRecord,
  annotations: (value: unknown) =>
    isRecord(value) &&
    isAbsentOr(value['title'], isText) &&
    ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'].every((hint) => isAbsentOr(value[hint], isBoolean)),
  icons: areIcons,
  _meta: isRecord,
} as const satisfies Record<string, (value: unknown) => boolean>

/** Members that say something about a tool, and say it wrongly, are left out; the tool works without them. */
function withoutUnfit(text: string): string {
  const list = members(text, 0, text.length)
  const isUnfit = (m: Member) => {
    if (!Object.hasOwn(optional, m.key)) return false
    return !optional[m.key as keyof typeof optional](JSON.parse(textOf(text, m)))
  }
  return list.some(isUnfit) ? rebuildObject(text, list, (m) => !isUnfit(m)) : text
}

/** What makes a tool unusable: without a right `inputSchema` no client can call it, and strict ones refuse the whole list. */
function faultOf(text: string, list: readonly Member[]): string | undefined {
  const found = member(list, 'inputSchema')
  const schema: unknown = found === undefined ? undefined : JSON.parse(textOf(text, found))
  if (!isRecord(schema)) return 'its inputSchema is no object'
  if (schema['type'] !== 'object') return 'its inputSchema is not of type "object"'
  const { properties, required } = schema
  if (!isAbsentOr(properties, (value) => isRecord(value) && Object.values(value).every((one) => isRecord(one) || isBoolean(one))))
    return 'the properties of its inputSchema are no schemas'
  return isAbsentOr(required, (names) => isListOf(names, isText)) ? undefined : 'the `required` of its inputSchema is no list of names'
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean'
}
