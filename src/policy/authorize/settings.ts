/** A place of the document that has rules. */
export interface AuthorizeLevel {
  /** Its path in the document, such as `policies.authorize` or `agents.sre.policies.authorize`. */
  readonly place: string
  /** Only for what this backend, and of it this server, offers; undefined: for everything. */
  readonly backend: string | undefined
  readonly server: string | undefined
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  readonly require: readonly string[]
}
