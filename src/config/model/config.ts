import type { Agent } from './agent.ts'
import type { Backend } from './backend.ts'
import type { Listener } from './listener.ts'
import type { Policies } from './policies.ts'
import type { Admin, Health, Limits, Observe, Peers, Sessions, Store } from './process.ts'
import type { Route } from './route.ts'
import type { ToolTest } from './tool-test.ts'

/**
 * A document in the long form with all defaults filled in. It is plain JSON and the same for files and for Kubernetes. Maps keep the
 * document's order, and `parseConfig(printConfig(c))` gives an equal Config. Its keys are described in docs/configuration.md.
 */
export interface Config {
  /** The version of mcplex that wrote the document for Kubernetes; absent in documents that people wrote. */
  readonly 'mcplex.dev/version'?: string
  readonly listeners: readonly Listener[]
  readonly routes: readonly Route[]
  readonly backends: Readonly<Record<string, Backend>>
  readonly agents: Readonly<Record<string, Agent>>
  readonly policies?: Policies
  readonly sessions: Sessions
  readonly peers?: Peers
  readonly store?: Store
  readonly admin: Admin
  readonly health: Health
  readonly limits: Limits
  readonly observe: Observe
  readonly tests: readonly ToolTest[]
}
