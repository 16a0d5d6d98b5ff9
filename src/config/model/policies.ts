import type { Duration, Secret } from './values.ts'

/**
 * The policies of one place of the document (docs/configuration.md, policies). The `authorize` of all places on a request's way add up; of
 * every other policy the most specific place decides.
 */
export interface Policies {
  readonly authenticate?: Authenticate
  readonly authorize?: Authorize
  readonly rateLimit?: readonly Readonly<Record<string, unknown>>[]
  readonly audit?: Audit
}

/** How callers authenticate: in any one of the ways that are set. */
export interface Authenticate {
  /** `optional` lets callers without any credential in as anonymous; a wrong credential is refused in both. */
  readonly mode: 'strict' | 'optional'
  readonly jwt: readonly JwtIssuer[]
  readonly apiKeys: readonly ApiKey[]
  /** A client certificate that the listener's `clientCa` vouches for. */
  readonly mtls: boolean
  readonly mcp?: McpAuthentication
}

export type JwtAlgorithm = 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA'

/** Tokens of one issuer (RFC 7519, RFC 9068). */
export interface JwtIssuer {
  /** The `iss` of its tokens, character for character. */
  readonly issuer: string
  /** At least one; a token's `aud` must hold one of them, character for character. */
  readonly audiences: readonly string[]
  /** Absent: found by the issuer's metadata (RFC 8414, OpenID Connect Discovery). */
  readonly jwks?: Jwks
  readonly algorithms: readonly JwtAlgorithm[]
  /** Scopes of which a token must carry each one; without them the reply is 403. */
  readonly scopes: readonly string[]
  /** How much clocks may differ; at most 60 s. */
  readonly leeway: Duration
}

/** An issuer's public keys (RFC 7517). With neither `url` nor `inline` they are found by the issuer's metadata. */
export interface Jwks {
  readonly url?: string
  /** The JSON text of a JWK set. */
  readonly inline?: string
  /** How old keys from a URL or from discovery may be before they are fetched again. */
  readonly refresh: Duration
  /** PEM text of the authorities to trust instead of the system's. */
  readonly ca?: string
}

export interface ApiKey {
  readonly id: string
  /** SHA-256 of the key, 64 hexadecimal digits. */
  readonly sha256: Secret
  readonly claims: Readonly<Record<string, unknown>>
}

export type Provider = 'auth0' | 'authentik' | 'descope' | 'entra' | 'keycloak' | 'okta'

/** How MCP clients learn where to log in (2026-07-28, authorization; RFC 9728). */
export interface McpAuthentication {
  readonly provider?: Provider
  /** A public client registered at the authorization server, for clients that can't register themselves. */
  readonly clientId?: string
  readonly resourceMetadata: ResourceMetadata
}

export interface ResourceMetadata {
  /** The endpoint's URL as clients know it; absent: as they called it. */
  readonly resource?: string
  readonly scopesSupported: readonly string[]
  readonly resourceName?: string
  readonly resourceDocumentation?: string
}

/**
 * CEL expressions. A place allows a request if no `deny` holds, every `require` holds and, if there are any `allow`, at least one of them
 * holds.
 */
export interface Authorize {
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  readonly require: readonly string[]
}

/** A record of every request. */
export interface Audit {
  /** At least one. */
  readonly sinks: readonly AuditSink[]
  /** Whether each record holds the digest of the previous one. */
  readonly chain: boolean
  /** What happens to requests while a sink takes no records: they are refused (503), or served without a record. */
  readonly whenFull: 'refuse' | 'drop'
  /** Whether records hold the arguments of calls, instead of only their keyed digest. */
  readonly arguments: boolean
  /** Members of records that are redacted, such as `subject` or `mcp.tool.arguments.password`. */
  readonly redact: readonly string[]
  /** The key of digests, 32 bytes in base64. Absent: derived from `sessions.keys`, else random for this process. */
  readonly key?: Secret
}

/** Exactly one of the three is set. */
export interface AuditSink {
  readonly stdout?: boolean
  /** The path of a file, to which records are appended as JSON lines. */
  readonly file?: string
  /** An endpoint that receives records as POSTs of JSON lines. */
  readonly http?: AuditHttpSink
}

export interface AuditHttpSink {
  readonly url: string
  readonly headers: Readonly<Record<string, Secret>>
}
