import {
  type Answer,
  type Capabilities,
  capability,
  type Head,
  isLogLevel,
  isMethod,
  logLevels,
  type Member,
  type Message,
  member,
  namedBy,
  noCapabilities,
  type Refusal,
  readCapabilities,
  refusalReply,
  refuse,
  stringOf,
  subjectOf,
  textOf,
} from '../../mcp/mcp.ts'
import {
  accepted,
  type ClientEra,
  type Decoded,
  type Encoded,
  type Endpoint,
  errorReply,
  type InitializeRequest,
  isToldInResult,
  jsonHeaders,
  namingServer,
  offeredCapabilities,
  toolFailure,
} from '../client-era.ts'
import { isLegacyVersion, knows, legacyVersions, newestLegacy } from '../versions.ts'
import { resultFor } from './result-for.ts'
import type { LegacySession } from './sealed-sessions.ts'

/** Clients of the revisions with a handshake, 2024-11-05 to 2025-11-25, over Streamable HTTP. */
export const legacyClient: ClientEra = {
  name: 'legacy',
  decode(head, message, shape, endpoint, caller) {
    if (shape.kind === 'request' && shape.method === 'initialize') return initialize(message, shape.id)
    const version = head.header('mcp-protocol-version')
    const unknown = unknownVersion(head)
    if (unknown !== undefined) return unknown
    const sessionId = head.header('mcp-session-id')
    const session = sessionId === undefined ? undefined : endpoint.sessions.find(sessionId, { route: endpoint.route, caller: caller.id })
    if (sessionId !== undefined && session === undefined)
      return refuse('session-unknown', 'this session has ended or is not known here: initialize again')
    if (shape.kind === 'response') return session === undefined ? accepted('response') : response(message, session)
    if (shape.kind === 'notification') return session === undefined ? accepted(shape.method) : notification(message, shape.method, session)
    return request(message, shape.id, shape.method, session, session?.version ?? version)
  },
  encode: encodeLegacy,
}

/** Refuses a request whose `MCP-Protocol-Version` is no revision with a handshake (2025-11-25, transports, Protocol Version Header). */
export function unknownVersion(head: Head): Refusal | undefined {
  const version = head.header('mcp-protocol-version')
  if (version === undefined || isLegacyVersion(version)) return undefined
  return refuse('version', `MCP-Protocol-Version ${version} is not known here`, { data: { supported: legacyVersions, requested: version } })
}

/** Encodes the answer to a legacy client's request, including requests that only legacy revisions have. */
export function encodeLegacy(answer: Answer, request: LegacyRequest, requestId: string): Encoded {
  switch (answer.kind) {
    case 'complete':
      return result(request.id, resultFor(answer.result, request.method, request.version))
    case 'input-required':
      return failed(request, refuse('upstream-invalid', 'asks for input that was never offered'), requestId)
    case 'failed':
      return errorReply(request.id, answer.error)
    case 'refused':
      return failed(request, answer, requestId)
  }
}

interface LegacyRequest {
  readonly id: string
  readonly method: string
  readonly version: string | undefined
}

/** Encodes the answer to `initialize`. @param sessionId from `SealedSessions.start` */
export function encodeInitialize({ id, version }: InitializeRequest, endpoint: Endpoint, sessionId: string): Encoded {
  const { instructions, serverInfo } = endpoint
  const members = [
    `"protocolVersion":"${version}"`,
    `"capabilities":${offeredCapabilities(endpoint.offers())}`,
    `"serverInfo":${JSON.stringify(serverInfo)}`,
    ...(instructions === undefined ? [] : [`"instructions":${JSON.stringify(instructions)}`]),
  ]
  return { ...result(id, `{${members.join(',')}}`), headers: { ...jsonHeaders, 'mcp-session-id': sessionId } }
}

function initialize({ text, params = [] }: Message, id: string): Decoded {
  const requested = stringMember(text, params, 'protocolVersion')
  if (requested === undefined) return refuse('bad-params', 'initialize needs a string params.protocolVersion')
  const version = isLegacyVersion(requested) ? requested : newestLegacy
  const declared = member(params, 'capabilities')
  const all = declared?.type === 'object' ? readCapabilities(text, declared) : noCapabilities
  return { kind: 'initialize', id, version, capabilities: all & capabilitiesOf(version) }
}

