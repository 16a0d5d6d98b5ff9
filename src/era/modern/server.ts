import {
  type Answer,
  allCapabilities,
  appsExtension,
  type Call,
  type Capabilities,
  declared,
  elements,
  isText,
  type LogLevel,
  lists,
  logLevels,
  type Member,
  type Message,
  type MethodRow,
  member,
  members,
  methods,
  type Refusal,
  type RpcError,
  rebuildObject,
  refuse,
  stringOf,
  textOf,
} from '../../mcp/mcp.ts'
import {
  isNotification,
  isWantedLog,
  type Outbound,
  objectIn,
  paramsFor,
  progressTokenOf,
  readAnswer,
  readFacts,
  type ServerEra,
  type ServerFacts,
  withOwnToken,
} from '../server-era.ts'
import { type Implementation, isRevision, metaKeys, modernVersion } from '../versions.ts'
import { encodeHeaderValue } from './header-value.ts'
import { paramHeaders } from './param-headers.ts'
import { isInputRequired, readInputRequired } from './server-input-required.ts'

/** Makes `server/discover`, by which a server's era is found. */
export function discoverRequest(id: number, clientInfo: Implementation): Outbound {
  return outbound(id, 'server/discover', undefined, `{"_meta":{${ownEnvelope(clientInfo)}}}`)
}

/** For which lists notifications of changes are requested. */
export interface ListenFor {
  readonly tools: boolean
  readonly prompts: boolean
  readonly resources: boolean
}

/** Makes `subscriptions/listen` (2026-07-28, subscriptions). */
export function listenRequest(id: number, clientInfo: Implementation, kinds: ListenFor, uris: readonly string[]): Outbound {
  const filter = {
    ...(kinds.tools ? { [lists.tools.flag]: true } : {}),
    ...(kinds.prompts ? { [lists.prompts.flag]: true } : {}),
    ...(kinds.resources ? { [lists.resources.flag]: true } : {}),
    ...(uris.length === 0 ? {} : { resourceSubscriptions: uris }),
  }
  const params = `{"notifications":${JSON.stringify(filter)},"_meta":{${ownEnvelope(clientInfo)}}}`
  return outbound(id, 'subscriptions/listen', undefined, params)
}

/** The URIs that a server's `notifications/subscriptions/acknowledged` grants. */
export function readAcknowledged({ text, params = [] }: Message): ReadonlySet<string> {
  const uris = member(objectIn(text, params, 'notifications') ?? [], 'resourceSubscriptions')
  const list: unknown = uris === undefined ? [] : JSON.parse(textOf(text, uris))
  return new Set(Array.isArray(list) ? list.filter(isText) : [])
}

/** The URI in a `notifications/resources/updated` of either era: a subscribed one, or one below it. */
export function updatedUri(message: Message): string | undefined {
  const uri = isNotification(message) ? member(message.params ?? [], 'uri') : undefined
  return uri === undefined ? undefined : stringOf(message.text, uri)
}

/**
 * What the answer to `server/discover` shows: a modern server, a legacy one that has to be met by `initialize`, one that has to be asked
 * again, or a failure from which the era can't be told.
 */
export type Verdict =
  | { readonly kind: 'modern'; readonly facts: ServerFacts }
  | { readonly kind: 'legacy' }
  | { readonly kind: 'again' }
  | Refusal

/**
 * Judges the answer to `server/discover` (2026-07-28, versioning, Backward Compatibility). Only a DiscoverResult with a revision that
 * mcplex speaks is modern; every other 4xx or JSON-RPC answer is legacy; 401, 403, and 5xx without JSON-RPC show no era.
 */
export function judgeDiscover(status: number, message: Message | undefined): Verdict {
  if (status === 401 || status === 403) return refuse('upstream-auth', `answered ${status}: it wants credentials`)
  if (message === undefined)
    return status >= 400 && status < 500
      ? { kind: 'legacy' }
      : refuse('upstream-invalid', `answered server/discover with status ${status} and no JSON-RPC`)
  const { text, result } = message
  const error = member(message.top, 'error')
  if (error?.type === 'object') return judgeError(text, error)
  const supported = member(result ?? [], 'supportedVersions')
  if (supported?.type !== 'array') return { kind: 'legacy' }
  const versions = elements(text, supported.start, supported.end).map((item) => stringOf(text, item))
  if (!versions.includes(modernVersion)) return { kind: 'legacy' }
  return { kind: 'modern', facts: readModernFacts(message) }
}

