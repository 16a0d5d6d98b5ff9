/**
 * Who calls. Anonymous is a caller too. One credential is one object as long as it is known, so what is found out about a caller may
 * be remembered by it.
 */
export interface Caller {
  readonly kind: 'anonymous' | 'jwt' | 'apiKey' | 'certificate'
  /** Stable for one identity, safe to log. */
  readonly id: string
  /** Of a token its `sub`, of a key its id, of a certificate its name. */
  readonly subject: string | undefined
  readonly issuer: string | undefined
  /** Who acts for the subject, the nearest first (RFC 8693, section 4.1). */
  readonly actors: readonly string[]
  readonly claims: Claims
  /** Milliseconds since 1970; Infinity where the credential doesn't expire. */
  readonly expiresAtMs: number
}

/** JSON as `readJson` gives it: objects are Maps, so that no key of a caller's means anything to JavaScript. */
export type Claims = ReadonlyMap<string, unknown>

export const anonymous: Caller = {
  kind: 'anonymous',
  id: 'anonymous',
  subject: undefined,
  issuer: undefined,
  actors: [],
  claims: new Map(),
  expiresAtMs: Number.POSITIVE_INFINITY,
}