/** The capabilities that clients of a revision can declare; extensions are possible in each. */
function capabilitiesOf(version: string): Capabilities {
  const { sampling, roots, rootsChange, apps, elicitationForm, elicitationUrl, samplingTools, samplingContext } = capability
  return (
    sampling |
    roots |
    rootsChange |
    apps |
    (knows(version, 'elicitation') ? elicitationForm : 0) |
    (knows(version, 'urlElicitation') ? elicitationUrl : 0) |
    (knows(version, 'samplingTools') ? samplingTools | samplingContext : 0)
  )
}

function request(message: Message, id: string, method: string, session: LegacySession | undefined, version: string | undefined): Decoded {
  if (isMethod(method) && method !== 'server/discover' && method !== 'subscriptions/listen') {
    const subject = subjectOf(message, method)
    if (subject?.kind === 'refused') return subject
    const capabilities = session?.capabilities ?? noCapabilities
    const dialect = knows(version, 'structuredResults') ? 'legacy' : 'early'
    return { kind: 'request', id, method, subject, session, capabilities, logLevel: undefined, resume: undefined, dialect, version }
  }
  switch (method) {
    case 'ping':
      return { kind: 'reply', method, reply: result(id, '{}') }
    case 'resources/subscribe':
    case 'resources/unsubscribe': {
      if (session === undefined) return needsSession(method)
      const subject = namedBy(message, method, 'uri')
      if (subject.kind === 'refused') return subject
      return { kind: 'subscribe', id, session, subject, isOn: method === 'resources/subscribe' }
    }
    case 'logging/setLevel': {
      if (session === undefined) return needsSession(method)
      const level = stringMember(message.text, message.params ?? [], 'level')
      if (!isLogLevel(level)) return refuse('invalid-params', `${method} needs a params.level of ${logLevels.join(', ')}`)
      return { kind: 'level', id, session, level }
    }
    default:
      return refuse('method-unknown', `Method not found: ${method}`)
  }
}

function needsSession(method: string): Refusal {
  return refuse('invalid-params', `${method} needs a session: initialize, and send its Mcp-Session-Id`)
}

function notification(message: Message, method: string, session: LegacySession): Decoded {
  if (method === 'notifications/roots/list_changed') return { kind: 'roots-changed', session }
  const requestId = method === 'notifications/cancelled' ? member(message.params ?? [], 'requestId') : undefined
  return requestId === undefined ? accepted(method) : { kind: 'cancel', session, id: textOf(message.text, requestId) }
}

/** The gateway's requests have strings as ids, so a response with another id is not decoded. */
function response({ text, top }: Message, session: LegacySession): Decoded {
  const id = stringMember(text, top, 'id')
  const outcome = member(top, 'result') ?? member(top, 'error')
  if (id === undefined || outcome === undefined) return accepted('response')
  return { kind: 'response', session, id, rest: `"${outcome.key}":${textOf(text, outcome)}` }
}

function stringMember(text: string, list: readonly Member[], key: string): string | undefined {
  const found = member(list, key)
  return found === undefined ? undefined : stringOf(text, found)
}

function result(id: string, text: string): Encoded {
  return { status: 200, headers: jsonHeaders, body: `{"jsonrpc":"2.0","id":${id},"result":${text}}` }
}

function failed({ id, method }: LegacyRequest, refusal: Refusal, requestId: string): Encoded {
  if (method === 'tools/call' && isToldInResult(refusal)) return result(id, toolFailure(refusal, requestId))
  // These revisions have a code of their own for an unknown resource (2025-11-25, resources, Error Handling).
  if (refusal.reason === 'unknown-name' && method.startsWith('resources/'))
    return errorReply(id, { code: -32002, message: refusal.text, data: JSON.stringify({ ...refusal.data, requestId }) })
  return refusalReply(namingServer(refusal, method), id, requestId, 'legacy')
}
