/** Where the API server is, and how requests to it are authenticated. */
export interface Identity {
  /** The URL of the API server, such as `https://10.96.0.1:443`. */
  readonly server: string
  readonly tls: {
    /** The certificate authorities that are trusted, in PEM; absent: those of the system. */
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
    readonly servername?: string
    readonly rejectUnauthorized?: boolean
  }
  /** The headers that authenticate one request. */
  headers(): Promise<Readonly<Record<string, string>>>
  /** The namespace that this process runs in. */
  readonly namespace: string
}
