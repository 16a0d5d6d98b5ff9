import type { Prefix } from './backend.ts'
import type { Policies } from './policies.ts'

/** What one kind of client may see: a selection of what its backends offer. Nothing selected, nothing seen. */
export interface Agent {
  /** Names of backends. */
  readonly from: readonly string[]
  /** Patterns over `<server>_<tool>`: `*` is any run of characters, a leading `!` takes away; order is of no matter. */
  readonly tools: readonly string[]
  /** Patterns over `<server>_<prompt>`. */
  readonly prompts: readonly string[]
  /** Patterns over `<server>+<uri>`. */
  readonly resources: readonly string[]
  /** The path that `expand` made a route for, for the reader: routes alone decide. */
  readonly path?: string
  /** Absent: its backend's; `always` where it has several. */
  readonly prefix?: Prefix
  readonly instructions?: string
  readonly access?: string
  readonly policies?: Policies
}
