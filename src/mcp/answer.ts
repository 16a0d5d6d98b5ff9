import type { Refusal } from './refusal.ts'

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
  /** `result` is without `requestState` too, which is `state`: the server's own, until `gateway` seals it. */
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
