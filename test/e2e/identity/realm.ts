import type { Keycloak } from '../setup/keycloak.ts'

const realmName = 'acme'

/** People of the realm, and the one group that each is in. */
export const people = {
  alice: { password: 'wonderland', group: 'sre' },
  bob: { password: 'the-builder', group: 'accounting' },
} as const
export type Person = keyof typeof people

/** What tokens must carry where an endpoint asks for it; clients get it when they ask. */
export const toolsScope = 'mcp:tools'

/** Where browsers are sent after a login; nobody listens there. */
export const redirectUrl = 'http://127.0.0.1:9/callback'

/** Clients that are there from the start; others register themselves. */
export const clients = {
  /** Gets tokens for a person's password, or for itself. */
  tests: { clientId: 'tests', secret: 'of-the-tests' },
  /** The same, but what it gets is good for 8 s. */
  brief: { clientId: 'brief', secret: 'of-the-brief' },
  /** A program on somebody's desk. */
  desk: { clientId: 'desk' },
  /** One for all programs, which mcplex names to those that would register; Keycloak leaves `iss` out of its redirects. */
  shared: { clientId: 'shared' },
} as const

const tokenSeconds = 300
const briefSeconds = 8
/** Keycloak's own name: all clients get it, whatever scopes they name when they register. */
const basic = 'basic'
const staff = 'staff'
/** Fixed, so that a mapper can be added to a scope without looking it up. */
const scopeIds = { staff: '6a3ad31f-7df6-4b2f-9a29-1c0b6a2d7c11', tools: '0d8f1c52-3f6e-4a7b-8f0e-5e3c2b9a4d77' }
const subject = mapper('subject', 'oidc-sub-mapper', {})
const groups = mapper('groups', 'oidc-group-membership-mapper', { 'claim.name': 'groups', 'full.path': 'false' })

/** A realm as Keycloak exports it. It is for one organisation, whose programs may register themselves as long as they run on this machine. */
export const realm = {
  realm: realmName,
  enabled: true,
  sslRequired: 'none',
  accessTokenLifespan: tokenSeconds,
  groups: Object.values(people).map(({ group }) => ({ name: group })),
  users: Object.entries(people).map(([username, { password, group }]) => ({
    username,
    enabled: true,
    email: `${username}@acme.example`,
    emailVerified: true,
    firstName: username,
    lastName: 'Doe',
    groups: [`/${group}`],
    // What Keycloak gives to everybody who isn't imported.
    realmRoles: [`default-roles-${realmName}`],
    credentials: [{ type: 'password', value: password }],
  })),
  clientScopes: [
    scope({ name: basic, protocolMappers: [subject] }, 'false'),
    scope({ name: staff, id: scopeIds.staff, protocolMappers: [groups] }, 'true'),
    // A client that names it when it registers doesn't get `staff`, and so it has to hold all that this does.
    scope({ name: toolsScope, id: scopeIds.tools, protocolMappers: [groups] }, 'true'),
  ],
  defaultDefaultClientScopes: [basic, staff],
  defaultOptionalClientScopes: [toolsScope],
  clients: [
    confidential(clients.tests, tokenSeconds),
    confidential(clients.brief, briefSeconds),
    open(clients.desk, {}),
    open(clients.shared, { 'exclude.issuer.from.auth.response': 'true' }),
  ],
  components: {
    // Those that Keycloak makes by itself, but for the hosts, of which it trusts none, and web pages.
    'org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy': [
      policy('Trusted Hosts', 'trusted-hosts', {
        // Programs name their own sites, too: Inspector is of github.com.
        'trusted-hosts': ['127.0.0.1', 'localhost', 'github.com'],
        'host-sending-registration-request-must-match': ['true'],
        'client-uris-must-match': ['true'],
      }),
      policy('Consent Required', 'consent-required', {}),
      policy('Full Scope Disabled', 'scope', {}),
      policy('Max Clients Limit', 'max-clients', { 'max-clients': ['200'] }),
      policy('Allowed Client Scopes', 'allowed-client-templates', { 'allow-default-scopes': ['true'] }),
      policy('Allowed Registration Web Origins', 'registration-web-origins', { 'web-origins': ['*'] }),
    ],
  },
}

/** From now on all tokens are for these endpoints too. Keycloak takes no audience from clients: whoever runs it writes them down. */
export async function addAudiences(keycloak: Keycloak, urls: readonly string[]): Promise<void> {
  const mappers = urls.map((url) => mapper(url, 'oidc-audience-mapper', { 'included.custom.audience': url }))
  for (const id of Object.values(scopeIds)) await keycloak.admin('POST', `/client-scopes/${id}/protocol-mappers/add-models`, mappers)
}

function scope(
  of: { readonly name: string; readonly id?: string; readonly protocolMappers: readonly object[] },
  isShown: 'true' | 'false',
) {
  const attributes = { 'include.in.token.scope': isShown, 'display.on.consent.screen': isShown }
  return { ...of, protocol: 'openid-connect', attributes }
}

function mapper(name: string, protocolMapper: string, config: Readonly<Record<string, string>>) {
  return {
    name,
    protocol: 'openid-connect',
    protocolMapper,
    config: { 'access.token.claim': 'true', 'introspection.token.claim': 'true', ...config },
  }
}

function policy(name: string, providerId: string, config: Readonly<Record<string, readonly string[]>>) {
  return { name, providerId, subType: 'anonymous', subComponents: {}, config }
}

function confidential(client: { readonly clientId: string; readonly secret: string }, seconds: number) {
  return {
    ...client,
    standardFlowEnabled: false,
    directAccessGrantsEnabled: true,
    serviceAccountsEnabled: true,
    attributes: { 'access.token.lifespan': String(seconds) },
    defaultClientScopes: [basic, staff],
    optionalClientScopes: [toolsScope],
  }
}

function open(client: { readonly clientId: string }, attributes: Readonly<Record<string, string>>) {
  return {
    ...client,
    publicClient: true,
    redirectUris: [redirectUrl],
    attributes: { 'pkce.code.challenge.method': 'S256', ...attributes },
    defaultClientScopes: [basic, staff],
    // Programs that refresh their tokens ask for offline_access where it is there.
    optionalClientScopes: [toolsScope, 'offline_access'],
  }
}
