import type { Answer, Caller, EraName, Head, Message, Method, Refusal, RpcError } from '../mcp/mcp.ts'
import type { Shape } from './classify.ts'
import type { LegacySession, Sessions } from './legacy/session.ts'
import type { Implementation } from './versions.ts'

/** What a client era must know of the endpoint to answer handshakes on its own. */
export interface Endpoint {
  /** Name of the route; a legacy session belongs to it. */
  readonly route: string
  readonly serverInfo: Implementation
  readonly instructions: string | undefined
  readonly sessions: Sessions
}

/** What a client's message comes to. */
export type Decoded =
  /** A request that the gateway serves; `id` is its JSON text. */
  | {
      readonly kind: 'request'
      readonly id: string
      readonly method: Method
      readonly subject: string | undefined
      readonly session: LegacySession | undefined
    }
  /** Finished: the era answers alone. `method` is for the log. */
  | { readonly kind: 'reply'; readonly method: string; readonly reply: Encoded }
  /** The client gives up on its own request with this id. */
  | { readonly kind: 'cancel'; readonly session: LegacySession; readonly id: string }
  | Refusal

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
  /** The reply to a request. `requestId` goes into every refusal. */
  encode(answer: Answer, id: string, method: Method, requestId: string): Encoded
}

export const jsonHeaders: Readonly<Record<string, string>> = { 'content-type': 'application/json' }
export const noHeaders: Readonly<Record<string, string>> = {}

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
  const server = refusal.server === undefined ? '' : `${refusal.server}: `
  return JSON.stringify({
    content: [{ type: 'text', text: `${server}${refusal.text}` }],
    isError: true,
    _meta: { 'mcplex.dev/requestId': requestId },
  })
}

/** Whether a refusal is a server's failure rather than the caller's. */
export function isUpstreamFailure(refusal: Refusal): boolean {
  return refusal.reason.startsWith('upstream-')
}
