import type { EraName } from '../../mcp/mcp.ts'

/** The outcome of a request: `error` is a failed call or a result with `isError`, `refused` a denial by mcplex itself. */
export type Outcome = 'ok' | 'error' | 'refused' | 'cancelled'

/**
 * One request as it is logged and measured; members are in the order of the log line (docs/operation.md). Durations are milliseconds, sizes
 * bytes; `name` is the exposed name of a tool or prompt, or a URI.
 */
export interface RequestRecord {
  readonly requestId: string
  readonly route: string | undefined
  readonly caller: string | undefined
  readonly agent: string | undefined
  readonly backend: string | undefined
  /** The server that owns `name`; undefined where no server was asked, or all of them. */
  readonly server: string | undefined
  readonly method: string
  readonly name: string | undefined
  readonly clientEra: EraName | undefined
  readonly serverEra: EraName | undefined
  readonly outcome: Outcome
  readonly reason: string | undefined
  /** The path in the document of the rule that denied it. */
  readonly rule: string | undefined
  /** The path of a request that no route takes, cut to 200 characters. */
  readonly path: string | undefined
  /** How many items of a list, or subscriptions of a stream, rules hide from the caller; undefined where there are none. */
  readonly withheld: number | undefined
  readonly httpStatus: number
  readonly rpcCode: number | undefined
  readonly durationMs: number
  readonly upstreamMs: number | undefined
  readonly bytesIn: number
  readonly bytesOut: number
  readonly traceId: string | undefined
}
