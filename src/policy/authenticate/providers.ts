import type { ProviderName } from './settings.ts'

/**
 * What is known of a vendor's authorization server that matters to MCP clients. Where no documentation says it, the value is `unknown` and
 * nothing is adapted.
 */
export interface Provider {
  readonly title: string
  /** What its issuer URLs look like. */
  readonly issuer: string
  /** Where the issuer's metadata is: RFC 8414 puts the well-known path before the issuer's own, OpenID Connect Discovery after it. */
  readonly discovery: string
  /** How it treats the `resource` parameter (RFC 8707), which MCP clients always send. */
  readonly resource: string
  /** Whether tokens get their audience from a parameter `audience` of the authorization request, which MCP clients don't send. */
  readonly needsAudience: boolean
  /** Whether it supports PKCE with S256 without saying so in its metadata; clients must refuse to go on then (MCP, authorization, PKCE). */
  readonly hidesPkce: boolean
  /** Whether clients can register themselves (RFC 7591). */
  readonly registers: 'yes' | 'if switched on' | 'no'
  readonly registration: string
  /** Whether its redirects to clients carry `iss` (RFC 9207). */
  readonly iss: string
  readonly verified: 'against the product' | 'from its documentation'
  /** The documentation that the row is based on. */
  readonly sources: readonly string[]
}

/** One row for each vendor, based on its own documentation or published source; a quirk without such evidence is left out. */
export const providers = {
  keycloak: {
    title: 'Keycloak',
    issuer: 'https://HOST/realms/REALM',
    discovery: 'after the issuer; newer releases also as RFC 8414 says',
    resource: 'ignored, unless started with the experimental `resource-indicators`: an audience mapper names the endpoint',
    needsAudience: false,
    hidesPkce: false,
    registers: 'if switched on',
    registration: 'within its policies, which let nobody in at first; from pages in a browser since 26.5',
    iss: 'sent since 23; a switch of each client leaves it out',
    verified: 'against the product',
    sources: [
      'Keycloak 26.7.3',
      'Keycloak, Securing applications: Integrating with Model Context Protocol',
      'Keycloak, reports 25419 and 43514 of its users',
    ],
  },
  auth0: {
    title: 'Auth0',
    issuer: 'https://TENANT.auth0.com/',
    discovery: 'after the issuer',
    resource: "honoured once the tenant's Resource Parameter Compatibility Profile is on; `audience` goes before it",
    needsAudience: true,
    hidesPkce: false,
    registers: 'if switched on',
    registration: "open to anybody once the tenant's Dynamic Client Registration is on",
    iss: "sent once the tenant's Include Issuer in Authorization Responses is on",
    verified: 'from its documentation',
    sources: ['Auth0 for AI agents: Resource Parameter Compatibility Profile', 'Auth0, Dynamic application registration'],
  },
  okta: {
    title: 'Okta',
    issuer: 'https://ORG.okta.com/oauth2/SERVER',
    discovery: 'as RFC 8414 says, and after the issuer',
    resource: "unknown; a custom authorization server's tokens carry the audience that it is set up with",
    needsAudience: false,
    hidesPkce: false,
    registers: 'no',
    registration: "it takes an administrator's API token: set `clientId`",
    iss: 'unknown',
    verified: 'from its documentation',
    sources: [
      'Okta, Custom authorization servers API',
      'Okta, Create an authorization server',
      'MCP specification, report 695 of its users',
    ],
  },
  entra: {
    title: 'Microsoft Entra ID',
    issuer: 'https://login.microsoftonline.com/TENANT/v2.0',
    discovery: 'after the issuer',
    resource:
      "refused (AADSTS9010010) where it is not what the scopes are of; reported to work with the endpoint's URL as Application ID URI",
    needsAudience: false,
    hidesPkce: true,
    registers: 'no',
    registration: 'there is no way: set `clientId`',
    iss: 'unknown',
    verified: 'from its documentation',
    sources: ['Microsoft Q&A, 218113: PKCE not announced in metadata', 'Azure DevOps MCP server, reports 1293 and 1511 of its users'],
  },
  descope: {
    title: 'Descope',
    issuer: 'https://api.descope.com/v1/apps/agentic/PROJECT/SERVER',
    discovery: 'after the issuer',
    resource: 'unknown; each MCP server is an issuer of its own',
    needsAudience: false,
    hidesPkce: false,
    registers: 'if switched on',
    registration: "an option of the MCP server's page, as are client ID metadata documents",
    iss: 'unknown',
    verified: 'from its documentation',
    sources: ['Descope, Agentic Identity Hub: Discovery endpoints', 'Descope, Agentic Identity Hub: Client registration methods'],
  },
  authentik: {
    title: 'authentik',
    issuer: 'https://HOST/application/o/SLUG/',
    discovery: 'after the issuer',
    resource: 'unknown; the audience of its tokens is the client id, so name that in `audiences`',
    needsAudience: false,
    hidesPkce: false,
    registers: 'no',
    registration: 'there is no way: set `clientId`',
    iss: 'unknown',
    verified: 'from its documentation',
    sources: ["authentik, source: the provider's metadata and its tokens", 'authentik, request 8751: Dynamic Client Registration'],
  },
} as const satisfies Record<ProviderName, Provider>
