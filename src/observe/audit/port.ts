import type { ChainHead } from './chain.ts'

export interface Failure {
  readonly kind: 'failed'
  /** For people; holds no secret. */
  readonly text: string
}

export type Prepared = { readonly kind: 'ready' } | Failure

/** How many of the lines have arrived, from the first on; what of the others was sent is none of the receiver's records. */
export interface Sent {
  readonly lines: number
  readonly failure: Failure | undefined
}

/** A place for records. No method throws or rejects; only one of `prepare` and `send` runs at a time. */
export interface Port {
  /** For the log. */
  readonly name: string
  /** How long to wait after so many failures in a row, milliseconds. */
  retryMs(failures: number): number
  prepare(): Promise<Prepared>
  /** The end of the chain that was found in the place since this was last asked; undefined where what was sent last is still its end. */
  takeHead(): ChainHead | undefined
  send(lines: Buffer): Promise<Sent>
  /** Waits without giving way for what `send` has under way; whether it has arrived. For the end of the process. */
  settle(): boolean
  /** As `send`, at once. */
  sendNow(lines: Buffer): Sent
  close(): Promise<void>
}

/** Lines that end within the first bytes. */
export function countLines(lines: Buffer, bytes: number): number {
  let count = 0
  for (let at = lines.indexOf(10); at >= 0 && at < bytes; at = lines.indexOf(10, at + 1)) count++
  return count
}
