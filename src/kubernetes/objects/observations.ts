/** What the controller has found out beside the objects. Empty where files are translated. */
export interface Observations {
  /** By `ns/name` of the Gateway: why what it needs could not be written, as a sentence with its remedy. */
  readonly provisioning: ReadonlyMap<string, string>
  /** Secrets and ConfigMaps, by `refKey`, that may not be read. */
  readonly forbidden: ReadonlySet<string>
  /** Those of which it is not known whether they are there, by `refKey`: why, as the end of a sentence. Absent: none. */
  readonly unknown?: ReadonlyMap<string, string>
  /** By `ns/name` of the Gateway: what those of its proxies that answer said last. Absent: nobody asks them. */
  readonly proxies?: ReadonlyMap<string, readonly ProxyReport[]>
  /** Gateways, by `ns/name`, whose proxies have hardly had the time to take the newest document. Absent: none. */
  readonly settling?: ReadonlySet<string>
  /** By `ns/name` the digest of the document that `settling` speaks of: one with another document settles too. Absent: as it is now. */
  readonly digests?: ReadonlyMap<string, string>
  /** Who the controller is, as the API server calls it: named where it lacks a right. Absent: as `deploy/rbac.yaml` has it. */
  readonly account?: string | undefined
}

/** What a proxy says of itself at `/status`, as far as statuses of objects tell of it. */
export interface ProxyReport {
  /** `digestOfDocument` of the one that it serves. */
  readonly digest: string
  /** Of mcplex. */
  readonly version: string
  /** Why it does not serve the newest document that it has seen, and the digest of that one. */
  readonly refused: { readonly digest: string; readonly text: string } | undefined
  readonly servers: readonly ServerReport[]
  readonly agents: readonly { readonly name: string; readonly tools: number }[]
}

export interface ServerReport {
  /** In the document. */
  readonly backend: string
  readonly name: string
  readonly state: 'connecting' | 'ready' | 'down'
  /** `legacy` or `modern`, once it is known. */
  readonly era: string | undefined
  readonly tools: number
  readonly lastError: string | undefined
}

export const nothingObserved: Observations = { provisioning: new Map(), forbidden: new Set() }
