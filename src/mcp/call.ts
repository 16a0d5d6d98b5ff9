import type { Message } from './json.ts'
import type { Refusal } from './refusal.ts'

/** Who calls. Anonymous is a caller too; `id` is stable for one identity and safe to log. */
export interface Caller {
  readonly id: string
  readonly claims: Readonly<Record<string, unknown>>
}

export const anonymous: Caller = { id: 'anonymous', claims: {} }

/** The protocol revisions' two families: with a handshake and sessions, or stateless with an envelope in `_meta`. */
export type EraName = 'legacy' | 'modern'

/**
 * A request in 2026-07-28 terms, whoever sent it. `message` is the request as received and already checked:
 * what is not rewritten reaches the upstream as the same characters.
 */
export interface Call {
  readonly method: string
  /** The exposed name of a tool (params.name); undefined where the method names nothing. */
  readonly subject: string | undefined
  readonly message: Message
  readonly caller: Caller
  /** The client's legacy session, opaque to everything but `era` and the upstreams' session pools. */
  readonly session: string | undefined
  readonly clientEra: EraName
  readonly cancellation: Cancellation
  /** The route's bound of the whole request, which progress does not put off. */
  readonly timeoutMs: number | undefined
  /** Takes a notification (JSON text of the whole message) that the upstream sent before its answer. */
  readonly onNotice: (message: string) => void
}

/**
 * What came of a Call. `result` is the JSON text of the result object without `resultType`;
 * `cache` is for how long and for whom it holds, where the method has such hints (2026-07-28, caching).
 */
export type Answer =
  | {
      readonly kind: 'complete'
      readonly result: string
      readonly isError: boolean
      /** Whether the result has a `_meta` of its own. */
      readonly hasMeta: boolean
      readonly cache?: CacheHint
    }
  | { readonly kind: 'input-required'; readonly result: string }
  | { readonly kind: 'failed'; readonly error: RpcError }
  | Refusal

/** A JSON-RPC error object; `data` is JSON text. */
export interface RpcError {
  readonly code: number
  readonly message: string
  readonly data: string | undefined
}

export interface CacheHint {
  readonly ttlMs: number
  readonly scope: 'public' | 'private'
}

/** Whether a call has been given up, by a message or by the client's leaving. An AbortController for this costs a tenth of a call. */
export class Cancellation {
  #isCancelled = false
  #listener: (() => void) | undefined

  get isCancelled(): boolean {
    return this.#isCancelled
  }

  cancel(): void {
    if (this.#isCancelled) return
    this.#isCancelled = true
    this.#listener?.()
  }

  /** The client has gone without giving up: nobody waits for the answer. */
  isAbandoned = false

  /** The one listener; undefined takes it away. Called at once where the call has been given up already. */
  listen(listener: (() => void) | undefined): void {
    this.#listener = listener
    if (this.#isCancelled) listener?.()
  }
}
