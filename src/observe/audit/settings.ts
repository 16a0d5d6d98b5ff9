export type AuditSinkSettings =
  | { readonly kind: 'stdout' }
  /** An absolute path. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string>> }

export interface AuditSettings {
  readonly sinks: readonly AuditSinkSettings[]
  readonly chain: boolean
  readonly whenFull: 'refuse' | 'drop'
  /** Whether records hold the whole arguments of calls. */
  readonly arguments: boolean
  readonly redact: readonly string[]
  /** 32 bytes. */
  readonly key: Uint8Array
  /** Whether the key is known outside of this process. If not, nobody could verify digests made with it, so the chain has plain ones. */
  readonly isKeyLasting: boolean
}
