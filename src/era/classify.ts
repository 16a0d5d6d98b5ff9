import {
  type EraName,
  type Head,
  isRequestId,
  isWithinIdBound,
  type Message,
  maxIdChars,
  maxSealedIdChars,
  member,
  type Refusal,
  refuse,
  stringOf,
  textOf,
} from '../mcp/mcp.ts'
import { isModernVersion, metaKeys } from './versions.ts'

/** What a posted JSON-RPC message is. `id` is its JSON text. */
export type Shape =
  | { readonly kind: 'request'; readonly id: string; readonly method: string }
  | { readonly kind: 'notification'; readonly method: string }
  | { readonly kind: 'response'; readonly id: string }

/**
 * Sorts a message by JSON-RPC 2.0's shapes as MCP narrows them: an id is a string or an integer, `params` an object.
 * @returns a `bad-request` refusal for anything else.
 */
export function shapeOf(message: Message): Shape | Refusal {
  const { top, text } = message
  const version = member(top, 'jsonrpc')
  if (version === undefined || stringOf(text, version) !== '2.0') return refuse('bad-request', 'not JSON-RPC 2.0: "jsonrpc" must be "2.0"')
  const idMember = member(top, 'id')
  let id: string | undefined
  if (idMember !== undefined) {
    id = textOf(text, idMember)
    if (!isRequestId(text, idMember)) return refuse('bad-request', '"id" must be a string or an integer')
    // The id of a response was made by this gateway, and is sealed.
    const isResponse = member(top, 'method') === undefined
    if (isResponse ? id.length > maxSealedIdChars : !isWithinIdBound(text, idMember))
      return refuse('bad-request', `"id" is longer than ${isResponse ? maxSealedIdChars : maxIdChars} characters`)
  }
  const params = member(top, 'params')
  if (params !== undefined && params.type !== 'object') return refuse('bad-request', '"params" must be an object')
  const methodMember = member(top, 'method')
  if (methodMember !== undefined) {
    const method = stringOf(text, methodMember)
    if (method === undefined) return refuse('bad-request', '"method" must be a string')
    if (member(top, 'result') !== undefined || member(top, 'error') !== undefined)
      return refuse('bad-request', 'a message is a request or a response, not both')
    return id === undefined ? { kind: 'notification', method } : { kind: 'request', id, method }
  }
  const result = member(top, 'result')
  const error = member(top, 'error')
  const isResponse = (result === undefined) !== (error === undefined) && (result ?? error)?.type === 'object'
  if (isResponse && (id !== undefined || error !== undefined)) return { kind: 'response', id: id ?? 'null' }
  return refuse('bad-request', 'not a JSON-RPC request, notification or response')
}

/**
 * Which era a posted message belongs to. The body decides: a `protocolVersion` in `params._meta` is modern; the `MCP-Protocol-Version`
 * header is only checked against it (2026-07-28, streamable HTTP, Request Metadata).
 */
export function eraOf(head: Head, message: Message, shape: Shape): EraName | Refusal {
  if (shape.kind === 'response') return 'legacy'
  const header = head.header('mcp-protocol-version')
  const isModernHeader = header !== undefined && isModernVersion(header)
  const claim = message.meta === undefined ? undefined : member(message.meta, metaKeys.version)
  if (shape.kind === 'request' && shape.method === 'initialize' && !isValidModernClaim(message)) {
    if (isModernHeader) return refuse('header-mismatch', `initialize belongs to revisions before MCP-Protocol-Version ${header}`)
    return 'legacy'
  }
  if (claim === undefined) {
    if (!isModernHeader) return 'legacy'
    if (shape.kind === 'notification') return checkMethodHeader(head, shape.method) ?? 'modern'
    const missing = message.meta === undefined ? '_meta' : metaKeys.version
    return refuse('bad-params', `MCP-Protocol-Version is ${header}, but params lacks ${missing}`, { data: { missing: [missing] } })
  }
  const version = stringOf(message.text, claim)
  if (version === undefined) return refuse('bad-params', `_meta ${metaKeys.version} must be a string`)
  if (shape.kind === 'request') {
    const fault = envelopeFault(message)
    if (fault !== undefined) return fault
  }
  if (header !== undefined && header !== version)
    return refuse('header-mismatch', `MCP-Protocol-Version is ${header}, but the body's ${metaKeys.version} is ${version}`)
  if (shape.kind === 'request' || isModernVersion(version)) {
    const mismatch = checkMethodHeader(head, shape.method)
    if (mismatch !== undefined) return mismatch
  }
  return 'modern'
}

function checkMethodHeader(head: Head, method: string): Refusal | undefined {
  const header = head.header('mcp-method')
  if (header === undefined || header === method) return undefined
  return refuse('header-mismatch', `Mcp-Method is ${header}, but the body's method is ${method}`)
}

/** Whether a message has the envelope of a stateless revision, whichever that is. */
export function hasEnvelope(message: Message): boolean {
  return message.meta !== undefined && member(message.meta, metaKeys.version) !== undefined
}

function envelopeFault(message: Message): Refusal | undefined {
  const capabilities = member(message.meta ?? [], metaKeys.capabilities)
  if (capabilities === undefined)
    return refuse('bad-params', `_meta lacks ${metaKeys.capabilities}`, { data: { missing: [metaKeys.capabilities] } })
  if (capabilities.type !== 'object') return refuse('bad-params', `_meta ${metaKeys.capabilities} must be an object`)
  const info = member(message.meta ?? [], metaKeys.clientInfo)
  if (info !== undefined && info.type !== 'object') return refuse('bad-params', `_meta ${metaKeys.clientInfo} must be an object`)
  return undefined
}

function isValidModernClaim(message: Message): boolean {
  const claim = member(message.meta ?? [], metaKeys.version)
  const version = claim === undefined ? undefined : stringOf(message.text, claim)
  return version !== undefined && isModernVersion(version) && envelopeFault(message) === undefined
}
