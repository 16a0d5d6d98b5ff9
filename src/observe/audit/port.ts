import type { ChainHead } from './chain.ts'

export interface Failure {
  readonly kind: 'failed'
  /** For people; holds no secret. */
  readonly text: string
}

export type Prepared = { readonly kind: 'ready' } | Failure

/** How many lines, from the first one on, have been stored. A line that was sent in part does not count as a record. */
export interface Sent {
  readonly lines: number
  readonly failure: Failure | undefined
}

/** A destination of records. No method throws or rejects; `prepare` and `send` are never called at the same time. */
export interface Port {
  /** For the log. */
  readonly name: string
  /** How long to wait after so many failures in a row, milliseconds. */
  retryMs(failures: number): number
  prepare(): Promise<Prepared>
  /** The end of the chain that was found at the destination since the last call; undefined where what was sent last is still its end. */
  takeHead(): ChainHead | undefined
  send(lines: Buffer): Promise<Sent>
  /** Waits synchronously for what `send` is doing; returns whether it was stored. For the end of the process. */
  settle(): boolean
  /** Like `send`, but synchronously. */
  sendNow(lines: Buffer): Sent
  close(): Promise<void>
}

/** How many lines end within the first `bytes`. */
export function countLines(lines: Buffer, bytes: number): number {
  let count = 0
  for (let at = lines.indexOf(10); at >= 0 && at < bytes; at = lines.indexOf(10, at + 1)) count++
  return count
}
