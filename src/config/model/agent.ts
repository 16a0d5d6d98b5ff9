import type { Prefix } from './backend.ts'
import type { Policies } from './policies.ts'

/** What one kind of client may see: a selection of what its backends offer. Without any patterns it sees nothing. */
export interface Agent {
  /** Names of backends. */
  readonly from: readonly string[]
  /** Patterns over `<server>_<tool>`: `*` is any run of characters, and a leading `!` excludes. Their order does not matter. */
  readonly tools: readonly string[]
  /** Patterns over `<server>_<prompt>`. */
  readonly prompts: readonly string[]
  /** Patterns over `<server>+<uri>`. */
  readonly resources: readonly string[]
  /** The path for which `expand` made a route. It is for readers only: the routes decide. */
  readonly path?: string
  /** Absent: that of its backend; `always` where it has several backends. */
  readonly prefix?: Prefix
  readonly instructions?: string
  readonly access?: string
  readonly policies?: Policies
}
