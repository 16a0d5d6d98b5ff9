import type { ParamHeader } from '../../era/era.ts'

/**
 * An entry of one of a server's lists. `text` is the JSON object as the server sent it; the offsets delimit the string of its name or URI
 * in it.
 */
export interface ListEntry {
  /** The server's own name, URI or URI template. */
  readonly key: string
  readonly text: string
  readonly keyStart: number
  readonly keyEnd: number
  /** The arguments of a tool that clients of 2026-07-28 repeat in headers; empty for other entries. */
  readonly paramHeaders: readonly ParamHeader[]
}
