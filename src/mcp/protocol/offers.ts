/** The capabilities of a server, or of mcplex itself (2026-07-28, schema, ServerCapabilities). */
export interface Offers {
  readonly tools: boolean
  readonly prompts: boolean
  readonly resources: boolean
  readonly completions: boolean
  readonly logging: boolean
  /** Whether it sends notifications when these lists change. */
  readonly toolsChange: boolean
  readonly promptsChange: boolean
  readonly resourcesChange: boolean
  /** Whether single resources can be subscribed to. */
  readonly subscribe: boolean
  /** JSON text of its `io.modelcontextprotocol/ui` extension (MCP Apps), where it has that. */
  readonly apps: string | undefined
}

export type Capability = 'tools' | 'prompts' | 'resources' | 'completions' | 'logging'

export const noOffers: Offers = {
  tools: false,
  prompts: false,
  resources: false,
  completions: false,
  logging: false,
  toolsChange: false,
  promptsChange: false,
  resourcesChange: false,
  subscribe: false,
  apps: undefined,
}
