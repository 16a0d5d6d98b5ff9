import type { RequestRecord } from '../records/records.ts'

/** What is recorded of one request: the members of its log line, the caller's identity, and the rule that decided. */
export interface AuditEntry {
  readonly record: RequestRecord
  /** The address of the connection: of a proxy, where there is one. */
  readonly sourceAddress: string
  readonly issuer: string | undefined
  readonly subject: string | undefined
  readonly actors: readonly string[]
  /** The rule that decided, and its path in the document. */
  readonly rule: { readonly place: string; readonly text: string | undefined } | undefined
  /** JSON text of the arguments of a call. */
  readonly args: string | undefined
}
