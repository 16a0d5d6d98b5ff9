import type { ProblemCode } from '../problems/problems.ts'
import type { Origin } from '../schema/schema.ts'
import type { Path } from '../tree/tree.ts'
import type { ReferenceSource } from '../values/values.ts'

/** Reports a problem at a path as written. `what` says whether the key or the value is wrong, `at` which character of the value. */
export type Report = (code: ProblemCode, path: Path, what: 'key' | 'value', text: string, hint?: string, at?: number) => void

/** What a check of a document needs besides the document, and where its findings go. */
export interface Checking {
  readonly from: ReferenceSource
  readonly origin: Origin
  readonly report: Report
  readonly onFile: (path: string) => void
  /** Takes the path of a value whose references can't be resolved, which is no problem then. Absent: it is one. */
  readonly onUnresolved?: (path: Path) => void
}
