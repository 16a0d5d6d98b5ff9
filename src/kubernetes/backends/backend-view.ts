import type { DesiredStatus, ObjectRef, Raw } from '../objects/objects.ts'

/** A Backend of type MCP, or an AgentgatewayBackend with `mcp`. */
export interface BackendView {
  readonly ref: ObjectRef
  /** In documents. */
  readonly name: string
  /** The backend of the document; absent where it serves nothing. */
  readonly fragment: Raw | undefined
  /** Names of all servers that it asks for, those that are left out among them. */
  readonly servers: readonly string[]
  /** Of these the ones that got another name than they lay claim to: theirs, by the name that they have. */
  readonly renamed: ReadonlyMap<string, string>
  /** Why it serves nothing, as a sentence for those that name it. */
  readonly unusable: string | undefined
  /** Who its callers must prove to be: `authenticate` of the document, which the fragment holds too. */
  readonly authenticate: Raw | undefined
  /**
   * Rules some of which must hold, and that the fragment leaves out: a rule of a route that leads here has them beside its own. None where
   * Agents select from the backend, as these have no place to join them.
   */
  readonly allow: readonly string[]
  /** Secrets and ConfigMaps that it depends on, by itself and by policies. */
  readonly wanted: readonly ObjectRef[]
  readonly status: DesiredStatus
}
