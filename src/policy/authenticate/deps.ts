import type { Log } from '../../observe/observe.ts'

export interface AuthenticateDeps {
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly log: Log
  /** Called when an issuer has withdrawn keys: callers who were admitted by them are no longer valid. */
  readonly onKeysLost?: () => void
}
