import { type ParamHeader, readParamHeaders } from '../../era/era.ts'
import {
  areIcons,
  type Element,
  type EraName,
  isAbsentOr,
  isListOf,
  isRecord,
  isText,
  type ListKind,
  lists,
  type Member,
  member,
  members,
  rebuildObject,
  stringOf,
  textOf,
} from '../../mcp/mcp.ts'
import type { ListEntry } from './list-entry.ts'

type IsFit = (value: unknown) => boolean

interface EntryRow {
  /** The word for an entry of this kind in messages. */
  readonly noun: string
  /** Entries with longer keys are dropped: such a key is probably meant to harm those who display it. */
  readonly maxKeyChars: number
  /** Optional members. Those of a wrong type are left out, since strict clients would refuse the whole list. */
  readonly optional: Readonly<Record<string, IsFit>>
  /** Why no client could use the entry; undefined where clients can. */
  faultOf(key: string, value: (member: string) => unknown): string | undefined
}

const described = { title: isText, description: isText, icons: areIcons, _meta: isRecord } as const

const located = {
  ...described,
  mimeType: isText,
  size: isNumber,
  annotations: (value: unknown) =>
    isRecord(value) &&
    isAbsentOr(value['audience'], (list) => isListOf(list, (role) => role === 'user' || role === 'assistant')) &&
    isAbsentOr(value['priority'], (number) => isNumber(number) && number >= 0 && number <= 1) &&
    isAbsentOr(value['lastModified'], isMoment),
} as const

/** The shapes of 2026-07-28, schema: Tool, Prompt, Resource, ResourceTemplate. */
const rows: Readonly<Record<ListKind, EntryRow>> = {
  tools: {
    noun: 'tool',
    maxKeyChars: 256,
    optional: {
      ...described,
      outputSchema: isRecord,
      annotations: (value) =>
        isRecord(value) &&
        isAbsentOr(value['title'], isText) &&
        ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'].every((hint) => isAbsentOr(value[hint], isBoolean)),
    },
    faultOf: (_, value) => faultOfSchema(value('inputSchema')),
  },
  prompts: {
    noun: 'prompt',
    maxKeyChars: 256,
    optional: described,
    faultOf: (_, value) =>
      isAbsentOr(value('arguments'), (list) => isListOf(list, isArgument)) ? undefined : 'its arguments are no list of arguments',
  },
  resources: {
    noun: 'resource',
    maxKeyChars: 4096,
    optional: located,
    faultOf: (uri, value) => (URL.canParse(uri) ? faultOfName(value('name')) : 'its uri is no URI'),
  },
  templates: {
    noun: 'resource template',
    maxKeyChars: 4096,
    optional: located,
    faultOf: (_, value) => faultOfName(value('name')),
  },
}

/**
 * Reads one element of a list. The whole entry is left out, with the reason, where no client could use it or strict clients would refuse
 * the list for it; an optional member of a wrong type is left out alone.
 */
export function readEntry(kind: ListKind, text: string, element: Element, era: EraName): ListEntry | { readonly dropped: string } {
  const row = rows[kind]
  if (element.type !== 'object') return { dropped: `a ${row.noun} that is no object` }
  // Copied, since a slice of a string keeps the whole page in memory.
  const sent = Buffer.from(text.slice(element.start, element.end)).toString()
  const own = withoutUnfit(sent, row.optional)
  const list = members(own, 0, own.length)
  const keyName = lists[kind].key
  const keyMember = member(list, keyName)
  const key = keyMember === undefined ? undefined : stringOf(own, keyMember)
  if (keyMember === undefined || key === undefined || key === '') return { dropped: `a ${row.noun} without a ${keyName}` }
  if (key.length > row.maxKeyChars) return { dropped: `a ${row.noun} with a ${keyName} of ${key.length} characters` }
  const fault = row.faultOf(key, (name) => parsedMember(own, list, name))
  if (fault !== undefined) return { dropped: named(row, key, fault) }
  const headers = kind === 'tools' ? headersOf(own, list) : noHeaders
  // Only 2026-07-28 has the annotation, so only its servers can get it wrong.
  if ('fault' in headers && era === 'modern') return { dropped: named(row, key, headers.fault) }
  const paramHeaders = 'fault' in headers ? noHeaders : headers
  return { key, text: own, keyStart: keyMember.start, keyEnd: keyMember.end, paramHeaders }
}

/** The reason for leaving out an entry whose key an earlier entry has. */
export function repeatedEntry(kind: ListKind, key: string): string {
  return named(rows[kind], key, 'listed twice')
}

/** How many characters of a key are shown in a reason. */
const maxShownChars = 256

function named({ noun }: EntryRow, key: string, fault: string): string {
  return `${noun} ${JSON.stringify(key.slice(0, maxShownChars))}: ${fault}`
}

const noHeaders: readonly ParamHeader[] = []

function headersOf(text: string, list: readonly Member[]): ReturnType<typeof readParamHeaders> {
  const schema = member(list, 'inputSchema')
  return schema === undefined ? noHeaders : readParamHeaders(textOf(text, schema))
}

/** The entry without optional members that have a wrong shape. */
function withoutUnfit(text: string, optional: Readonly<Record<string, IsFit>>): string {
  const list = members(text, 0, text.length)
  const isUnfit = (m: Member) => Object.hasOwn(optional, m.key) && !optional[m.key]?.(JSON.parse(textOf(text, m)))
  return list.some(isUnfit) ? rebuildObject(text, list, (m) => !isUnfit(m)) : text
}

function parsedMember(text: string, list: readonly Member[], key: string): unknown {
  const found = member(list, key)
  return found === undefined ? undefined : JSON.parse(textOf(text, found))
}

/** What is wrong with a tool's `inputSchema`. Without a valid one no client can call the tool, and strict clients refuse the whole list. */
function faultOfSchema(schema: unknown): string | undefined {
  if (!isRecord(schema)) return 'its inputSchema is no object'
  if (schema['type'] !== 'object') return 'its inputSchema is not of type "object"'
  const { properties, required } = schema
  if (!isAbsentOr(properties, (value) => isRecord(value) && Object.values(value).every((one) => isRecord(one) || isBoolean(one))))
    return 'the properties of its inputSchema are no schemas'
  return isAbsentOr(required, (names) => isListOf(names, isText)) ? undefined : 'the `required` of its inputSchema is no list of names'
}

function faultOfName(name: unknown): string | undefined {
  return isText(name) ? undefined : 'it has no name'
}

function isArgument(value: unknown): boolean {
  if (!isRecord(value) || !isText(value['name']) || !isAbsentOr(value['required'], isBoolean)) return false
  return isAbsentOr(value['title'], isText) && isAbsentOr(value['description'], isText)
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean'
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

const moment = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/

/** A date and time of ISO 8601 with its offset, of a day that exists. */
function isMoment(value: unknown): boolean {
  const day = isText(value) ? moment.exec(value)?.[1] : undefined
  if (day === undefined) return false
  const date = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day)
}
