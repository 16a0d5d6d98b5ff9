/** The rules at one place of the document. */
export interface AuthorizeLevel {
  /** Its path in the document, such as `policies.authorize` or `agents.sre.policies.authorize`. */
  readonly place: string
  /** The rules hold only for what this backend, or this server of it, offers; undefined: for everything. */
  readonly backend: string | undefined
  readonly server: string | undefined
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  readonly require: readonly string[]
}
