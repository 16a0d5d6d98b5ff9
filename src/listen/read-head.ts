import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { type Head, type Refusal, refuse, type TlsPeer } from '../mcp/mcp.ts'
import type { EdgeLimits } from './limits.ts'

/** The head of a request that every HTTP parser reads the same way. */
export class RequestHead implements Head {
  readonly kind = 'head'
  readonly method: string
  readonly path: string
  readonly query: string
  readonly host: string
  readonly listener: string
  readonly remote: string
  readonly tls: TlsPeer | undefined
  /** Length of the body; 0 where there is none, undefined where it comes in chunks. */
  readonly bodyBytes: number | undefined
  readonly #headers: IncomingHttpHeaders

  constructor(fields: Omit<Head, 'header'> & { bodyBytes: number | undefined }, headers: IncomingHttpHeaders) {
    this.method = fields.method
    this.path = fields.path
    this.query = fields.query
    this.host = fields.host
    this.listener = fields.listener
    this.remote = fields.remote
    this.tls = fields.tls
    this.bodyBytes = fields.bodyBytes
    this.#headers = headers
  }

  header(name: string): string | undefined {
    const value = this.#headers[name]
    return typeof value === 'string' && !name.includes('_') ? value : undefined
  }
}

/**
 * Checks the head of a request. What two parsers could read differently is refused, never interpreted (RFC 9112 sections 3.2, 6.1, 6.3 and
 * 11). Fields with `_` in their name are ignored, since many servers read `X_User` as `X-User`. Repeated fields are joined by commas (RFC
 * 9110 section 5.3); repeating one that may occur only once is refused.
 */
export function readHead(
  request: IncomingMessage,
  listener: string,
  remote: string,
  limits: EdgeLimits,
  tls?: TlsPeer,
): RequestHead | Refusal {
  const fieldCount = request.rawHeaders.length / 2
  if (fieldCount > limits.headerCount) return refuse('headers-too-large', `More than ${limits.headerCount} header fields`)
  if (headBytes(request) > limits.headerBytes)
    return refuse('headers-too-large', `Request line and headers are longer than ${limits.headerBytes} bytes`)
  const headers = request.headers
  const repeated = Object.keys(headers).length === fieldCount ? undefined : repeatedSingleton(request.rawHeaders)
  if (repeated !== undefined) return refuse('bad-request', `Header ${repeated} is repeated`)

  const method = request.method ?? ''
  const coding = headers['transfer-encoding']
  const bodyBytes = coding === undefined ? Number(headers['content-length'] ?? 0) : undefined
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') return refuse('not-implemented', 'Transfer-Encoding other than chunked is not supported')
    if (request.httpVersionMinor === 0) return refuse('bad-request', 'HTTP/1.0 has no Transfer-Encoding')
  }
  if (bodyBytes !== 0) {
    if (method !== 'POST' && method !== 'PUT' && method !== 'PATCH') return refuse('bad-request', `${method} with a body`)
    const contentCoding = headers['content-encoding']
    if (contentCoding !== undefined && contentCoding.toLowerCase() !== 'identity')
      return refuse('media-type', 'Content-Encoding is not supported: send the body as it is', {
        headers: { 'accept-encoding': 'identity' },
      })
    if (bodyBytes !== undefined && bodyBytes > limits.bodyBytes) return bodyTooLarge(limits.bodyBytes)
  }
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue')
    return refuse('expectation', 'Expect other than 100-continue is not supported')

  const host = headers.host?.toLowerCase()
  if (host === undefined || !isHost(host)) return refuse('bad-request', 'Host is missing or not a host')
  const target = originForm(request.url ?? '', host)
  if (target === undefined) return refuse('bad-request', 'The request target is not a path of this host')
  const queryAt = target.indexOf('?')
  const path = queryAt === -1 ? target : target.slice(0, queryAt)
  if (!isPlainPath(path)) return refuse('bad-request', 'The path can be read in two ways')
  const query = queryAt === -1 ? '' : target.slice(queryAt + 1)
  return new RequestHead({ method, path, query, host, listener, remote, tls, bodyBytes }, headers)
}

/** Bytes of the request line and the fields as sent, without white space around values. */
function headBytes({ method = '', url = '', rawHeaders }: IncomingMessage): number {
  let bytes = method.length + url.length + 14
  for (const text of rawHeaders) bytes += text.length + 2
  return bytes
}

export function bodyTooLarge(limitBytes: number): Refusal {
  return refuse('body-too-large', `The body is longer than ${limitBytes} bytes`)
}

const singletons: ReadonlySet<string> = new Set([
  'host',
  'authorization',
  'proxy-authorization',
  'content-type',
  'content-length',
  'content-encoding',
  'expect',
  'upgrade',
  'origin',
  'cookie',
  'last-event-id',
])

/** The first repeated field that may occur only once, by its lower-case name. */
function repeatedSingleton(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>()
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    if (seen.has(name) && (singletons.has(name) || name.startsWith('mcp-'))) return name
    seen.add(name)
  }
  return undefined
}

/**
 * Whether a text is a Host of RFC 9110 section 7.2 without user information, percent escapes, an empty port or a zone id, which nobody
 * needs.
 */
function isHost(host: string): boolean {
  return /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/.test(host)
}

/** Path and query of a request target in origin-form, or in absolute-form for this same host (RFC 9112 section 3.2). */
function originForm(target: string, host: string): string | undefined {
  if (/[^\x21-\x7e]|#/.test(target)) return undefined
  if (target.startsWith('/')) return target
  const match = /^https?:\/\/([^/?]*)(.*)$/i.exec(target)
  if (match === null || match[1]?.toLowerCase() !== host) return undefined
  const rest = match[2] ?? ''
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** Whether a path has no NUL, backslash or dot segment, even after a second parser has undone percent escapes. */
function isPlainPath(path: string): boolean {
  if (/^[\w/~-]*$/.test(path)) return true
  return !/\\|%00|%5c|(?:\/|%2f)(?:\.|%2e){1,2}(?:\/|%2f|;|$)/i.test(path)
}
