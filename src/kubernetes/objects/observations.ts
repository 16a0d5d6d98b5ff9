/** What the controller knows beside the objects. Where files are translated, it knows nothing. */
export interface Observations {
  /** Why the objects that a Gateway needs could not be written, by its `ns/name`: a sentence with the remedy. */
  readonly provisioning: ReadonlyMap<string, string>
  /** Secrets and ConfigMaps, by `refKey`, that the controller may not read. */
  readonly forbidden: ReadonlySet<string>
  /**
   * Secrets and ConfigMaps, by `refKey`, of which it is not known whether they exist, with the reason as the end of a sentence. Absent:
   * none.
   */
  readonly unknown?: ReadonlyMap<string, string>
  /** The last reports of those proxies of a Gateway that answer, by its `ns/name`. Absent: proxies are not asked. */
  readonly proxies?: ReadonlyMap<string, readonly ProxyReport[]>
  /** Gateways, by `ns/name`, whose document changed so recently that their proxies may not have it yet. Absent: none. */
  readonly settling?: ReadonlySet<string>
  /**
   * The digests of the documents that `settling` was determined for, by `ns/name`: a Gateway whose document is another one now is settling
   * as well. Absent: none is another.
   */
  readonly digests?: ReadonlyMap<string, string>
  /** The controller's user name, as the API server calls it; messages about a missing right name it. Absent: that of `deploy/rbac.yaml`. */
  readonly account?: string | undefined
}

/** What a proxy reports at `/status`, as far as the statuses of objects use it. */
export interface ProxyReport {
  /** The digest (`digestOfDocument`) of the document that it serves. */
  readonly digest: string
  /** The version of mcplex that the proxy is. */
  readonly version: string
  /** The newest document that it has read, by its digest, and why it does not serve that one. Undefined: it does. */
  readonly refused: { readonly digest: string; readonly text: string } | undefined
  readonly servers: readonly ServerReport[]
  readonly agents: readonly { readonly name: string; readonly tools: number }[]
}

/** What a proxy reports of one MCP server. */
export interface ServerReport {
  /** The name of its backend in the document. */
  readonly backend: string
  readonly name: string
  readonly state: 'connecting' | 'ready' | 'down'
  /** The family of protocol revisions that it speaks, `legacy` or `modern`, once it is known. */
  readonly era: string | undefined
  readonly tools: number
  readonly lastError: string | undefined
}

/** What is known where files are translated. */
export const nothingObserved: Observations = { provisioning: new Map(), forbidden: new Set() }
