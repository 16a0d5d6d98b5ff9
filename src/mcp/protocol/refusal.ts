import type { EraName } from './era-name.ts'

/** Every reason for which mcplex itself refuses a request, with the HTTP status and the JSON-RPC code of its reply. */
export const refusals = {
  'bad-json': { status: 400, code: -32700 },
  'bad-request': { status: 400, code: -32600 },
  'bad-params': { status: 400, code: -32602 },
  'header-mismatch': { status: 400, code: -32020 },
  'missing-capability': { status: 400, code: -32021 },
  version: { status: 400, code: -32022 },
  host: { status: 403, code: -32600 },
  origin: { status: 403, code: -32600 },
  unauthenticated: { status: 401, code: -32600 },
  scope: { status: 403, code: -32600 },
  access: { status: 403, code: -32600 },
  'no-route': { status: 404, code: -32600 },
  'broken-route': { status: 500, code: -32603 },
  'session-unknown': { status: 404, code: -32600 },
  'method-unknown': { status: 404, code: -32601 },
  'not-allowed-method': { status: 405, code: -32600 },
  accept: { status: 406, code: -32600 },
  'media-type': { status: 415, code: -32600 },
  'body-too-large': { status: 413, code: -32600 },
  'body-timeout': { status: 408, code: -32600 },
  'head-timeout': { status: 408, code: -32600 },
  expectation: { status: 417, code: -32600 },
  misdirected: { status: 421, code: -32600 },
  'headers-too-large': { status: 431, code: -32600 },
  'not-implemented': { status: 501, code: -32600 },
  'invalid-params': { status: 200, code: -32602 },
  'unknown-name': { status: 200, code: -32602 },
  'refused-by-rule': { status: 200, code: -32602 },
  'no-tools': { status: 200, code: -32603 },
  limited: { status: 429, code: -32000 },
  'upstream-down': { status: 200, code: -32603 },
  'upstream-busy': { status: 200, code: -32603 },
  'upstream-timeout': { status: 200, code: -32603 },
  'upstream-auth': { status: 200, code: -32603 },
  'upstream-invalid': { status: 200, code: -32603 },
  'upstream-memory': { status: 200, code: -32603 },
  cancelled: { status: 200, code: -32603 },
  'slow-client': { status: 200, code: -32603 },
  internal: { status: 500, code: -32603 },
  overloaded: { status: 503, code: -32603 },
  draining: { status: 503, code: -32603 },
  'audit-full': { status: 503, code: -32603 },
} as const satisfies Record<string, { status: number; code: number }>

export type Reason = keyof typeof refusals

/** A denial, which is returned and never thrown. `text` is for the caller and holds neither an upstream's body nor a secret. */
export interface Refusal {
  readonly kind: 'refused'
  readonly reason: Reason
  readonly text: string
  /** Members for the JSON-RPC error's `data`. */
  readonly data?: Readonly<Record<string, unknown>>
  /** Extra reply headers, such as `Allow` or `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>
  /** The server that failed, where one did. */
  readonly server?: string
  /** What operators can do about it. It may name addresses: no caller gets it. */
  readonly remedy?: string | undefined
}

export function refuse(reason: Reason, text: string, more: Omit<Refusal, 'kind' | 'reason' | 'text'> = {}): Refusal {
  return { kind: 'refused', reason, text, ...more }
}

export interface RefusalReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * The HTTP reply for a refusal: a JSON-RPC error with `data.requestId`.
 * @param id JSON text of the request's id, or undefined where it could not be read: then the error's id is `null` (JSON-RPC 2.0,
 *   section 5). The schema of 2025-11-25 and later would have it left out, but official SDKs send `null`, and some refuse an error without an id.
 */
export function refusalReply(refusal: Refusal, id: string | undefined, requestId: string, era: EraName): RefusalReply {
  const row = refusals[refusal.reason]
  const status = refusal.reason === 'method-unknown' && era === 'legacy' ? 200 : row.status
  const data = { ...refusal.data, ...(refusal.server === undefined ? {} : { server: refusal.server }), requestId }
  const error = { code: row.code, message: refusal.text, data }
  return {
    status,
    headers: { 'content-type': 'application/json', ...refusal.headers },
    body: `{"jsonrpc":"2.0","id":${id ?? 'null'},"error":${JSON.stringify(error)}}`,
  }
}
