import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { Head } from '../../mcp/mcp.ts'
import type { Log } from '../../observe/observe.ts'
import { challengeHeader, metadataFor } from './metadata.ts'
import type { AuthenticateSettings, JwtSettings, McpSettings } from './settings.ts'

export type Members = Readonly<Record<string, unknown>>

/** For tests: an authorization server on loopback that logs everybody in. */
export interface FakeIssuer {
  readonly issuer: string
  readonly origin: string
  /** Method and URL of each request, in the order in which they came. */
  readonly seen: readonly string[]
  /** Changes of its metadata; undefined removes a member. */
  metadata: Members
  /** Answers every request itself while it is set. */
  act: ((request: IncomingMessage, response: ServerResponse) => void) | undefined
  /** Whether redirects carry `iss` (RFC 9207), as the metadata promises. */
  sendsIss: boolean
}

/** @param path the issuer's path; its metadata is at the well-known path after it, as OpenID Connect Discovery has it */
export async function openIssuer(t: TestContext, path = '/realms/main'): Promise<FakeIssuer> {
  const seen: string[] = []
  const codes = new Map<string, string>()
  const origin = await serve(t, (request, response, body) => {
    const { pathname, searchParams } = new URL(request.url ?? '', origin)
    seen.push(`${request.method} ${pathname}`)
    if (fake.act !== undefined) return fake.act(request, response)
    switch (pathname) {
      case `${path}/.well-known/openid-configuration`:
        return answer(response, 200, {
          issuer: fake.issuer,
          authorization_endpoint: `${origin}${path}/authorize`,
          token_endpoint: `${origin}${path}/token`,
          registration_endpoint: `${origin}${path}/register`,
          jwks_uri: `${origin}${path}/keys`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
          code_challenge_methods_supported: ['S256'],
          token_endpoint_auth_methods_supported: ['client_secret_basic'],
          authorization_response_iss_parameter_supported: fake.sendsIss ? true : undefined,
          ...fake.metadata,
        })
      case `${path}/authorize`: {
        const code = randomUUID()
        codes.set(code, searchParams.get('code_challenge') ?? '')
        const back = new URL(searchParams.get('redirect_uri') ?? '')
        back.searchParams.set('code', code)
        if (fake.sendsIss) back.searchParams.set('iss', fake.issuer)
        return response.writeHead(302, { location: back.href }).end()
      }
      case `${path}/token`: {
        const form = new URLSearchParams(body)
        const challenge = createHash('sha256')
          .update(form.get('code_verifier') ?? '')
          .digest('base64url')
        const isGood = codes.get(form.get('code') ?? '') === challenge
        if (!isGood) return answer(response, 400, { error: 'invalid_grant' })
        return answer(response, 200, { access_token: `token of ${form.get('client_id')}`, token_type: 'Bearer' })
      }
      case `${path}/register`:
        return answer(response, 201, { ...(JSON.parse(body) as Members), client_id: 'registered' })
      default:
        return answer(response, 404, {})
    }
  })
  const fake: FakeIssuer = { issuer: `${origin}${path}`, origin, seen, metadata: {}, act: undefined, sendsIss: false }
  return fake
}

/** For tests: an MCP endpoint at `/mcp` that refuses every call and serves the metadata of its settings. */
export async function openEndpoint(t: TestContext, settings: AuthenticateSettings, log: Log = createLog().log): Promise<string> {
  const metadata = metadataFor(settings, { now: Date.now, log })
  const path = '/mcp'
  const origin = await serve(t, async (request, response, body) => {
    const url = new URL(request.url ?? '', 'http://endpoint')
    const head = headOf({ method: request.method ?? '', path: url.pathname, host: request.headers.host ?? '' })
    const wellKnown = /^(\/\.well-known\/[\w-]+)(.*)$/.exec(url.pathname)
    if (wellKnown === null) return response.writeHead(401, { 'www-authenticate': challengeHeader(settings, head, {}) }).end()
    const [, wanted = '', rest = ''] = wellKnown
    const reply = rest === path || rest === '' ? await metadata(head, wanted, rest, body) : undefined
    if (reply === undefined) return response.writeHead(404).end()
    return response.writeHead(reply.status, { ...reply.headers }).end(reply.body)
  })
  return `${origin}${path}`
}

export function settingsOf(issuers: readonly (string | Partial<JwtSettings>)[], mcp?: Partial<McpSettings>): AuthenticateSettings {
  const jwt = issuers.map((one) => ({
    issuer: '',
    audiences: ['https://mcp.example.com/mcp'],
    keys: { kind: 'discovery' as const, refreshMs: 300_000, ca: undefined },
    algorithms: ['RS256'],
    scopes: [],
    leewayMs: 30_000,
    ...(typeof one === 'string' ? { issuer: one } : one),
  }))
  const nothing: McpSettings = {
    provider: undefined,
    clientId: undefined,
    resource: undefined,
    scopesSupported: [],
    resourceName: undefined,
    resourceDocumentation: undefined,
  }
  return { mode: 'strict', jwt, apiKeys: [], mtls: false, mcp: mcp === undefined ? undefined : { ...nothing, ...mcp } }
}

export function headOf({ headers = {}, ...rest }: Partial<Head> & { readonly headers?: Readonly<Record<string, string>> } = {}): Head {
  return {
    method: 'GET',
    path: '/mcp',
    query: '',
    host: 'mcp.example.com',
    listener: '',
    remote: '',
    header: (name) => headers[name],
    ...rest,
  }
}

/** A log that keeps its lines. */
export function createLog(): { readonly log: Log; readonly lines: readonly string[] } {
  const lines: string[] = []
  const write = (fields: object, msg: string) => lines.push(`${msg} ${JSON.stringify(fields)}`)
  return { log: { debug: write, info: write, warn: write, error: write, request() {}, flush() {}, dropped: 0 }, lines }
}

async function serve(t: TestContext, act: (request: IncomingMessage, response: ServerResponse, body: string) => unknown): Promise<string> {
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    await act(request, response, body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
