import type { BackendView } from '../backends/backends.ts'
import type { DesiredStatus, ObjectRef, Raw } from '../objects/objects.ts'

/** An Agent as the later steps of a translation see it. */
export interface AgentView {
  readonly ref: ObjectRef
  readonly name: string
  /** The agent as the document has it; undefined where it serves nothing. */
  readonly fragment: Raw | undefined
  /** Why it serves nothing, as a sentence for the statuses of routes that refer to it. */
  readonly unusable: string | undefined
  /** The backends that it selects from. */
  readonly backends: readonly BackendView[]
  readonly status: DesiredStatus
}
