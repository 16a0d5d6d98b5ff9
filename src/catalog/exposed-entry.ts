import { type Dialect, type Edit, type ListKind, type Member, member, members, rebuildObject, splice, stringOf } from '../mcp/mcp.ts'
import { exposedUri } from './exposed-uri.ts'
import type { Shown } from './list-table.ts'

/** The JSON of an entry in a merged list, for clients of a dialect. Characters that need not change stay as the server sent them. */
export function exposedEntry(kind: ListKind, { entry, name, server }: Shown, dialect: Dialect): string {
  const { text, key, keyStart, keyEnd } = entry
  const named = name === key ? text : text.slice(0, keyStart) + JSON.stringify(name) + text.slice(keyEnd)
  if (kind !== 'tools') return named
  const linked = server.isPrefixed && named.includes('"ui') ? withAppUri(named, server.name) : named
  const list = members(linked, 0, linked.length)
  const isUnfit = (m: Member) => m.key === 'execution' || (m.key === 'outputSchema' && !isFitOutput(linked, m, dialect))
  const plain = list.some(isUnfit) ? rebuildObject(linked, list, (m) => !isUnfit(m)) : linked
  return dialect === 'modern' ? plain : withObjectSchemas(plain)
}

/** Removes an `outputSchema` that a client's revision does not know: it came with 2025-06-18, and only for objects before 2026-07-28. */
function isFitOutput(text: string, schema: Member, dialect: Dialect): boolean {
  return dialect === 'modern' || (dialect === 'legacy' && isObjectSchema(text, schema))
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

/** Replaces `true` and `false` as schemas of arguments by objects with the same meaning. */
function withObjectSchemas(text: string): string {
  const schema = member(members(text, 0, text.length), 'inputSchema')
  const properties = schema === undefined ? undefined : member(members(text, schema.start, schema.end), 'properties')
  if (properties?.type !== 'object') return text
  const edits = members(text, properties.start, properties.end).flatMap(({ start, end, type }) =>
    type === 'true' ? [{ start, end, text: '{}' }] : type === 'false' ? [{ start, end, text: '{"not":{}}' }] : [],
  )
  return edits.length === 0 ? text : splice(text, edits)
}

/** Exposes the URI of a tool's page in MCP Apps, in both places: `_meta.ui.resourceUri` and the older `_meta["ui/resourceUri"]`. */
function withAppUri(text: string, server: string): string {
  const meta = objectAt(text, members(text, 0, text.length), '_meta')
  const places = [member(objectAt(text, meta, 'ui'), 'resourceUri'), member(meta, 'ui/resourceUri')]
  const edits = places.flatMap((place): Edit[] => {
    const uri = place === undefined ? undefined : stringOf(text, place)
    if (place === undefined || !uri?.startsWith('ui://')) return []
    return [{ start: place.start, end: place.end, text: JSON.stringify(exposedUri(server, uri)) }]
  })
  return edits.length === 0
    ? text
    : splice(
        text,
        edits.toSorted((a, b) => a.start - b.start),
      )
}

function objectAt(text: string, list: readonly Member[], key: string): readonly Member[] {
  const found = member(list, key)
  return found?.type === 'object' ? members(text, found.start, found.end) : []
}
