import type { Refusal } from './refusal.ts'

/**
 * The outcome of a Call. `result` is the JSON text of the result object without its `resultType`; `cache` says how long and for whom the
 * result may be cached, for methods that have such hints (2026-07-28, caching).
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
  /**
   * `result` is without its `requestState` too. That stands in `state`, as the server wrote it; `gateway` seals it before a client sees it.
   */
  | { readonly kind: 'input-required'; readonly result: string; readonly state: string | undefined }
  | { readonly kind: 'failed'; readonly error: RpcError; readonly server?: string }
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
