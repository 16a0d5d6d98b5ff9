import type { BackendView } from '../backends/backends.ts'
import type { DesiredStatus, ObjectRef, Raw } from '../objects/objects.ts'

export interface AgentView {
  readonly ref: ObjectRef
  readonly name: string
  readonly fragment: Raw | undefined
  readonly unusable: string | undefined
  /** Those that it selects from. */
  readonly backends: readonly BackendView[]
  readonly status: DesiredStatus
}
