import type { Implementation } from '../../era/era.ts'
import type { EraName, ServerBuffers } from '../../mcp/mcp.ts'

export interface UpstreamDeps {
  readonly clientInfo: Implementation
  /** performance.now() or alike, in ms. */
  readonly now: () => number
  /** In [0, 1). */
  readonly random: () => number
  readonly events: UpstreamEvents
  /** Counts what is held of the server. */
  readonly buffers: ServerBuffers
}

/** Events of one server, for the layers above. */
export interface UpstreamEvents {
  /** One of its lists, or what it offers, has changed. */
  listChanged(status: UpstreamStatus): void
  stateChanged(status: UpstreamStatus, before: UpstreamStatus['state']): void
  /** Entries of its lists were left out. */
  dropped(reasons: readonly string[]): void
  repaired(tool: string): void
}

export interface UpstreamStatus {
  readonly backend: string
  readonly name: string
  readonly state: 'connecting' | 'ready' | 'down'
  readonly era: EraName | undefined
  readonly version: string | undefined
  /** The name that the server gives itself, which is not to be relied on. */
  readonly serverName: string | undefined
  readonly tools: number
  readonly prompts: number
  readonly resources: number
  readonly lastError: string | undefined
  /** What to do about it, for operators: it may name addresses and hold what the server wrote. */
  readonly remedy?: string | undefined
  /** When it entered this state, in milliseconds since the epoch. */
  readonly since: number
}
