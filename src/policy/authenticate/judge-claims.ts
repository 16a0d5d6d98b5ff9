import type { Caller, Claims } from '../../mcp/mcp.ts'
import { callerId } from './caller-id.ts'
import type { Rejection } from './rejections.ts'
import type { JwtSettings } from './settings.ts'

/** Longest name of a subject or an actor, in characters. */
const maxNameLength = 1024
const maxActors = 10

/**
 * The caller that a token's claims name, if they are valid for this issuer (RFC 7519, section 4.1; RFC 8693, section 4.1). The signature is
 * verified elsewhere.
 */
export function judgeClaims(claims: Claims, settings: JwtSettings, nowMs: number): Caller | Rejection {
  if (!isMeant(claims.get('aud'), settings.audiences)) return 'audience'
  const expiresAtMs = expiry(claims.get('exp'), settings.leewayMs)
  if (expiresAtMs === undefined) return 'no-expiry'
  if (nowMs >= expiresAtMs) return 'expired'
  for (const name of ['nbf', 'iat']) {
    const from = claims.get(name)
    if (from === undefined) continue
    const fromMs = instantMs(from)
    if (fromMs === undefined || fromMs - settings.leewayMs > nowMs) return 'not-yet-valid'
  }
  if (claims.has('cnf')) return 'bound'
  const actors = actorsOf(claims.get('act'))
  if (actors === undefined) return 'actors'
  const subject = nameOf(claims.get('sub'))
  const client = claims.has('sub') ? undefined : (nameOf(claims.get('client_id')) ?? nameOf(claims.get('azp')))
  const name = subject ?? client
  if (name === undefined) return 'no-subject'
  return {
    kind: 'jwt',
    id: callerId(settings.issuer, subject === undefined ? '#client|' : '|', name),
    subject: name,
    issuer: settings.issuer,
    actors,
    claims,
    expiresAtMs,
  }
}

/** Which of these scopes a token lacks (RFC 9068, section 2.2.3; `scp` at some issuers). */
export function missingScopes(claims: Claims, required: readonly string[]): readonly string[] {
  if (required.length === 0) return required
  const granted = new Set([...scopesIn(claims.get('scope')), ...scopesIn(claims.get('scp'))])
  return required.filter((scope) => !granted.has(scope))
}

function scopesIn(value: unknown): readonly unknown[] {
  return typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : []
}

function isMeant(value: unknown, audiences: readonly string[]): boolean {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.every((one) => typeof one === 'string') && list.some((one) => audiences.includes(one))
}

/** When a token expires, leeway included; undefined where it has no valid `exp`. */
function expiry(value: unknown, leewayMs: number): number | undefined {
  const ms = instantMs(value)
  return ms === undefined ? undefined : ms + leewayMs
}

/** A NumericDate in ms. */
function instantMs(value: unknown): number | undefined {
  const seconds = typeof value === 'bigint' || typeof value === 'number' ? Number(value) : Number.NaN
  return Number.isFinite(seconds * 1000) ? seconds * 1000 : undefined
}

/** The chain of actors, who each act for the next (RFC 8693, section 4.1); undefined where one has no name or there are too many. */
function actorsOf(act: unknown): readonly string[] | undefined {
  const actors: string[] = []
  for (let link = act; link !== undefined; link = link.get('act')) {
    if (!(link instanceof Map) || actors.length === maxActors) return undefined
    const name = nameOf(link.get('sub') ?? link.get('client_id'))
    if (name === undefined) return undefined
    actors.push(name)
  }
  return actors
}

function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= maxNameLength && value.isWellFormed() ? value : undefined
}
