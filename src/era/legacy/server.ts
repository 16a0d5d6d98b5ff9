import {
  type Call,
  type Capabilities,
  declared,
  lists,
  type Message,
  member,
  type Refusal,
  refuse,
  stringOf,
  textOf,
} from '../../mcp/mcp.ts'
import {
  hasRounds,
  isNotification,
  isWantedLog,
  type Outbound,
  paramsFor,
  progressTokenOf,
  readAnswer,
  readFacts,
  type ServerEra,
  type ServerFacts,
  withOwnToken,
} from '../server-era.ts'
import { type Implementation, isLegacyVersion, isRevision, metaKeys, newestLegacy } from '../versions.ts'
import { readUrlRequired, urlRequiredCode } from './url-required.ts'

/** Makes `initialize`, which declares these client capabilities. */
export function initializeRequest(id: number, clientInfo: Implementation, capabilities: Capabilities): Outbound {
  const params = `{"protocolVersion":"${newestLegacy}","capabilities":${declared(capabilities, 'legacy')},"clientInfo":${JSON.stringify(clientInfo)}}`
  return { headers: [], body: request(id, 'initialize', params) }
}

export function readInitialize(message: Message): ServerFacts | Refusal {
  const { text, result } = message
  if (result === undefined) return refuse('upstream-invalid', 'answered initialize with an error, or without a result object')
  const versionMember = member(result, 'protocolVersion')
  const version = versionMember === undefined ? undefined : stringOf(text, versionMember)
  if (version === undefined || !isLegacyVersion(version))
    return refuse(
      'upstream-invalid',
      `answered initialize with protocol version ${isRevision(version) ? version : '(no date)'}, which is not known here`,
    )
  return readFacts(message, version)
}

/** Makes a request that only these revisions have: `logging/setLevel`, `resources/subscribe`, `resources/unsubscribe`. */
export function legacyRequest(id: number, method: string, params: object, version: string, session: string | undefined): Outbound {
  return { headers: headersFor(version, session), body: request(id, method, JSON.stringify(params)) }
}

export function legacyNotification(method: string, params: object, version: string, session: string | undefined): Outbound {
  return { headers: headersFor(version, session), body: JSON.stringify({ jsonrpc: '2.0', method, params }) }
}

/**
 * Makes the response to a server's request.
 * @param id JSON text of its id
 * @param rest a member's JSON text: `"result":…` or `"error":…`
 */
export function replyToServer(id: string, rest: string, version: string, session: string | undefined): Outbound {
  return { headers: headersFor(version, session), body: `{"jsonrpc":"2.0","id":${id},${rest}}` }
}

/** `MCP-Protocol-Version` exists since 2025-06-18, but older servers ignore it. */
export function headersFor(version: string, session: string | undefined): readonly string[] {
  return session === undefined ? ['mcp-protocol-version', version] : ['mcp-protocol-version', version, 'mcp-session-id', session]
}

/** The server era of the revisions with a handshake. @param version negotiated in the handshake */
export function createLegacyServer(version: string): ServerEra {
  return {
    name: 'legacy',
    call(call, addressed, id, session) {
      const params = paramsFor(call, addressed.name, metaFor(call, id), '')
      return { headers: headersFor(version, session), body: request(id, call.method, params) }
    },
    list(kind, cursor, id, session) {
      return legacyRequest(id, lists[kind].method, cursor === undefined ? {} : { cursor }, version, session)
    },
    notice(call, notice, method, id) {
      switch (method) {
        case 'notifications/progress':
          return progressIdOf(notice) === id ? withOwnToken(call, notice) : undefined
        case 'notifications/message':
          return isNotification(notice) && isWantedLog(call, notice, call.clientEra === 'legacy') ? notice.text : undefined
        case 'notifications/elicitation/complete':
          return isNotification(notice) && call.clientEra === 'legacy' ? notice.text : undefined
        default:
          return undefined
      }
    },
    readAnswer(message, call) {
      const read = readAnswer(message, call.method, 'legacy')
      const { answer } = read
      if (answer.kind !== 'failed' || call.clientEra === 'legacy') return read
      const { error } = answer
      if (isModernCode(error.code)) return { answer: { kind: 'failed', error: { ...error, code: -32603 } }, isRepaired: false }
      if (error.code !== urlRequiredCode || !hasRounds(call.method)) return read
      return { answer: readUrlRequired(error, call), isRepaired: false }
    },
  }
}

/** Error codes that are defined since 2026-07-28 (basic, Error Codes); from a legacy server they mean something else. */
function isModernCode(code: number): boolean {
  return code <= -32020 && code >= -32022
}

/** The gateway's id of the call that a progress notification is about; undefined where its token is no such id. */
export function progressIdOf(notice: Message): number | undefined {
  const sent = member(notice.params ?? [], 'progressToken')
  return sent?.type === 'number' && isNotification(notice) ? Number(textOf(notice.text, sent)) : undefined
}

/**
 * The `_meta` of a call for a legacy server; undefined where nothing changes. The progress token becomes the request's id, since
 * tokens of several clients could be equal in one session. A modern client's envelope is removed.
 */
function metaFor(call: Call, id: number): string | undefined {
  const { text, params, meta } = call.message
  if (meta === undefined) return undefined
  const token = progressTokenOf(call)
  if (call.clientEra === 'legacy') {
    const whole = member(params ?? [], '_meta')
    if (token === undefined || whole === undefined) return undefined
    return `${text.slice(whole.start, token.start)}${id}${text.slice(token.end, whole.end)}`
  }
  let out = ''
  for (const m of meta) {
    if (isEnvelopeKey(m.key)) continue
    out += `${out === '' ? '{' : ','}${m === token ? `"progressToken":${id}` : text.slice(m.keyStart, m.end)}`
  }
  return out === '' ? '{}' : `${out}}`
}

function isEnvelopeKey(key: string): boolean {
  return key === metaKeys.version || key === metaKeys.capabilities || key === metaKeys.clientInfo || key === metaKeys.logLevel
}

function request(id: number, method: string, params: string): string {
  return `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`
}