function judgeError(text: string, error: Member): Verdict {
  const { code, data } = JSON.parse(textOf(text, error)) as { code?: unknown; data?: { supported?: unknown } }
  const supported = Array.isArray(data?.supported) ? data.supported : []
  const versions = supported.filter(isRevision)
  // A server that refuses this revision although it lists it is asked once more, and never treated as a legacy one (versioning).
  if (code === -32022 && versions.includes(modernVersion)) return { kind: 'again' }
  if (code === -32022 && versions.some((version) => version > modernVersion))
    return refuse('upstream-invalid', `speaks only protocol versions that are not known here: ${versions.slice(0, 8).join(', ')}`)
  return { kind: 'legacy' }
}

function readModernFacts(message: Message): ServerFacts {
  const facts = readFacts(message, modernVersion)
  const { text, result = [] } = message
  const name = member(objectIn(text, objectIn(text, result, '_meta') ?? [], metaKeys.serverInfo) ?? [], 'name')
  return { ...facts, serverName: name === undefined ? undefined : stringOf(text, name) }
}

/** The server era of the stateless revision. `clientInfo` is sent for clients without an envelope. */
export function createModernServer(clientInfo: Implementation): ServerEra {
  const own = ownEnvelope(clientInfo)
  // Envelopes by capabilities and log level: at most 256 times 9.
  const envelopes = new Map<number, string>()
  const envelopeOf = (capabilities: Capabilities, level: LogLevel | undefined): string => {
    const key = capabilities * 16 + (level === undefined ? 15 : logLevels.indexOf(level))
    const known = envelopes.get(key)
    if (known !== undefined) return known
    const made = envelope(clientInfo, capabilities, level)
    envelopes.set(key, made)
    return made
  }
  return {
    name: 'modern',
    call(call, addressed, id) {
      const { headers, body } = outbound(id, call.method, namedIn(call, addressed.name), modernParams(call, addressed.name, envelopeOf))
      if (addressed.paramHeaders.length > 0) headers.push(...paramHeaders(addressed.paramHeaders, call.message))
      return { headers, body }
    },
    list(kind, cursor, id) {
      const rest = cursor === undefined ? '' : `"cursor":${JSON.stringify(cursor)},`
      return outbound(id, lists[kind].method, undefined, `{${rest}"_meta":{${own}}}`)
    },
    notice(call, notice, method) {
      if (!isNotification(notice)) return undefined
      if (method === 'notifications/progress') return isOwnProgress(call, notice) ? withOwnToken(call, notice) : undefined
      // A call without a log level in its envelope gets no log messages (logging).
      return method === 'notifications/message' && isWantedLog(call, notice, false) ? notice.text : undefined
    },
    readAnswer(message, call) {
      if (isInputRequired(message)) return { answer: readInputRequired(message, call), isRepaired: false }
      const read = readAnswer(message, call.method, 'modern')
      if (read.answer.kind !== 'failed') return read
      return { answer: readFailed(read.answer, call), isRepaired: false }
    },
  }
}

/**
 * Turns errors that are not passed on into refusals: those that blame the envelope, which the gateway made; and those of missing
 * capabilities, which a legacy client does not know.
 */
function readFailed(answer: Extract<Answer, { kind: 'failed' }>, { clientEra }: Call): Answer {
  const { error } = answer
  if (error.code === -32020 || error.code === -32022)
    return refuse('upstream-invalid', `refused the gateway's request with error ${error.code}`)
  if (error.code !== -32021 || clientEra === 'modern') return answer
  return refuse('upstream-invalid', `needs what this client has not offered${requiredCapabilities(error)}`)
}

/** The names in `data.requiredCapabilities` (2026-07-28, basic, Error Codes). */
function requiredCapabilities({ data = '' }: RpcError): string {
  const required = data.startsWith('{') ? objectIn(data, members(data, 0, data.length), 'requiredCapabilities') : undefined
  const names = (required ?? []).map(({ key }) => key)
  return names.length === 0 ? '' : `: ${names.slice(0, 8).join(', ').slice(0, 200)}`
}

