import { compactVerify } from 'jose'
import type { Caller } from '../../mcp/mcp.ts'
import { judgeClaims, missingScopes } from './judge-claims.ts'
import type { KeySet } from './key-set.ts'
import { readToken, type UnverifiedToken } from './read-token.ts'
import type { Rejection } from './rejections.ts'
import type { JwtSettings } from './settings.ts'
import type { SigningKey } from './signing-key.ts'

/** An issuer whose tokens are accepted. */
export interface TrustedIssuer {
  readonly settings: JwtSettings
  readonly keys: KeySet
}

/** The result of verifying a token. `issuer` and `kid` are the token's own words, for the log. */
export type Verification =
  | { readonly kind: 'verified'; readonly caller: Caller; readonly key: SigningKey; readonly keys: KeySet }
  | { readonly kind: 'rejected'; readonly why: Rejection; readonly issuer?: string; readonly kid?: string | undefined }
  /** A valid token that lacks a scope. */
  | { readonly kind: 'scope'; readonly required: readonly string[]; readonly issuer: string }
  /** The issuer's keys can't be fetched. */
  | { readonly kind: 'unreachable'; readonly retryAfterMs: number; readonly issuer: string }

/**
 * Verifies that a token is from one of these issuers and valid now. Claims are checked first, so that a token that can't be valid causes no
 * request for keys.
 */
export async function verifyToken(token: string, issuers: readonly TrustedIssuer[], now: () => number): Promise<Verification> {
  const read = readToken(token)
  if (typeof read === 'string') return { kind: 'rejected', why: read }
  let verification: Verification = rejected('issuer-unknown', read)
  // An issuer may be listed twice, with different audiences.
  for (const one of issuers) {
    if (one.settings.issuer !== read.issuer) continue
    verification = await verifyAs(one, token, read, now)
    if (verification.kind === 'verified') return verification
  }
  return verification
}

async function verifyAs({ settings, keys }: TrustedIssuer, token: string, read: UnverifiedToken, now: () => number): Promise<Verification> {
  const { algorithm, kid, issuer, claims } = read
  if (!settings.algorithms.includes(algorithm)) return rejected('algorithm', read)
  const caller = judgeClaims(claims, settings, now())
  if (typeof caller === 'string') return rejected(caller, read)
  const found = await keys.find(algorithm, kid)
  if (found.kind === 'unreachable') return { ...found, issuer }
  if (found.keys.length === 0) return rejected('key-unknown', read)
  for (const key of found.keys) {
    if (!(await isSignedBy(key, algorithm, token))) continue
    const { scopes } = settings
    if (missingScopes(claims, scopes).length > 0) return { kind: 'scope', required: scopes, issuer }
    // Its names and claims are slices of the token's text: without a copy they would keep all of that text in memory.
    return { kind: 'verified', caller: structuredClone(caller), key, keys }
  }
  return rejected('signature', read)
}

async function isSignedBy(key: SigningKey, algorithm: string, token: string): Promise<boolean> {
  const cryptoKey = await key.cryptoKey(algorithm)
  if (cryptoKey === undefined) return false
  return await compactVerify(token, cryptoKey, { algorithms: [algorithm] }).then(
    () => true,
    () => false,
  )
}

function rejected(why: Rejection, { issuer, kid }: UnverifiedToken): Verification {
  return { kind: 'rejected', why, issuer, kid }
}
