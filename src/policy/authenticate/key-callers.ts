import { type Caller, type Claims, readJson } from '../../mcp/mcp.ts'
import { callerId } from './caller-id.ts'
import type { ApiKeySettings } from './settings.ts'

/**
 * The callers of API keys by the SHA-256 of their key, in lower-case hexadecimal digits; rules find a key's `id` among its claims. The time
 * of a lookup depends on the digest alone, no part of which a caller can choose, so it reveals nothing about the keys.
 */
export function callersOfKeys(settings: readonly ApiKeySettings[]): ReadonlyMap<string, Caller> {
  return new Map(settings.map((key) => [key.digest, callerOf(key)]))
}

function callerOf({ id, claims }: ApiKeySettings): Caller {
  return {
    kind: 'apiKey',
    id: callerId('apiKey', ':', id),
    subject: id,
    issuer: undefined,
    actors: [],
    claims: asClaims({ ...claims, id }),
    expiresAtMs: Number.POSITIVE_INFINITY,
  }
}

/** Turns the document's JSON into the form that a token's claims have. */
function asClaims(claims: Readonly<Record<string, unknown>>): Claims {
  const read = readJson(JSON.stringify(claims), { depth: 1000, tokens: 1_000_000 })
  if (read.kind === 'fault' || !(read.value instanceof Map)) throw new Error('the claims of an API key are no JSON object')
  return read.value
}
