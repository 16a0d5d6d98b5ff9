import type { CalledTool, Implementation } from '../era/era.ts'
import type { Answer, Call, EraName } from '../mcp/mcp.ts'
import type { ToolEntry } from './tool-entry.ts'

/** How one server is to be treated. Times in ms. */
export interface UpstreamSettings {
  readonly backend: string
  readonly name: string
  readonly era: 'auto' | 'legacy' | 'modern'
  readonly requestMs: number
  readonly listMs: number
  /** How long a list of its tools is used before it is asked again. */
  readonly ttlMs: number
  readonly pages: number
  readonly toolsPerServer: number
  /** Characters of all its tools together. */
  readonly listChars: number
}

export interface UpstreamDeps {
  readonly clientInfo: Implementation
  /** performance.now() or alike, in ms. */
  readonly now: () => number
  /** In [0, 1). */
  readonly random: () => number
  readonly events: UpstreamEvents
}

/** What the rest of the house hears of a server. */
export interface UpstreamEvents {
  /** Its list of tools has become another one. */
  toolsChanged(status: UpstreamStatus): void
  stateChanged(status: UpstreamStatus, before: UpstreamStatus['state']): void
  /** Tools of its list were left out. */
  dropped(reasons: readonly string[]): void
  repaired(tool: string): void
}

export interface UpstreamStatus {
  readonly backend: string
  readonly name: string
  readonly state: 'connecting' | 'ready' | 'down'
  readonly era: EraName | undefined
  readonly version: string | undefined
  /** What the server calls itself: not to be relied on. */
  readonly serverName: string | undefined
  readonly tools: number
  readonly lastError: string | undefined
  /** When it came into this state: milliseconds since the epoch. */
  readonly since: number
}

export interface Sent {
  readonly answer: Answer
  readonly upstreamMs: number
  readonly era: EraName | undefined
}

/** One server behind us: met, kept in view, asked. It never throws and never waits longer than its time-outs. */
export interface Upstream {
  readonly settings: UpstreamSettings
  status(): UpstreamStatus
  /** The last known tools; they stay while the server is down. */
  tools(): readonly ToolEntry[]
  instructions(): string | undefined
  /** How long from now on the list holds, and for whom. */
  cacheHint(): { readonly ttlMs: number; readonly isPublic: boolean }
  /** Undefined where the list is fresh or the server is known to be down; else resolves when either is so. */
  ensureFresh(): Promise<void> | undefined
  /** Sends a call of one of its tools. */
  send(call: Call, tool: CalledTool): Promise<Sent>
  /** A client's session is over. */
  endSession(client: string): void
  /** Lets calls in flight finish, for `graceMs` at most, then ends sessions and connections. */
  close(graceMs: number): Promise<void>
}
