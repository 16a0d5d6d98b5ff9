import { type Call, type Message, member, type Refusal, rebuildObject, refuse, stringOf } from '../../mcp/mcp.ts'
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
import { type Implementation, isLegacyVersion, isRevision, metaKeys, newestLegacy } from '../versions.ts'

/** `initialize`, with no capability of the client's: nothing is promised to a server that can't be kept. */
export function initializeRequest(id: number, clientInfo: Implementation): Outbound {
  const params = { protocolVersion: newestLegacy, capabilities: {}, clientInfo }
  return { headers: [], body: request(id, 'initialize', JSON.stringify(params)) }
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

export function legacyNotification(method: string, params: object, version: string, session: string | undefined): Outbound {
  return { headers: headersFor(version, session), body: JSON.stringify({ jsonrpc: '2.0', method, params }) }
}

/** The reply to a request of the server's: only `ping` is served. */
export function replyToServer(message: Message, method: string, version: string, session: string | undefined): Outbound {
  const id = member(message.top, 'id')
  const idText = id === undefined ? 'null' : message.text.slice(id.start, id.end)
  const rest = method === 'ping' ? '"result":{}' : '"error":{"code":-32601,"message":"Method not found"}'
  return { headers: headersFor(version, session), body: `{"jsonrpc":"2.0","id":${idText},${rest}}` }
}

/** `MCP-Protocol-Version` exists since 2025-06-18, but older servers ignore it. */
export function headersFor(version: string, session: string | undefined): readonly string[] {
  return session === undefined ? ['mcp-protocol-version', version] : ['mcp-protocol-version', version, 'mcp-session-id', session]
}

/** Servers of the revisions with a handshake, after it settled `version`. */
export function createLegacyServer(version: string): ServerEra {
  return {
    name: 'legacy',
    call(call, tool, id, session) {
      return { headers: headersFor(version, session), body: request(id, call.method, legacyParams(call, tool.name)) }
    },
    listTools(cursor, id, session) {
      return {
        headers: headersFor(version, session),
        body: request(id, 'tools/list', JSON.stringify(cursor === undefined ? {} : { cursor })),
      }
    },
    passesNotice(call, notice, method) {
      // A modern client gets log messages only where it asked for a level, which a shared session can't honour.
      return isOwnProgress(call, notice, method) || (call.clientEra === 'legacy' && isLogMessage(notice, method))
    },
  }
}

const envelopeKeys: ReadonlySet<string> = new Set([metaKeys.version, metaKeys.capabilities, metaKeys.clientInfo, metaKeys.logLevel])

function legacyParams(call: Call, ownName: string): string {
  const { text, top, params, meta } = call.message
  const whole = member(top, 'params')
  if (whole === undefined) return '{}'
  const edits = ownEdits(text, params ?? [], ownName)
  if (call.clientEra === 'modern' && meta !== undefined) {
    const metaMember = member(params ?? [], '_meta')
    if (metaMember !== undefined)
      edits.push({ start: metaMember.start, end: metaMember.end, text: rebuildObject(text, meta, (m) => !envelopeKeys.has(m.key)) })
  }
  return spliceWithin(text, whole, edits)
}

function request(id: number, method: string, params: string): string {
  return `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`
}
