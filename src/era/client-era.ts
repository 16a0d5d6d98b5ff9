import {
  type Answer,
  appsExtension,
  type Caller,
  type Capabilities,
  type Dialect,
  type EraName,
  type Head,
  isMethod,
  type LogLevel,
  listedBy,
  type Message,
  type Method,
  type Offers,
  type Refusal,
  type Resume,
  type RpcError,
  type Subject,
} from '../mcp/mcp.ts'
import type { Shape } from './classify.ts'
import type { LegacySession, SealedSessions } from './legacy/sealed-sessions.ts'
import type { Implementation } from './versions.ts'

/** What a client era needs to know of the endpoint to answer handshakes. */
export interface Endpoint {
  /** The name of the endpoint; a legacy session is valid only there. */
  readonly route: string
  readonly serverInfo: Implementation
  /** What the servers behind the endpoint offer together, as far as they have been met. */
  readonly offers: () => Offers
  readonly instructions: string | undefined
  readonly sessions: SealedSessions
}

/** A request that the gateway serves; `id` is its JSON text. */
export interface ClientRequest {
  readonly kind: 'request'
  readonly id: string
  readonly method: Method
  readonly subject: Subject | undefined
  readonly session: LegacySession | undefined
  readonly capabilities: Capabilities
  readonly logLevel: LogLevel | undefined
  /** What the client sends in a next round, with `requestState` still sealed. */
  readonly resume: Resume | undefined
  readonly dialect: Dialect
  /** The revision of the session, or of the request where there is no session; undefined where neither names one. */
  readonly version: string | undefined
}

/** A client's message, decoded. */
export type Decoded =
  | ClientRequest
  /** `initialize`, with the revision that was negotiated; `encodeInitialize` makes its answer. */
  | { readonly kind: 'initialize'; readonly id: string; readonly version: string; readonly capabilities: Capabilities }
  /** `resources/subscribe` and `resources/unsubscribe`. */
  | {
      readonly kind: 'subscribe'
      readonly id: string
      readonly session: LegacySession
      readonly subject: Subject
      readonly isOn: boolean
    }
  /** `logging/setLevel`. */
  | { readonly kind: 'level'; readonly id: string; readonly session: LegacySession; readonly level: LogLevel }
  /** A message that the era answers itself. `method` is for the log. */
  | { readonly kind: 'reply'; readonly method: string; readonly reply: Encoded }
  /** The client cancels its request with this id. */
  | { readonly kind: 'cancel'; readonly session: LegacySession; readonly id: string }
  /** The client's response to a request: the id's characters, and a member's JSON text, `"result":…` or `"error":…`. */
  | { readonly kind: 'response'; readonly session: LegacySession; readonly id: string; readonly rest: string }
  /** `notifications/roots/list_changed`. */
  | { readonly kind: 'roots-changed'; readonly session: LegacySession }
  | Refusal

export type InitializeRequest = Extract<Decoded, { kind: 'initialize' }>

/** An HTTP reply. */
export interface Encoded {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** Decodes the messages of clients of one era, and encodes answers to them. */
export interface ClientEra {
  readonly name: EraName
  decode(head: Head, message: Message, shape: Shape, endpoint: Endpoint, caller: Caller): Decoded
  /**
   * Encodes the answer to a request. `requestId` goes into every refusal. The `state` of an `input-required` answer is already sealed;
   * legacy clients never get such an answer, since they are asked on their stream.
   */
  encode(answer: Answer, request: ClientRequest, requestId: string): Encoded
}

export const jsonHeaders: Readonly<Record<string, string>> = { 'content-type': 'application/json' }
export const noHeaders: Readonly<Record<string, string>> = {}

/** The `ServerCapabilities` of an endpoint as JSON text for both eras. Every list declares `listChanged`, since a reload can change it. */
export function offeredCapabilities(offers: Offers): string {
  const parts = ['"tools":{"listChanged":true}']
  if (offers.prompts) parts.push('"prompts":{"listChanged":true}')
  if (offers.resources) parts.push(`"resources":{${offers.subscribe ? '"subscribe":true,' : ''}"listChanged":true}`)
  if (offers.completions) parts.push('"completions":{}')
  if (offers.logging) parts.push('"logging":{}')
  if (offers.apps !== undefined) parts.push(`"extensions":{"${appsExtension}":${offers.apps}}`)
  return `{${parts.join(',')}}`
}

/** A server's JSON-RPC error, with the id of the client's request. */
export function errorReply(id: string, error: RpcError, status = 200): Encoded {
  const data = error.data === undefined ? '' : `,"data":${error.data}`
  const body = `{"jsonrpc":"2.0","id":${id},"error":{"code":${error.code},"message":${JSON.stringify(error.message)}${data}}}`
  return { status, headers: jsonHeaders, body }
}

/** The reply to a message that has no answer: 202. */
export function accepted(method: string): Decoded {
  return { kind: 'reply', method, reply: { status: 202, headers: noHeaders, body: undefined } }
}

/** A refusal of a `tools/call` as a result with `isError`, where the model sees it (2026-07-28, tools, Error Handling). */
export function toolFailure(refusal: Refusal, requestId: string): string {
  return JSON.stringify({
    content: [{ type: 'text', text: sentenceOf(refusal) }],
    isError: true,
    _meta: { 'mcplex.dev/requestId': requestId },
  })
}

/** Whether the refusal of a known tool is sent as a result: a server's failure, or a rule about the arguments. */
export function isToldInResult(refusal: Refusal): boolean {
  return isUpstreamFailure(refusal) || refusal.reason === 'refused-by-rule'
}

/** Whether a refusal is due to a server's failure, and not to the caller. */
function isUpstreamFailure(refusal: Refusal): boolean {
  return refusal.reason.startsWith('upstream-')
}

/**
 * Puts the server's name into the text of a refusal that is due to its failure, for requests that one server answers. The refusals of lists
 * name servers themselves.
 */
export function namingServer(refusal: Refusal, method: string): Refusal {
  if (refusal.server === undefined || !isUpstreamFailure(refusal) || (isMethod(method) && listedBy(method) !== undefined)) return refusal
  return { ...refusal, text: sentenceOf(refusal) }
}

/** The text of a server's failure begins with a verb; this puts the server's name in front. */
function sentenceOf(refusal: Refusal): string {
  if (refusal.server === undefined) return refusal.text
  return isUpstreamFailure(refusal) ? `${refusal.server} ${refusal.text}` : `${refusal.server}: ${refusal.text}`
}
