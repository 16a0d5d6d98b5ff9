import type { ParamHeader } from '../../era/era.ts'

/** An entry of one of a server's lists. `text` is the JSON object's own characters; the offsets are those of its name's or URI's string in it. */
export interface ListEntry {
  /** The server's own name, URI or URI template. */
  readonly key: string
  readonly text: string
  readonly keyStart: number
  readonly keyEnd: number
  /** A tool's arguments that clients and servers of 2026-07-28 repeat in headers; of other entries none. */
  readonly paramHeaders: readonly ParamHeader[]
}
