import { type Claims, decodeText, readJson } from '../../mcp/mcp.ts'
import type { Rejection } from './rejections.ts'

/** A decoded JWT of which nothing has been verified. */
export interface UnverifiedToken {
  readonly kind: 'token'
  readonly algorithm: string
  readonly kid: string | undefined
  readonly issuer: string
  readonly claims: Claims
}

/** Longest token, in characters. */
const maxTokenLength = 16 * 1024
const limits = { depth: 32, tokens: 2000 }
const headerTypes = new Set(['jwt', 'at+jwt', 'application/at+jwt'])
/**
 * Values of the `typ` claim that issuers give access tokens; Keycloak signs its other tokens with the same keys, and tells them apart by
 * this claim.
 */
const claimedTypes = new Set(['bearer', 'jwt', 'at+jwt', 'access', 'access_token'])

/**
 * Decodes a JWT in compact form (RFC 7515, section 7.1; RFC 8725). `jku`, `jwk`, `x5u` and `x5c` are ignored: a token doesn't say where its
 * key is. What two parsers could read differently is rejected: repeated keys, and base64url that is not canonical.
 */
export function readToken(token: string): UnverifiedToken | Rejection {
  if (token.length > maxTokenLength) return 'too-long'
  const parts = token.split('.', 6)
  if (parts.length === 5 && readPart(parts[0])?.has('enc')) return 'encrypted'
  if (parts.length !== 3 || !isExact(parts[2])) return 'malformed'
  const header = readPart(parts[0])
  const claims = readPart(parts[1])
  if (header === undefined || claims === undefined) return looksLikeJwt(parts) ? 'unreadable' : 'malformed'
  const algorithm = header.get('alg')
  if (typeof algorithm !== 'string') return 'algorithm'
  if (header.has('crit') || header.has('b64')) return 'extension'
  if (!isOneOf(headerTypes, header.get('typ')) || !isOneOf(claimedTypes, claims.get('typ'))) return 'not-access-token'
  const kid = header.get('kid')
  if (kid !== undefined && typeof kid !== 'string') return 'key-unknown'
  const issuer = claims.get('iss')
  return typeof issuer === 'string' ? { kind: 'token', algorithm, kid, issuer, claims } : 'issuer-unknown'
}

/** The JSON object in a part; undefined where it holds none. */
function readPart(part: string | undefined): Claims | undefined {
  if (part === undefined || !isExact(part)) return undefined
  const text = decodeText(Buffer.from(part, 'base64url'))
  if (typeof text !== 'string') return undefined
  const read = readJson(text, limits)
  return read.kind === 'value' && read.value instanceof Map ? (read.value as Claims) : undefined
}

/** Whether a part is canonical base64url: with other trailing bits or padding one token could be spelled in several ways. */
function isExact(part: string | undefined): boolean {
  return part !== undefined && part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part
}

function looksLikeJwt(parts: readonly string[]): boolean {
  return parts[0]?.startsWith('ey') === true
}

function isOneOf(names: ReadonlySet<string>, value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && names.has(value.toLowerCase()))
}
