import type { IssuerMetadata } from './issuer-metadata.ts'
import { type Provider, providers } from './providers.ts'
import type { McpSettings } from './settings.ts'

/**
 * How an endpoint stands in for its issuer: clients take the endpoint for the authorization server, read the issuer's metadata there
 * with a few members changed, and then talk to the issuer itself. No code, token or secret comes through here.
 *
 * What clients check, and so what must hold (MCP 2026-07-28, authorization; RFC 8414, section 3.3; RFC 9207):
 * - `issuer` in the metadata is, character for character, the URL in `authorization_servers` that led to it. So the stand-in's `issuer`
 *   is the endpoint's own URL; with the issuer's there, the TypeScript SDK 2 refuses the metadata (1.x doesn't look).
 * - An `iss` in the redirect back is, character for character, that `issuer`; and it must be there if the metadata promised it. The
 *   redirect comes from the real issuer with the real name, and can't be changed by anybody between. So a stand-in can't be told from
 *   an attack where the issuer sends `iss`: SDK 2 ends the login there (1.x doesn't look). The promise of it is left out in any case.
 * - Hence an issuer whose metadata promises `iss` is named itself, without help, but where `clientId` asks for the stand-in in so many
 *   words: then its author has to make the issuer leave `iss` out for that client (Keycloak: Exclude Issuer From Authentication Response).
 * - Tokens are not touched: their `iss` is the real issuer, which is what they are checked against here. MCP clients don't look into
 *   tokens; an OpenID Connect client that checks an ID token against the stand-in would refuse it.
 *
 * Registration requests are not relayed to the issuer. Whom an issuer lets register is often a matter of where the request comes from
 * (Keycloak's trusted hosts), and through a relay all come from here; and it would need the stand-in, with the trouble above.
 */
export interface StandIn {
  readonly provider: Provider | undefined
  readonly clientId: string | undefined
}

/** Undefined where clients need no help with the issuer. */
export function standInOf(mcp: McpSettings | undefined): StandIn | undefined {
  const provider: Provider | undefined = mcp?.provider === undefined ? undefined : providers[mcp.provider]
  const clientId = mcp?.clientId
  const isNeeded = clientId !== undefined || provider?.needsAudience === true || provider?.hidesPkce === true
  return isNeeded ? { provider, clientId } : undefined
}

/** Why clients must be sent to the issuer itself, although the settings ask for a stand-in; undefined where the stand-in works. */
export function hindrance(standIn: StandIn, metadata: IssuerMetadata): string | undefined {
  const { origin } = new URL(metadata.issuer)
  const endpoints = [metadata.authorization_endpoint, metadata.token_endpoint]
  if (endpoints.some((url) => new URL(url).origin !== origin)) return 'its endpoints are of another origin than its own'
  if (sendsIss(metadata) && standIn.clientId === undefined)
    return 'it puts `iss` into its redirects (RFC 9207), which would give the stand-in away'
  return undefined
}

/** Whether the issuer's metadata promises an `iss` in its redirects. */
export function sendsIss(metadata: IssuerMetadata): boolean {
  return metadata['authorization_response_iss_parameter_supported'] === true
}

/**
 * The issuer's metadata with the changes that make the endpoint its stand-in.
 * @param own the endpoint's URL, which is the issuer here
 * @param registrationUrl where clients are given the configured client id
 */
export function adaptedMetadata(
  { provider, clientId }: StandIn,
  metadata: IssuerMetadata,
  { own, registrationUrl, audience }: { readonly own: string; readonly registrationUrl: string; readonly audience: string },
): Readonly<Record<string, unknown>> {
  // Signed metadata would hold the members as they were before the changes, and takes precedence (RFC 8414, section 2.1).
  const { authorization_response_iss_parameter_supported: _, signed_metadata: __, registration_endpoint, ...kept } = metadata
  const adapted: Record<string, unknown> = { ...kept, issuer: own }
  if (provider?.needsAudience === true) adapted['authorization_endpoint'] = withAudience(metadata.authorization_endpoint, audience)
  if (provider?.hidesPkce === true) adapted['code_challenge_methods_supported'] ??= ['S256']
  if (clientId === undefined) {
    if (isOfOrigin(registration_endpoint, metadata.issuer)) adapted['registration_endpoint'] = registration_endpoint
    return adapted
  }
  adapted['registration_endpoint'] = registrationUrl
  // All clients share the configured client id, so none may come with a document of its own as its id.
  delete adapted['client_id_metadata_document_supported']
  const methods = metadata['token_endpoint_auth_methods_supported']
  adapted['token_endpoint_auth_methods_supported'] = [...new Set(['none', ...(Array.isArray(methods) ? methods : [])])]
  return adapted
}

/** The audience that an authorization request should ask for: the endpoint if the issuer's tokens may be for it. */
export function audienceFor(audiences: readonly string[], resource: string): string {
  return audiences.includes(resource) ? resource : (audiences[0] ?? resource)
}

function withAudience(endpoint: string, audience: string): string {
  const url = new URL(endpoint)
  url.searchParams.set('audience', audience)
  return url.href
}

function isOfOrigin(url: unknown, issuer: string): boolean {
  return typeof url === 'string' && URL.canParse(url) && new URL(url).origin === new URL(issuer).origin
}
