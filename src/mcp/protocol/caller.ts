/**
 * Who makes a request; an anonymous client is a caller too. A credential gives the same object for as long as it is remembered, so results
 * that depend on the caller can be cached by that object.
 */
export interface Caller {
  readonly kind: 'anonymous' | 'jwt' | 'apiKey' | 'certificate'
  /** The same in all requests of one identity; safe to log. */
  readonly id: string
  /** A token's `sub`, an API key's id, or the name in a certificate. */
  readonly subject: string | undefined
  readonly issuer: string | undefined
  /** Who acts for the subject, the nearest first (RFC 8693, section 4.1). */
  readonly actors: readonly string[]
  readonly claims: Claims
  /** Milliseconds since 1970; Infinity where the credential doesn't expire. */
  readonly expiresAtMs: number
}

/** JSON as `readJson` returns it: objects are Maps, so a key such as `__proto__` has no effect. */
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
