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
import type { LegacySession, Sessions } from './legacy/session.ts'
import type { Implementation } from './versions.ts'

/** What a client era must know of the endpoint to answer handshakes on its own. */
export interface Endpoint {
  /** Name of the route; a legacy session belongs to it. */
  readonly route: string
  readonly serverInfo: Implementation
  /** What its servers offer together; known once they have been heard of. */
  readonly offers: () => Offers
  readonly instructions: string | undefined
  readonly sessions: Sessions
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
  /** What the client brings to a next round, its `requestState` still sealed. */
  readonly resume: Resume | undefined
  readonly dialect: Dialect
  /** The revision that its session settled, else the one that it names; undefined where it does neither. */
  readonly version: string | undefined
}

/** What a client's message comes to. */
export type Decoded =
  | ClientRequest
  /** A client that wants a session, of a settled revision; `encodeInitialize` answers it. */
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
  /** Finished: the era answers alone. `method` is for the log. */
  | { readonly kind: 'reply'; readonly method: string; readonly reply: Encoded }
  /** The client gives up on its own request with this id. */
  | { readonly kind: 'cancel'; readonly session: LegacySession; readonly id: string }
  /** Its answer to a request of ours: the id's characters, and a member's JSON text, `"result":…` or `"error":…`. */
  | { readonly kind: 'response'; readonly session: LegacySession; readonly id: string; readonly rest: string }
  /** Its roots have changed. */
  | { readonly kind: 'roots-changed'; readonly session: LegacySession }
  | Refusal

export type InitializeRequest = Extract<Decoded, { kind: 'initialize' }>

/** An HTTP reply. */
export interface Encoded {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** How clients of one era are understood and answered. */
export interface ClientEra {
  readonly name: EraName
  decode(head: Head, message: Message, shape: Shape, endpoint: Endpoint, caller: Caller): Decoded
  /**
   * The reply to a request. `requestId` goes into every refusal. An `input-required` answer's `state` is sealed by now; legacy
   * clients never get one here: they are asked on their stream.
   */
  encode(answer: Answer, request: ClientRequest, requestId: string): Encoded
}

export const jsonHeaders: Readonly<Record<string, string>> = { 'content-type': 'application/json' }
export const noHeaders: Readonly<Record<string, string>> = {}

/** The `ServerCapabilities` of an endpoint, JSON text that both eras read. Each list tells of changes: a new configuration is one. */
export function offeredCapabilities(offers: Offers): string {
  const parts = ['"tools":{"listChanged":true}']
  if (offers.prompts) parts.push('"prompts":{"listChanged":true}')
  if (offers.resources) parts.push(`"resources":{${offers.subscribe ? '"subscribe":true,' : ''}"listChanged":true}`)
  if (offers.completions) parts.push('"completions":{}')
  if (offers.logging) parts.push('"logging":{}')
  if (offers.apps !== undefined) parts.push(`"extensions":{"${appsExtension}":${offers.apps}}`)
  return `{${parts.join(',')}}`
}

/** A JSON-RPC error of a server, under the client's own id. */
export function errorReply(id: string, error: RpcError, status = 200): Encoded {
  const data = error.data === undefined ? '' : `,"data":${error.data}`
  const body = `{"jsonrpc":"2.0","id":${id},"error":{"code":${error.code},"message":${JSON.stringify(error.message)}${data}}}`
  return { status, headers: jsonHeaders, body }
}

/** 202: taken, nothing to say. */
export function accepted(method: string): Decoded {
  return { kind: 'reply', method, reply: { status: 202, headers: noHeaders, body: undefined } }
}

/** A failure of a server under `tools/call`, told where the model sees it: in the result (2026-07-28, tools, Error Handling). */
export function toolFailure(refusal: Refusal, requestId: string): string {
  return JSON.stringify({
    content: [{ type: 'text', text: sentenceOf(refusal) }],
    isError: true,
    _meta: { 'mcplex.dev/requestId': requestId },
  })
}

/** Whether a refusal of a known tool is told in its result: a server's failure, or a rule about its arguments. */
export function isToldInResult(refusal: Refusal): boolean {
  return isUpstreamFailure(refusal) || refusal.reason === 'refused-by-rule'
}

/** Whether a refusal is a server's failure rather than the caller's. */
function isUpstreamFailure(refusal: Refusal): boolean {
  return refusal.reason.startsWith('upstream-')
}

/** A server's failure under a request that it alone answers, under its name; lists tell of servers in their own words. */
export function namingServer(refusal: Refusal, method: string): Refusal {
  if (refusal.server === undefined || !isUpstreamFailure(refusal) || (isMethod(method) && listedBy(method) !== undefined)) return refusal
  return { ...refusal, text: sentenceOf(refusal) }
}

/** Of a server's failure the text says what the server did, without its name. */
function sentenceOf(refusal: Refusal): string {
  if (refusal.server === undefined) return refusal.text
  return isUpstreamFailure(refusal) ? `${refusal.server} ${refusal.text}` : `${refusal.server}: ${refusal.text}`
}
