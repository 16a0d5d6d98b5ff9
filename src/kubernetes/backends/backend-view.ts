import type { DesiredStatus, ObjectRef, Raw } from '../objects/objects.ts'

/** A Backend of type MCP, or an AgentgatewayBackend with `mcp`, as the later steps of a translation see it. */
export interface BackendView {
  readonly ref: ObjectRef
  /** Its name in documents. */
  readonly name: string
  /** The backend as the document has it; undefined where it serves nothing. */
  readonly fragment: Raw | undefined
  /** The names of all servers that it asks for, also of those that are left out. */
  readonly servers: readonly string[]
  /** The names that renamed servers asked for, by the names that they have. */
  readonly renamed: ReadonlyMap<string, string>
  /** Why it serves nothing, as a sentence for the statuses of those that refer to it; undefined where it serves something. */
  readonly unusable: string | undefined
  /** How its callers must authenticate: the `authenticate` of the document, which the fragment has as well. */
  readonly authenticate: Raw | undefined
  /**
   * Rules of which one must hold and that the fragment leaves out: the rules of routes that lead here join them with their own. Empty where
   * Agents select from the backend: then the fragment has them, as Agents have no rules to join them with.
   */
  readonly allow: readonly string[]
  /** Secrets and ConfigMaps that it needs, for itself and for policies. */
  readonly wanted: readonly ObjectRef[]
  readonly status: DesiredStatus
}
