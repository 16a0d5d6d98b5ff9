import {
  type Answer,
  appsExtension,
  type Call,
  type EraName,
  isAtLeast,
  type ListKind,
  type Member,
  type Message,
  member,
  members,
  type Offers,
  refuse,
  removeMember,
  stringOf,
  textOf,
} from '../mcp/mcp.ts'
import type { ParamHeader } from './modern/param-headers.ts'
import { repairResult, repairToolResult, saysError } from './repair.ts'

/** A message to a server: headers as alternating names and values, and the body. */
export interface Outbound {
  readonly headers: readonly string[]
  readonly body: string
}

/** What a server declared when it was met. */
export interface ServerFacts {
  readonly version: string
  readonly offers: Offers
  readonly serverName: string | undefined
  readonly instructions: string | undefined
}

/** The subject of a call, as its server knows it. */
export interface Addressed {
  /** The server's own name or URI for `call.subject`. */
  readonly name: string
  /** The arguments of a tool that are repeated in headers. */
  readonly paramHeaders: readonly ParamHeader[]
}

/**
 * Encodes requests to servers of one era and reads their answers. `session` is the server's session id, if it gave one; `id` is the
 * gateway's, unique for the server.
 */
export interface ServerEra {
  readonly name: EraName
  /**
   * Encodes a call with the server's name for its subject. Apart from that, from `_meta` and from members of an earlier round, `params`
   * stays as the client sent it.
   */
  call(call: Call, addressed: Addressed, id: number, session: string | undefined): Outbound
  list(kind: ListKind, cursor: string | undefined, id: number, session: string | undefined): Outbound
  /**
   * A notification that arrived during a call, rewritten for the caller; undefined where it is not for the caller, or was not requested.
   */
  notice(call: Call, notice: Message, method: string, id: number): string | undefined
  /** Reads the response to a call. `isRepaired` tells that a tool's result had to be made valid. */
  readAnswer(message: Message, call: Call): { readonly answer: Answer; readonly isRepaired: boolean }
}

/**
 * The params of a call for its server: with the server's name for the subject, without the members of an earlier round, and
 * without `task`, which is not offered to clients. Everything else stays the same, character by character.
 * @param meta replaces the value of `_meta`; undefined: it stays
 * @param added text of members that are put in front; may be empty
 */
export function paramsFor(call: Call, ownName: string, meta: string | undefined, added: string): string {
  const { text, top, params } = call.message
  const whole = member(top, 'params')
  if (whole === undefined || params === undefined) return `{${added}}`
  const place = call.subject?.place
  const first = whole.start + 1
  let out = ''
  let at = first
  let keptEnd = -1
  for (const m of params) {
    if (m.key === 'task' || m.key === 'inputResponses' || m.key === 'requestState') {
      // Removes a comma with the member: the one before it, or the one behind it where no member was kept before.
      if (at < keptEnd) out += text.slice(at, keptEnd)
      at = m.end
      continue
    }
    if (keptEnd === -1 && at !== first) at = m.keyStart
    keptEnd = m.end
    if (m.key === '_meta' && meta !== undefined) {
      out += text.slice(at, m.start) + meta
      at = m.end
    } else if (place !== undefined && m.start <= place.start && place.end <= m.end) {
      out += text.slice(at, place.start) + JSON.stringify(ownName)
      at = place.end
    }
  }
  return `{${added}${added !== '' && keptEnd !== -1 ? ',' : ''}${out}${text.slice(at, whole.end)}`
}

/** The client's progress token for the call. */
export function progressTokenOf({ message: { meta } }: Call): Member | undefined {
  const token = meta === undefined ? undefined : member(meta, 'progressToken')
  return token?.type === 'string' || token?.type === 'number' ? token : undefined
}

/** A progress notification with the client's token as the client wrote it; undefined where the client has none. */
export function withOwnToken(call: Call, { text, params }: Message): string | undefined {
  const chosen = progressTokenOf(call)
  const sent = member(params ?? [], 'progressToken')
  if (chosen === undefined || sent === undefined) return undefined
  return text.slice(0, sent.start) + textOf(call.message.text, chosen) + text.slice(sent.end)
}

/** Whether a message is a notification, without members that would make it a request or a response. */
export function isNotification({ top }: Message): boolean {
  for (const { key } of top) if (key === 'id' || key === 'result' || key === 'error') return false
  return true
}

/** Whether a log message has at least the level that the call requests; `otherwise` where it requests none. */
export function isWantedLog(call: Call, { text, params }: Message, otherwise: boolean): boolean {
  if (call.logLevel === undefined) return otherwise
  const level = member(params ?? [], 'level')
  return level !== undefined && isAtLeast(stringOf(text, level), call.logLevel)
}

/** Whether servers may ask for input during a method (2026-07-28, multi round-trip requests, Supported Requests). */
export function hasRounds(method: string): boolean {
  return method === 'tools/call' || method === 'prompts/get' || method === 'resources/read'
}

