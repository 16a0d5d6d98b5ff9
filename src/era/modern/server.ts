import {
  type Call,
  elements,
  insertMember,
  type Member,
  type Message,
  member,
  members,
  type Refusal,
  rebuildObject,
  refuse,
  stringOf,
  textOf,
} from '../../mcp/mcp.ts'
import {
  isLogMessage,
  isOwnProgress,
  type Outbound,
  ownEdits,
  readFacts,
  type ServerEra,
  type ServerFacts,
  spliceWithin,
} from '../server-era.ts'
import { type Implementation, isRevision, metaKeys, modernVersion } from '../versions.ts'
import { encodeHeaderValue } from './header-value.ts'
import { paramHeaders } from './param-headers.ts'

/** `server/discover`, by which a server's era is found. */
export function discoverRequest(id: number, clientInfo: Implementation): Outbound {
  return outbound(id, 'server/discover', undefined, `{"_meta":${envelope(clientInfo)}}`)
}

/** Asks for tool list changes (2026-07-28, subscriptions). */
export function listenRequest(id: number, clientInfo: Implementation): Outbound {
  return outbound(id, 'subscriptions/listen', undefined, `{"notifications":{"toolsListChanged":true},"_meta":${envelope(clientInfo)}}`)
}

/** What the answer to `server/discover` says: a modern server, one to meet by `initialize`, one to ask again, or a failure that tells nothing of the era. */
export type Verdict =
  | { readonly kind: 'modern'; readonly facts: ServerFacts }
  | { readonly kind: 'legacy' }
  | { readonly kind: 'again' }
  | Refusal

/**
 * Judges the answer to `server/discover` (2026-07-28, versioning, Backward Compatibility): only a DiscoverResult that
 * shares a revision with us is modern, every other 4xx or JSON-RPC answer is legacy; 401, 403 and 5xx without JSON-RPC are no verdict.
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
  // A server of this revision that refused it once: it is asked once more, never taken for a legacy one (versioning).
  if (code === -32022 && versions.includes(modernVersion)) return { kind: 'again' }
  if (code === -32022 && versions.some((version) => version > modernVersion))
    return refuse('upstream-invalid', `speaks only protocol versions that are not known here: ${versions.slice(0, 8).join(', ')}`)
  return { kind: 'legacy' }
}

function readModernFacts(message: Message): ServerFacts {
  const facts = readFacts(message, modernVersion)
  const meta = member(message.result ?? [], '_meta')
  const info = meta?.type === 'object' ? member(members(message.text, meta.start, meta.end), metaKeys.serverInfo) : undefined
  const name = info?.type === 'object' ? member(members(message.text, info.start, info.end), 'name') : undefined
  return { ...facts, serverName: name === undefined ? undefined : stringOf(message.text, name) }
}

/** Servers of the stateless revision. `clientInfo` stands in for clients that have none in their envelope. */
export function createModernServer(clientInfo: Implementation): ServerEra {
  const ownEnvelope = envelope(clientInfo)
  return {
    name: 'modern',
    call(call, tool, id) {
      const { headers, body } = outbound(id, call.method, tool.name, modernParams(call, tool.name, ownEnvelope))
      return { headers: tool.paramHeaders.length === 0 ? headers : [...headers, ...paramHeaders(tool.paramHeaders, call.message)], body }
    },
    listTools(cursor, id) {
      const rest = cursor === undefined ? '' : `"cursor":${JSON.stringify(cursor)},`
      return outbound(id, 'tools/list', undefined, `{${rest}"_meta":${ownEnvelope}}`)
    },
    passesNotice(call, notice, method) {
      // Without a level in its envelope a client gets no log messages (logging).
      const wantsLog = call.clientEra === 'legacy' || member(call.message.meta ?? [], metaKeys.logLevel) !== undefined
      return isOwnProgress(call, notice, method) || (wantsLog && isLogMessage(notice, method))
    },
  }
}

function modernParams(call: Call, ownName: string, ownEnvelope: string): string {
  const { text, top, params, meta } = call.message
  const whole = member(top, 'params')
  if (whole === undefined || params === undefined) return `{"_meta":${ownEnvelope}}`
  const edits = ownEdits(text, params, ownName)
  const metaMember = member(params, '_meta')
  if (call.clientEra === 'legacy') {
    if (metaMember === undefined) edits.push(insertMember(text, whole.start, params.length === 0, `"_meta":${ownEnvelope}`))
    else {
      const own = new Set<string>(Object.values(metaKeys))
      const replaced = rebuildObject(text, meta ?? [], (m) => !own.has(m.key), [ownEnvelope.slice(1, -1)])
      edits.push({ start: metaMember.start, end: metaMember.end, text: replaced })
    }
  } else {
    const edit = withoutExtensions(text, meta ?? [])
    if (edit !== undefined) edits.push(edit)
  }
  return spliceWithin(text, whole, edits)
}

/** A server sees no extension that the gateway does not carry end to end. */
function withoutExtensions(text: string, meta: readonly Member[]) {
  const capabilities = member(meta, metaKeys.capabilities)
  if (capabilities?.type !== 'object') return undefined
  const list = members(text, capabilities.start, capabilities.end)
  if (member(list, 'extensions') === undefined && member(list, 'tasks') === undefined) return undefined
  return {
    start: capabilities.start,
    end: capabilities.end,
    text: rebuildObject(text, list, (m) => m.key !== 'extensions' && m.key !== 'tasks'),
  }
}

function envelope(clientInfo: Implementation): string {
  return JSON.stringify({ [metaKeys.version]: modernVersion, [metaKeys.capabilities]: {}, [metaKeys.clientInfo]: clientInfo })
}

function outbound(id: number, method: string, name: string | undefined, params: string): Outbound {
  const headers = ['mcp-protocol-version', modernVersion, 'mcp-method', method]
  if (name !== undefined) headers.push('mcp-name', encodeHeaderValue(name))
  return { headers, body: `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}` }
}
