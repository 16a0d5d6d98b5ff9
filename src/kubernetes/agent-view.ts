import type { BackendView } from './backend-view.ts'
import type { DesiredStatus } from './desired-status.ts'
import type { ObjectRef } from './object.ts'
import type { Raw } from './raw.ts'

export interface AgentView {
  readonly ref: ObjectRef
  readonly name: string
  readonly fragment: Raw | undefined
  readonly unusable: string | undefined
  /** Those that it selects from. */
  readonly backends: readonly BackendView[]
  readonly status: DesiredStatus
}
