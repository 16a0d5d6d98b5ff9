import type { Head } from '../../mcp/mcp.ts'
import { adaptedMetadata, audienceFor, hindrance, type StandIn, sendsIss, standInOf } from './authorization-server.ts'
import { registerClient } from './client-registration.ts'
import type { AuthenticateDeps } from './deps.ts'
import { endpointUrl, publicOrigin, wellKnownUrl } from './endpoint-url.ts'
import { createIssuerMetadata, type IssuerMetadata } from './issuer-metadata.ts'
import { providers } from './providers.ts'
import type { AuthenticateSettings, JwtSettings } from './settings.ts'

const resourcePath = '/.well-known/oauth-protected-resource'
const serverPaths = new Set(['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'])
/**
 * Where clients that would register themselves get the configured client id; served where `clientId` is set. It stands beside the other
 * well-known paths, so that one rule of a proxy in front of mcplex lets all of them through.
 */
export const registrationPath = '/.well-known/oauth-client-registration'

/** A finished reply to a request for metadata. */
export interface MetadataReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The error in a challenge (RFC 6750, section 3.1); empty where the request had no credential. */
export interface ChallengeError {
  readonly error?: 'invalid_token' | 'insufficient_scope' | 'invalid_request'
  readonly description?: string
  /** The scopes that are needed; undefined: those that every token must carry. */
  readonly scopes?: readonly string[]
}

/**
 * The value of `WWW-Authenticate` (RFC 6750, section 3; RFC 9728, section 5.1; MCP, authorization). Where only keys or certificates are
 * accepted it has no `resource_metadata`, so that clients don't start a login that can't help.
 */
export function challengeHeader(settings: AuthenticateSettings, head: Head, { error, description, scopes }: ChallengeError): string {
  const [issuer] = settings.jwt
  const needed = (scopes ?? issuer?.scopes ?? []).filter((scope) => scope !== 'offline_access')
  const origin = publicOrigin(head, settings.mcp?.resource)
  const fields: readonly (readonly [string, string | undefined])[] = [
    issuer === undefined ? ['realm', 'mcplex'] : ['resource_metadata', wellKnownUrl(origin, resourcePath, head.path)],
    ['scope', issuer === undefined || needed.length === 0 ? undefined : needed.join(' ')],
    ['error', error],
    // Last, because some clients take the first `scope=` anywhere in the header.
    ['error_description', description],
  ]
  return `Bearer ${fields.flatMap(([name, value]) => (value === undefined ? [] : [`${name}="${spelled(value)}"`])).join(', ')}`
}

/** A value in the characters that RFC 6750 allows unescaped, as some clients don't read escapes. */
function spelled(value: string): string {
  return value
    .replaceAll('"', "'")
    .replaceAll('\\', '/')
    .replace(/[^\x20-\x7e]/g, '?')
}

/**
 * Answers a request for a document about the endpoint at `path`; undefined where there is none.
 * @param wanted the path of the request without the endpoint's own
 * @param body the text of a POST's body
 */
export type Metadata = (head: Head, wanted: string, path: string, body?: string) => MetadataReply | Promise<MetadataReply> | undefined

/**
 * Serves what MCP clients read on their way to a token: the endpoint's metadata (RFC 9728) and its authorization server's (RFC 8414), which
 * clients of 2025-03-26 look for at the endpoint. Any web page may read them: they are public, the same for everybody, and no cookie or
 * credential changes them.
 */
export function metadataFor(settings: AuthenticateSettings, deps: AuthenticateDeps): Metadata {
  const [first] = settings.jwt
  return first === undefined ? () => undefined : createMetadata(settings, first, deps)
}