/** Bound of the input requests of one round. */
export const maxInputRequests = 32

/** Reads a response of a server of that era that does not ask for input. `isRepaired` tells that a tool's result had to be made valid. */
export function readAnswer(message: Message, method: string, era: EraName): { readonly answer: Answer; readonly isRepaired: boolean } {
  const { text, top, result } = message
  const error = member(top, 'error')
  if (error !== undefined) return { answer: readError(text, error), isRepaired: false }
  const whole = member(top, 'result')
  if (whole === undefined || result === undefined) return invalid('answered without a result object')
  const type = member(result, 'resultType')
  if (type !== undefined && stringOf(text, type) !== 'complete') return invalid('answered with a resultType that is not known here')
  const hasMeta = member(result, '_meta')?.type === 'object'
  if (method === 'tools/call') {
    const isError = saysError(text, result)
    const repaired = repairToolResult(text, result, era)
    const own = repaired ?? withoutMember(text, whole, result, type)
    return { answer: { kind: 'complete', result: own, isError, hasMeta }, isRepaired: repaired !== undefined }
  }
  const verdict = repairResult(text, result, method)
  if (verdict === false) return invalid(`answered ${method} with a result that is not valid MCP`)
  const own = verdict === true ? withoutMember(text, whole, result, type) : verdict
  return { answer: { kind: 'complete', result: own, isError: false, hasMeta }, isRepaired: false }
}

function invalid(text: string): { readonly answer: Answer; readonly isRepaired: boolean } {
  return { answer: refuse('upstream-invalid', text), isRepaired: false }
}

/** The text of an object without one of its members. */
function withoutMember(text: string, whole: Member, list: readonly Member[], m: Member | undefined): string {
  if (m === undefined) return textOf(text, whole)
  const cut = removeMember(text, list, m)
  return text.slice(whole.start, cut.start) + text.slice(cut.end, whole.end)
}

/** Whether a server of 2026-07-28 refused a request because its headers do not repeat its body, and so has not acted on it. */
export function isHeaderMismatch(message: Message): boolean {
  const error = member(message.top, 'error')
  if (error?.type !== 'object') return false
  const code = member(members(message.text, error.start, error.end), 'code')
  return code !== undefined && textOf(message.text, code) === '-32020'
}

/** A JSON-RPC error object. */
function readError(text: string, error: Member): Answer {
  if (error.type !== 'object') return refuse('upstream-invalid', 'answered with an error that is no object')
  const list = members(text, error.start, error.end)
  const [codeMember, messageMember, data] = [member(list, 'code'), member(list, 'message'), member(list, 'data')]
  const sent = codeMember?.type === 'number' ? Number(textOf(text, codeMember)) : Number.NaN
  const code = Number.isSafeInteger(sent) ? sent : -32603
  const message = (messageMember && stringOf(text, messageMember)) ?? 'error without a message'
  return { kind: 'failed', error: { code, message, data: data && textOf(text, data) } }
}

/** Reads what the results of `initialize` and `server/discover` have in common. */
export function readFacts({ text, result = [] }: Message, version: string): ServerFacts {
  const instructions = member(result, 'instructions')
  const name = member(objectIn(text, result, 'serverInfo') ?? [], 'name')
  return {
    version,
    offers: readOffers(text, objectIn(text, result, 'capabilities') ?? []),
    serverName: name === undefined ? undefined : stringOf(text, name),
    instructions: instructions === undefined ? undefined : stringOf(text, instructions),
  }
}

/** Bound of the characters of an extension's settings, which are passed on in every handshake. */
const maxAppsChars = 4096

function readOffers(text: string, list: readonly Member[]): Offers {
  const [tools, prompts, resources] = [objectIn(text, list, 'tools'), objectIn(text, list, 'prompts'), objectIn(text, list, 'resources')]
  const apps = member(objectIn(text, list, 'extensions') ?? [], appsExtension)
  return {
    tools: tools !== undefined,
    prompts: prompts !== undefined,
    resources: resources !== undefined,
    completions: objectIn(text, list, 'completions') !== undefined,
    logging: objectIn(text, list, 'logging') !== undefined,
    toolsChange: isSet(tools, 'listChanged'),
    promptsChange: isSet(prompts, 'listChanged'),
    resourcesChange: isSet(resources, 'listChanged'),
    subscribe: isSet(resources, 'subscribe'),
    // Copied, since a slice of a string keeps the whole answer in memory.
    apps: apps?.type === 'object' && apps.end - apps.start <= maxAppsChars ? Buffer.from(textOf(text, apps)).toString() : undefined,
  }
}

function isSet(flags: readonly Member[] | undefined, key: string): boolean {
  return member(flags ?? [], key)?.type === 'true'
}

/** The members of a member whose value is an object; undefined where it is something else. */
export function objectIn(text: string, list: readonly Member[], key: string): readonly Member[] | undefined {
  const found = member(list, key)
  return found?.type === 'object' ? members(text, found.start, found.end) : undefined
}
