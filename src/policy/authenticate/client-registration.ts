import { readJson } from '../../mcp/mcp.ts'

/** The reply to a registration: the client's data, or an error (RFC 7591, sections 3.2.1 and 3.2.2). */
export interface RegistrationReply {
  readonly status: 201 | 400 | 413
  readonly body: Readonly<Record<string, unknown>>
}

/** Most bytes of a registration request. */
export const maxRegistrationBytes = 64 * 1024
const limits = { depth: 8, tokens: 5000 }
const maxRedirects = 32
const maxUrlChars = 2048
const grants = ['authorization_code', 'refresh_token'] as const
/** Members of a request that are copied to the reply. */
const echoed = ['client_name', 'scope', 'application_type', 'software_id', 'software_version'] as const
/** Schemes that would run code or open files for the person who follows such a link. */
const unsafeSchemes = new Set(['javascript:', 'data:', 'vbscript:', 'blob:', 'file:', 'about:'])
const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Answers a registration with the public client that the configuration names. There is no secret and nothing is stored; the authorization
 * server alone decides which redirect URIs that client may use.
 * @param body JSON text of the request
 */
export function registerClient(body: string, clientId: string): RegistrationReply {
  if (Buffer.byteLength(body) > maxRegistrationBytes)
    return refused('invalid_client_metadata', `a registration has at most ${maxRegistrationBytes} bytes`, 413)
  const read = readJson(body, limits)
  if (read.kind === 'fault') return refused('invalid_client_metadata', `the body is not JSON that can be used: ${read.text}`)
  if (!(read.value instanceof Map)) return refused('invalid_client_metadata', 'the body must be a JSON object')
  const asked: ReadonlyMap<unknown, unknown> = read.value
  const redirects = asked.get('redirect_uris')
  if (!isTexts(redirects) || redirects.length === 0 || redirects.length > maxRedirects)
    return refused('invalid_redirect_uri', `redirect_uris must be a list of 1 to ${maxRedirects} URLs`)
  if (!redirects.every(isRedirect))
    return refused(
      'invalid_redirect_uri',
      'a redirect is an https URL, an http URL of this machine, or of an application, and has no fragment',
    )
  const askedGrants = asked.get('grant_types') ?? ['authorization_code']
  if (!isTexts(askedGrants) || !askedGrants.includes('authorization_code'))
    return refused('invalid_client_metadata', 'grant_types must hold authorization_code: there is no other way to log in here')
  const responses = asked.get('response_types') ?? ['code']
  if (!isTexts(responses) || !responses.includes('code')) return refused('invalid_client_metadata', 'response_types must hold code')
  const kept = echoed.flatMap((name) => (typeof asked.get(name) === 'string' ? [[name, asked.get(name)] as const] : []))
  return {
    status: 201,
    body: {
      client_id: clientId,
      redirect_uris: redirects,
      token_endpoint_auth_method: 'none',
      grant_types: grants.filter((grant) => askedGrants.includes(grant)),
      response_types: ['code'],
      ...Object.fromEntries(kept),
    },
  }
}

function refused(error: string, description: string, status: 400 | 413 = 400): RegistrationReply {
  return { status, body: { error, error_description: description } }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** Whether a text is a redirect URI of RFC 8252, section 7: https, loopback, or a scheme of the application's own. */
function isRedirect(text: string): boolean {
  if (text.length > maxUrlChars || text.includes('#') || !URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  if (protocol === 'http:') return loopbackHosts.has(hostname)
  return !unsafeSchemes.has(protocol)
}
