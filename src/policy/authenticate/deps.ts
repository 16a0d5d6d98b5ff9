import type { Log } from '../../observe/observe.ts'

export interface AuthenticateDeps {
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly log: Log
  /** An issuer has taken keys away: callers who were let in by them are not valid any more. */
  readonly onKeysLost?: () => void
}
