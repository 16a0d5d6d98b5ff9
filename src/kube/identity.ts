/** Which API server, and how to prove who asks. */
export interface Identity {
  /** Such as `https://10.96.0.1:443`. */
  readonly server: string
  readonly tls: {
    /** PEM; absent: the system's authorities. */
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
    readonly servername?: string
    readonly rejectUnauthorized?: boolean
  }
  /** Those that prove who asks, for one request. */
  headers(): Promise<Readonly<Record<string, string>>>
  /** The namespace that the process itself is in. */
  readonly namespace: string
}