/** @param issuer the authorization server where clients log in */
function createMetadata(settings: AuthenticateSettings, issuer: JwtSettings, deps: AuthenticateDeps): Metadata {
  const { mcp } = settings
  const standIn = standInOf(mcp)
  const issuerMetadata = createIssuerMetadata(issuer.issuer, issuer.keys.kind === 'inline' ? undefined : issuer.keys.ca, deps)
  const mayStandIn = createVerdict(standIn, deps)
  if (mcp?.provider !== undefined && mcp.clientId === undefined && providers[mcp.provider].registers === 'no')
    deps.log.warn(
      { provider: mcp.provider },
      'clients can’t register themselves there: set `clientId`, or configure each client with an id',
    )

  function resourceDocument(head: Head, path: string): MetadataReply | Promise<MetadataReply> {
    const own = endpointUrl(publicOrigin(head, mcp?.resource), path)
    const leadingTo = (server: string) => json(200, resourceMetadata(settings, mcp?.resource ?? own, server))
    if (standIn === undefined) return leadingTo(issuer.issuer)
    return issuerMetadata().then((known) => leadingTo(mayStandIn(known) ? own : issuer.issuer))
  }

  async function serverDocument(head: Head, path: string): Promise<MetadataReply> {
    const known = await issuerMetadata()
    if (known === undefined) return unavailable
    // Clients of 2025-03-26 use the metadata they find here, whatever its issuer.
    if (standIn === undefined || !mayStandIn(known)) return json(200, known)
    const origin = publicOrigin(head, mcp?.resource)
    const own = endpointUrl(origin, path)
    const registrationUrl = wellKnownUrl(origin, registrationPath, path)
    const audience = audienceFor(issuer.audiences, mcp?.resource ?? own)
    return json(200, adaptedMetadata(standIn, known, { own, registrationUrl, audience }))
  }

  return (head, wanted, path, body) => {
    const clientId = wanted === registrationPath ? mcp?.clientId : undefined
    if (wanted !== resourcePath && !serverPaths.has(wanted) && clientId === undefined) return undefined
    const methods = clientId === undefined ? ['GET', 'HEAD', 'OPTIONS'] : ['POST', 'OPTIONS']
    if (head.method === 'OPTIONS') return preflight(methods)
    if (!methods.includes(head.method)) return { status: 405, headers: { ...anyPage, allow: methods.join(', ') }, body: '' }
    if (clientId !== undefined) {
      const reply = registerClient(body ?? '', clientId)
      return json(reply.status, reply.body, 'no-store')
    }
    return wanted === resourcePath ? resourceDocument(head, path) : serverDocument(head, path)
  }
}

/** Decides whether the stand-in for the issuer can be used, and logs each reason against it once. */
function createVerdict(standIn: StandIn | undefined, { log }: AuthenticateDeps): (metadata: IssuerMetadata | undefined) => boolean {
  let said: string | undefined
  const say = (text: string, issuer: string, why: string) => {
    if (said !== why) log.warn({ issuer, why }, text)
    said = why
  }
  return (metadata) => {
    // The metadata is not known yet; the request for it, which clients make next, fails and says so.
    if (standIn === undefined || metadata === undefined) return standIn !== undefined
    const why = hindrance(standIn, metadata)
    if (why !== undefined) say('clients are sent to the issuer as it is, without help', metadata.issuer, why)
    else if (sendsIss(metadata))
      say(
        'clients that check who sent them back will refuse this login, unless the client named in `clientId` is set up there to be told no `iss`',
        metadata.issuer,
        'it puts `iss` into its redirects (RFC 9207)',
      )
    return why === undefined
  }
}

/**
 * The protected resource metadata (RFC 9728, section 2).
 * @param server where clients log in; tokens of other issuers are accepted too
 */
function resourceMetadata({ jwt, mcp }: AuthenticateSettings, resource: string, server: string) {
  const named = mcp?.scopesSupported ?? []
  const scopes = named.length > 0 ? named : [...new Set(jwt.flatMap((issuer) => issuer.scopes))]
  // `offline_access` is between the client and the authorization server (MCP 2026-07-28, refresh tokens).
  const supported = scopes.filter((scope) => scope !== 'offline_access')
  return {
    resource,
    authorization_servers: [...new Set([server, ...jwt.slice(1).map((other) => other.issuer)])],
    ...(supported.length === 0 ? {} : { scopes_supported: supported }),
    bearer_methods_supported: ['header'],
    ...(mcp?.resourceName === undefined ? {} : { resource_name: mcp.resourceName }),
    ...(mcp?.resourceDocumentation === undefined ? {} : { resource_documentation: mcp.resourceDocumentation }),
  }
}

const anyPage = { 'access-control-allow-origin': '*' }

function json(status: number, value: unknown, cacheControl = 'private, max-age=60'): MetadataReply {
  return { status, headers: { ...anyPage, 'content-type': 'application/json', 'cache-control': cacheControl }, body: JSON.stringify(value) }
}

function preflight(methods: readonly string[]): MetadataReply {
  return {
    status: 204,
    headers: {
      ...anyPage,
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers': 'Accept, Content-Type, MCP-Protocol-Version',
      'access-control-max-age': '600',
    },
    body: '',
  }
}

const unavailable: MetadataReply = {
  ...json(
    503,
    {
      error: 'temporarily_unavailable',
      error_description: 'the authorization server does not answer the gateway; try again in 10 seconds',
    },
    'no-store',
  ),
}
