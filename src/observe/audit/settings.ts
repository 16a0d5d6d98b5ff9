export type AuditSinkSettings =
  | { readonly kind: 'stdout' }
  /** An absolute path. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string>> }

export interface AuditSettings {
  readonly sinks: readonly AuditSinkSettings[]
  readonly chain: boolean
  readonly whenFull: 'refuse' | 'drop'
  /** Whether arguments are in the records whole. */
  readonly arguments: boolean
  readonly redact: readonly string[]
  /** 32 bytes. */
  readonly key: Uint8Array
  /** Whether the key is known beyond this process: else nobody could verify what it made, and the chain's digests are plain ones. */
  readonly isKeyLasting: boolean
}
