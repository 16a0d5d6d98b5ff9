import type { RequestRecord } from '../records/records.ts'
import { createRequestMembers, escapeJson } from '../records/records.ts'
import { createDigest } from './digest.ts'
import type { AuditEntry } from './entry.ts'
import { blank, type Redaction, readRedactions, redactJson } from './redact-json.ts'
import type { AuditSettings } from './settings.ts'

/** Most characters of a name that others chose: an issuer, a subject, a place. */
const maxNameChars = 1024
const maxActors = 16
const maxRuleChars = 4096
/** Most bytes of a call's arguments, as they would stand in the record. */
export const maxArgumentBytes = 64 * 1024
/** How many callers and rules are cached; beyond it the cache is emptied. */
const maxSeen = 1000

/** What tells as much as another member does: a caller's name is made of the issuer and the subject of its credential. */
const madeOf: Readonly<Record<string, readonly string[]>> = { subject: ['caller'], issuer: ['caller'], caller: ['subject'] }

interface Who {
  readonly issuer: string | undefined
  readonly actors: readonly string[]
  readonly text: string
}

/**
 * Makes an audit record from an entry: a JSON object on one line in UTF-8, redacted and without its closing brace. It contains no control,
 * bidi or tag characters.
 */
export function createRecordBody(settings: AuditSettings, now: () => number): (entry: AuditEntry) => Buffer {
  const requestMembers = createRequestMembers()
  const digest = createDigest(settings.key)
  const redaction = readRedactions(settings.redact.flatMap((path) => [path, ...(madeOf[path] ?? [])]))
  const blankedNames = [...redaction.members].flatMap(([name, { isWhole }]) => (isWhole ? [name] : []))
  const isDigestBlanked = redaction.members.get('argumentsDigest')?.isWhole === true
  const isAddressBlanked = redaction.members.get('sourceAddress')?.isWhole === true
  const inArguments = redaction.members.get('arguments')
  const seenWho = new Map<string, Who>()
  const seenRules = new Map<string, { readonly words: string | undefined; readonly text: string }>()

  function whoText({ issuer, subject, actors }: AuditEntry): string {
    if (issuer === undefined && subject === undefined && actors.length === 0) return ''
    const key = subject ?? ''
    const known = seenWho.get(key)
    if (known !== undefined && known.issuer === issuer && isSameList(known.actors, actors)) return known.text
    const chain = actors.length === 0 ? undefined : actors.slice(0, maxActors).map((actor) => clamp(actor, maxNameChars))
    const text = redacted(
      escapeJson(membersText({ issuer: clamp(issuer, maxNameChars), subject: clamp(subject, maxNameChars), actors: chain })),
    )
    if (seenWho.size >= maxSeen) seenWho.clear()
    seenWho.set(key, { issuer, actors, text })
    return text
  }

  const addressText = (address: string): string =>
    address === '' ? '' : `,"sourceAddress":${isAddressBlanked ? `"${blank}"` : JSON.stringify(address)}`

  function ruleText({ rule }: AuditEntry): string {
    if (rule === undefined) return ''
    const known = seenRules.get(rule.place)
    if (known !== undefined && known.words === rule.text) return known.text
    const shown = { place: clamp(rule.place, maxNameChars), text: clamp(rule.text, maxRuleChars) }
    const text = redacted(escapeJson(membersText({ rule: shown })))
    if (seenRules.size >= maxSeen) seenRules.clear()
    seenRules.set(rule.place, { words: rule.text, text })
    return text
  }

  function argumentsText({ args }: AuditEntry): string {
    if (args === undefined) return ''
    const digested = `,"argumentsDigest":"${isDigestBlanked ? blank : digest(args)}"`
    return settings.arguments ? `${digested}${wholeArguments(args, inArguments)}` : digested
  }

  /**
   * The members of a record with redacted ones blanked. Texts are blanked before they are written as JSON, other values in the JSON text.
   */
  function recordText(record: RequestRecord): string {
    if (blankedNames.length === 0) {
      const { text, isPlain } = requestMembers(record)
      return isPlain ? text : escapeJson(text)
    }
    let hasOthers = false
    const blanked: Record<string, unknown> = { ...record }
    for (const name of blankedNames) {
      if (typeof blanked[name] === 'string') blanked[name] = blank
      else if (blanked[name] !== undefined) hasOthers = true
    }
    const { text, isPlain } = requestMembers(blanked as unknown as RequestRecord)
    const escaped = isPlain ? text : escapeJson(text)
    return hasOthers ? redacted(`,${escaped}`).slice(1) : escaped
  }

  /** @param text members, each with a comma before it */
  function redacted(text: string): string {
    return redaction.members.size === 0 || text === '' ? text : `,${redactJson(`{${text.slice(1)}}`, redaction).slice(1, -1)}`
  }

  return (entry) => {
    const time = new Date(now()).toISOString()
    const text = `{"type":"audit","time":"${time}",${recordText(entry.record)}${addressText(entry.sourceAddress)}${whoText(entry)}${ruleText(entry)}${argumentsText(entry)}`
    // As bytes, since a string made of slices would keep the whole request in memory.
    return Buffer.from(text)
  }
}

function wholeArguments(args: string, redaction: Redaction | undefined): string {
  if (args.length > maxArgumentBytes) return ',"argumentsCut":true'
  // Line ends occur only between tokens of JSON, so they can be blanks.
  const line = escapeJson(/[\n\r\t]/.test(args) ? args.replace(/[\n\r\t]/g, ' ') : args)
  if (Buffer.byteLength(line) > maxArgumentBytes) return ',"argumentsCut":true'
  return `,"arguments":${redaction === undefined ? line : redactJson(line, redaction)}`
}

function membersText(value: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(value)
  return text === '{}' ? '' : `,${text.slice(1, -1)}`
}

function clamp<T extends string | undefined>(text: T, max: number): T | string {
  return text !== undefined && text.length > max ? `${text.slice(0, max - 1)}…` : text
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((one, at) => one === b[at]))
}
