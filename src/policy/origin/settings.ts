/** Whom a listener listens to, by the names that it is called and the pages that call it. */
export interface OriginSettings {
  /** Host names in lower case, with a port only where no other is meant, `*.` first for any name below, `*` or undefined: any. */
  readonly hosts: readonly string[] | undefined
  /** Origins such as `https://app.example`, or `http://localhost:*` for any port. */
  readonly origins: readonly string[]
}
