/** The host names under which a listener answers, and the origins of web pages that may call it. */
export interface OriginSettings {
  /**
   * Host names in lower case, with a port only if just that port is meant; `*.` at the start stands for any subdomain; `*` or undefined:
   * any host.
   */
  readonly hosts: readonly string[] | undefined
  /** Origins such as `https://app.example`, or `http://localhost:*` for any port. */
  readonly origins: readonly string[]
}
