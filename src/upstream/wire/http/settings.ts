import type { JsonLimits } from '../../../mcp/mcp.ts'

/** A Streamable HTTP server's address and the bounds of its answers. */
export interface HttpSettings {
  readonly url: string
  /** The host and port of its connections as HOST:PORT, for people. */
  readonly at: string
  /** Sent with every request: names and values in turn. */
  readonly headers: readonly string[]
  readonly tls: TlsSettings | undefined
  readonly connectMs: number
  /** How long a reply may pause between two bytes, in ms; undefined: as long as the request's time-out. */
  readonly idleMs: number | undefined
  readonly answerBytes: number
  readonly json: JsonLimits
}

export interface TlsSettings {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly serverName?: string
  readonly insecure: boolean
}
