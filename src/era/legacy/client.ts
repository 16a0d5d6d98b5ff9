import {
  type Answer,
  elements,
  isMethod,
  type Member,
  type Message,
  member,
  members,
  methods,
  rebuildObject,
  refusalReply,
  refuse,
  stringOf,
  textOf,
} from '../../mcp/mcp.ts'
import {
  accepted,
  type ClientEra,
  type Decoded,
  type Encoded,
  type Endpoint,
  errorReply,
  isUpstreamFailure,
  jsonHeaders,
  toolFailure,
} from '../client-era.ts'
import { isLegacyVersion, legacyVersions, newestLegacy } from '../versions.ts'
import type { LegacySession } from './session.ts'

/** Clients of the revisions with a handshake, 2024-11-05 to 2025-11-25, over Streamable HTTP. */
export const legacyClient: ClientEra = {
  name: 'legacy',
  decode(head, message, shape, endpoint, caller) {
    const scope = { route: endpoint.route, caller: caller.id }
    if (shape.kind === 'request' && shape.method === 'initialize') return initialize(message, shape.id, endpoint, scope)
    const version = head.header('mcp-protocol-version')
    if (version !== undefined && !isLegacyVersion(version))
      return refuse('version', `MCP-Protocol-Version ${version} is not known here`, {
        data: { supported: legacyVersions, requested: version },
      })
    const sessionId = head.header('mcp-session-id')
    const session = sessionId === undefined ? undefined : endpoint.sessions.find(sessionId, scope)
    if (sessionId !== undefined && session === undefined)
      return refuse('session-unknown', 'this session has ended or is not known here: initialize again')
    if (shape.kind === 'response') return accepted('response')
    if (shape.kind === 'notification') return notification(message, shape.method, session)
    const { id, method } = shape
    if (method === 'ping') return { kind: 'reply', method, reply: result(id, '{}') }
    if (!isMethod(method) || !servedMethods.has(method)) return refuse('method-unknown', `Method not found: ${method}`)
    const { subject } = methods[method]
    if (subject === undefined) return { kind: 'request', id, method, subject, session }
    const named = message.params === undefined ? undefined : stringMember(message.text, message.params, subject)
    if (named === undefined) return refuse('invalid-params', `${method} needs a string params.${subject}`)
    return { kind: 'request', id, method, subject: named, session }
  },
  encode(answer, id, method, requestId): Encoded {
    switch (answer.kind) {
      case 'complete':
        return result(id, method === 'tools/call' ? objectResult(answer.result) : answer.result)
      case 'input-required':
        return failed(id, method, refuse('upstream-invalid', 'asks for input that was never offered'), requestId)
      case 'failed':
        // What a modern server wants of its client was never offered: the model is told, not the protocol.
        if (answer.error.code === -32021)
          return failed(id, method, refuse('upstream-invalid', 'the server needs what this client has not offered'), requestId)
        return errorReply(id, answer.error)
      case 'refused':
        return failed(id, method, answer, requestId)
    }
  },
}

const servedMethods: ReadonlySet<string> = new Set(['tools/list', 'tools/call'])

/** Revisions before 2026-07-28 know only objects as `structuredContent`: any other value becomes a text block (2025-11-25, schema, CallToolResult). */
function objectResult(text: string): string {
  if (!text.includes('"structuredContent"')) return text
  const list = members(text, 0, text.length)
  const structured = member(list, 'structuredContent')
  if (structured === undefined || structured.type === 'object') return text
  const content = member(list, 'content')
  const blocks = content === undefined ? [] : elements(text, content.start, content.end).map((block) => textOf(text, block))
  if (blocks.length === 0) blocks.push(`{"type":"text","text":${JSON.stringify(textOf(text, structured))}}`)
  return rebuildObject(text, list, (m) => m !== structured && m !== content, [`"content":[${blocks.join(',')}]`])
}

function initialize(message: Message, id: string, endpoint: Endpoint, scope: { route: string; caller: string }): Decoded {
  const { text, params } = message
  const requested = params === undefined ? undefined : stringMember(text, params, 'protocolVersion')
  if (requested === undefined) return refuse('bad-params', 'initialize needs a string params.protocolVersion')
  const version = isLegacyVersion(requested) ? requested : newestLegacy
  const body = {
    protocolVersion: version,
    capabilities: { tools: { listChanged: true } },
    serverInfo: endpoint.serverInfo,
    ...(endpoint.instructions === undefined ? {} : { instructions: endpoint.instructions }),
  }
  const sessionId = endpoint.sessions.start(version, scope)
  const reply = result(id, JSON.stringify(body))
  return { kind: 'reply', method: 'initialize', reply: { ...reply, headers: { ...reply.headers, 'mcp-session-id': sessionId } } }
}

function notification(message: Message, method: string, session: LegacySession | undefined): Decoded {
  if (method !== 'notifications/cancelled' || session === undefined) return accepted(method)
  const requestId = message.params === undefined ? undefined : member(message.params, 'requestId')
  if (requestId === undefined) return accepted(method)
  return { kind: 'cancel', session, id: textOf(message.text, requestId) }
}

function stringMember(text: string, list: readonly Member[], key: string): string | undefined {
  const found = member(list, key)
  return found === undefined ? undefined : stringOf(text, found)
}

function result(id: string, text: string): Encoded {
  return { status: 200, headers: jsonHeaders, body: `{"jsonrpc":"2.0","id":${id},"result":${text}}` }
}

function failed(id: string, method: string, refusal: Extract<Answer, { kind: 'refused' }>, requestId: string): Encoded {
  if (method === 'tools/call' && isUpstreamFailure(refusal)) return result(id, toolFailure(refusal, requestId))
  return refusalReply(refusal, id, requestId, 'legacy')
}