/** The value of the `Mcp-Name` header; a completion has none (2026-07-28, streamable HTTP, Standard Request Headers). */
function namedIn(call: Call, name: string): string | undefined {
  const { subject }: MethodRow = methods[call.method]
  return subject === undefined || subject === 'ref' ? undefined : name
}

/** Whether a progress notification has the token that the client chose for this call. */
function isOwnProgress(call: Call, notice: Message): boolean {
  const chosen = progressTokenOf(call)
  const sent = member(notice.params ?? [], 'progressToken')
  if (chosen === undefined || sent === undefined || chosen.type !== sent.type) return false
  const [a, b] = [textOf(call.message.text, chosen), textOf(notice.text, sent)]
  if (a === b) return true
  return chosen.type === 'number' ? Number(a) === Number(b) : JSON.parse(a) === JSON.parse(b)
}

function modernParams(
  call: Call,
  ownName: string,
  envelopeOf: (capabilities: Capabilities, level: LogLevel | undefined) => string,
): string {
  const { resume } = call
  let added = ''
  let meta: string | undefined
  if (call.clientEra === 'modern') meta = carriedMeta(call.message)
  else {
    const { text, params, meta: list = [] } = call.message
    const own = envelopeOf(call.capabilities, call.logLevel)
    if (member(params ?? [], '_meta') === undefined) added = `"_meta":{${own}}`
    else meta = rebuildObject(text, list, isForeign, [own])
  }
  if (resume?.responses !== undefined) added += `${added === '' ? '' : ','}"inputResponses":${resume.responses}`
  if (resume?.state !== undefined) added += `${added === '' ? '' : ','}"requestState":${JSON.stringify(resume.state)}`
  return paramsFor(call, ownName, meta, added)
}

const ownKeys: ReadonlySet<string> = new Set(Object.values(metaKeys))

function isForeign({ key }: Member): boolean {
  return !ownKeys.has(key)
}

/** A modern client's `_meta` without the members that are not passed on; undefined where there are none. */
function carriedMeta({ text, params, meta }: Message): string | undefined {
  const capabilities = meta === undefined ? undefined : member(meta, metaKeys.capabilities)
  if (capabilities?.type !== 'object') return undefined
  const list = members(text, capabilities.start, capabilities.end)
  if (!list.some(isUncarried)) return undefined
  const whole = member(params ?? [], '_meta')
  if (whole === undefined) return undefined
  const apps = member(objectIn(text, list, 'extensions') ?? [], appsExtension)
  const kept = apps?.type === 'object' ? [`"extensions":{"${appsExtension}":${textOf(text, apps)}}`] : []
  const carried = rebuildObject(text, list, (m) => !isUncarried(m), kept)
  return text.slice(whole.start, capabilities.start) + carried + text.slice(capabilities.end, whole.end)
}

function isUncarried({ key }: Member): boolean {
  return key === 'extensions' || key === 'tasks'
}

/**
 * The envelope of the gateway's own requests. It declares all capabilities, since servers may leave out of lists what a client could not
 * use.
 */
function ownEnvelope(clientInfo: Implementation): string {
  return envelope(clientInfo, allCapabilities, undefined)
}

/** The envelope as members of `_meta`. */
function envelope(clientInfo: Implementation, capabilities: Capabilities, level: LogLevel | undefined): string {
  const log = level === undefined ? '' : `,"${metaKeys.logLevel}":"${level}"`
  return `"${metaKeys.version}":"${modernVersion}","${metaKeys.capabilities}":${declared(capabilities, 'modern')},"${metaKeys.clientInfo}":${JSON.stringify(clientInfo)}${log}`
}

function outbound(id: number, method: string, name: string | undefined, params: string): { headers: string[]; body: string } {
  const headers = ['mcp-protocol-version', modernVersion, 'mcp-method', method]
  if (name !== undefined) headers.push('mcp-name', encodeHeaderValue(name))
  return { headers, body: `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}` }
}
