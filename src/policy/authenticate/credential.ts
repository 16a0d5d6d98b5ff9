import type { ClientCertificate, Head } from '../../mcp/mcp.ts'

/** The credential in a request. */
export type Credential =
  | { readonly kind: 'none' }
  /** `token` may also be an API key. */
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'apiKey'; readonly key: string }
  | { readonly kind: 'certificate'; readonly certificate: ClientCertificate }
  /** No credential that could be accepted; `text` tells the caller why. */
  | { readonly kind: 'faulty'; readonly reason: 'bad-request' | 'unauthenticated'; readonly text: string }

const none: Credential = { kind: 'none' }
const bearerScheme = /^bearer +([\x21-\x7e]+) *$/i
const apiKeyText = /^[\x21-\x7e]+$/
const queryNames = new Set(['access_token', 'api_key'])

/**
 * Reads the one credential of a request (RFC 6750, section 2.1). A token or key takes precedence over a client certificate, which belongs
 * to the whole connection.
 * @param taken which credentials are accepted besides tokens
 */
export function readCredential(head: Head, taken: { readonly apiKeys: boolean; readonly mtls: boolean }): Credential {
  if (head.query !== '' && isInQuery(head.query)) {
    return faulty('a credential in the URL ends up in logs and histories: send it as `Authorization: Bearer …`, and get a new one')
  }
  const authorization = head.header('authorization')
  const key = taken.apiKeys ? head.header('x-api-key') : undefined
  if (authorization !== undefined) {
    if (key !== undefined) return faulty('`Authorization` and `X-API-Key` may name different callers: send one of them', 'bad-request')
    const token = bearerScheme.exec(authorization)?.[1]
    return token === undefined ? faulty('`Authorization` must be `Bearer` and one token') : { kind: 'bearer', token }
  }
  if (key !== undefined) return apiKeyText.test(key) ? { kind: 'apiKey', key } : faulty('`X-API-Key` must be one key')
  const certificate = taken.mtls ? head.tls?.certificate : undefined
  if (certificate === 'refused') return faulty('the client certificate is not one that is taken here: show another, or none')
  return certificate === undefined ? none : { kind: 'certificate', certificate }
}

function faulty(text: string, reason: 'bad-request' | 'unauthenticated' = 'unauthenticated'): Credential {
  return { kind: 'faulty', reason, text }
}

function isInQuery(query: string): boolean {
  for (const name of new URLSearchParams(query).keys()) if (queryNames.has(name.toLowerCase())) return true
  return false
}
