import type { Duration, Secret, Size } from './values.ts'

export interface Sessions {
  /**
   * The first key seals sessions, all of them open sessions. Empty: a random key that only this process knows. `secret` is 32 bytes in
   * base64.
   */
  readonly keys: readonly { readonly id: string; readonly secret: Secret }[]
  readonly idle: Duration
  readonly absolute: Duration
}

export interface Peers {
  readonly listen: string
  readonly find: { readonly dns?: string; readonly list?: readonly string[] }
}

export interface Store {
  readonly redis?: Secret
  readonly directory?: string
}

export interface Admin {
  /** `HOST:PORT`; `parseAddress` reads it. */
  readonly listen: string
  readonly token?: Secret
}

export interface Health {
  /** `HOST:PORT`, or `off`. */
  readonly listen: string
}

/** Limits that protect the process; they are not quotas. */
export interface Limits {
  readonly body: Size
  /** Most bytes and number of a request's headers, such as `16KiB/100`; `headerLimit` reads it. */
  readonly headers: string
  readonly depth: number
  readonly tokens: number
  readonly connections: number
  readonly streamsPerCaller: number
  readonly toolsPerServer: number
  /** Most pages of one list of one server. */
  readonly pages: number
  /** Most bytes of one answer of a server. */
  readonly answer: Size
  /** Most bytes that are held of all servers together; absent: by the memory that there is. */
  readonly buffered?: Size
}

export interface Observe {
  readonly log: { readonly level: LogLevel; readonly format: 'auto' | 'text' | 'json' }
  readonly traces?: { readonly otlp: string; readonly sample: number }
  readonly metrics?: Metrics
}

export interface Metrics {
  /** The labels of request metrics; not written: all. */
  readonly labels?: readonly MetricLabel[]
  readonly otlp?: string
}

export type MetricLabel = 'mcp_method_name' | 'gen_ai_tool_name' | 'error_type' | 'mcplex_server' | 'mcplex_agent'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
