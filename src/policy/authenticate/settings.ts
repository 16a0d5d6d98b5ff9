/** How callers authenticate; secrets are resolved. The names are those of the document (docs/configuration.md, policies). */
export interface AuthenticateSettings {
  readonly mode: 'strict' | 'optional'
  readonly jwt: readonly JwtSettings[]
  readonly apiKeys: readonly ApiKeySettings[]
  readonly mtls: boolean
  readonly mcp: McpSettings | undefined
}

export interface JwtSettings {
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly keys: KeySource
  readonly algorithms: readonly string[]
  readonly scopes: readonly string[]
  readonly leewayMs: number
}

export type KeySource =
  /** JSON text of a JWK set. */
  | { readonly kind: 'inline'; readonly jwks: string }
  | { readonly kind: 'url'; readonly url: string; readonly refreshMs: number; readonly ca: string | undefined }
  /** Found by the issuer's metadata (RFC 8414, OpenID Connect Discovery). */
  | { readonly kind: 'discovery'; readonly refreshMs: number; readonly ca: string | undefined }

export interface ApiKeySettings {
  readonly id: string
  /** SHA-256 of the key in lower-case hexadecimal digits. */
  readonly digest: string
  readonly claims: Readonly<Record<string, unknown>>
}

export type ProviderName = 'auth0' | 'authentik' | 'descope' | 'entra' | 'keycloak' | 'okta'

export interface McpSettings {
  readonly provider: ProviderName | undefined
  readonly clientId: string | undefined
  readonly resource: string | undefined
  readonly scopesSupported: readonly string[]
  readonly resourceName: string | undefined
  readonly resourceDocumentation: string | undefined
}
