import { isRecord } from '../../mcp/mcp.ts'
import { fetchJson } from './fetch-json.ts'

export interface DiscoverOptions {
  /** Authorities to trust instead of the system's, as PEM text. */
  readonly ca: string | undefined
  readonly signal?: AbortSignal
  /** The time limit for each document. */
  readonly timeoutMs: number
  /** The URL where the metadata was found last time, which is tried first. */
  readonly first?: string | undefined
}

export type Discovered =
  | { readonly kind: 'found'; readonly url: string; readonly metadata: Readonly<Record<string, unknown>> }
  | { readonly kind: 'failed'; readonly why: string }

const maxBytes = 256 * 1024

/** Where an issuer may publish its metadata, in the order of the MCP authorization specification (RFC 8414, section 3.1; OpenID Connect Discovery). */
export function discoveryUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/+$/, '')
  const urls = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ]
  return [...new Set(urls)]
}

/** Finds the issuer's metadata: the first document whose `issuer` equals this one, character for character. Never rejects. */
export async function discover(issuer: string, { ca, signal, timeoutMs, first }: DiscoverOptions): Promise<Discovered> {
  if (!URL.canParse(issuer)) return { kind: 'failed', why: 'its name is no URL' }
  const urls = discoveryUrls(issuer)
  const faults: string[] = []
  for (const url of first === undefined ? urls : [first, ...urls.filter((one) => one !== first)]) {
    const fetched = await fetchJson(url, { ca, timeoutMs, maxBytes, ...(signal === undefined ? {} : { signal }) })
    if (fetched.kind === 'failed') {
      faults.push(`${url}: ${fetched.why}`)
      continue
    }
    const { value } = fetched
    if (isRecord(value) && value['issuer'] === issuer) return { kind: 'found', url, metadata: value }
    faults.push(`${url}: its \`issuer\` is another`)
  }
  return { kind: 'failed', why: faults.join('; ') }
}

/** The `jwks_uri` of an issuer's metadata, or why it can't be used. */
export function keysUrl(issuer: string, metadata: Readonly<Record<string, unknown>>): { readonly url: string } | { readonly why: string } {
  const text = metadata['jwks_uri']
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) return { why: 'its metadata has no `jwks_uri`' }
  const isAsSafe = url.protocol === 'https:' || (url.protocol === 'http:' && issuer.startsWith('http:'))
  if (!isAsSafe) return { why: 'its `jwks_uri` is not https' }
  if (url.username !== '' || url.password !== '') return { why: 'its `jwks_uri` holds a user name or password' }
  return { url: url.href }
}
