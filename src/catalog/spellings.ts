import { domainToUnicode } from 'node:url'

/** `.` and `..` as segments, however their slashes are written. */
const dotSegment = /(?:^|[:/]|%2F|%5C)\.\.?(?:[/?]|%2F|%5C|$)/
/** Characters that readers of URIs drop, cut off at the ends, or take for a slash or the end; as they are, or escaped. */
const dropped = /[\0-\x20\x7f\\#]|%(?:[01].|7F)/
/** Escapes of characters that need none (RFC 3986, section 2.3), and of what would be an escape again. */
const needlessEscape = /%(?:2[DE]|3\d|4[1-9A-F]|5[\dAF]|6[1-9A-F]|7[\dAE]|25[\dA-Fa-f]{2})/
/** Escapes are written in capitals (RFC 3986, section 2.1). */
const oddEscape = /%(?![\dA-F]{2})/
const escapedSlash = /%(?:2F|5C)/

interface Parts {
  readonly scheme: string
  /** With its slashes; empty where there is none. */
  readonly authority: string
  readonly path: string
  /** With its question mark. */
  readonly query: string
}

/**
 * What else a server may take a URI for: what the URL standard makes of it, with its escapes read, its host in small letters, in Unicode,
 * without a dot at the end and without a user, a `file:` without a host, and all of these with or without a slash at the end; at most 127.
 * Undefined where it is spelled as no URI has to be: nobody can tell then.
 */
export function otherSpellings(uri: string): readonly string[] | undefined {
  if (!isPlain(uri) || readEscapes(uri) === undefined) return undefined
  const all = new Set([uri, new URL(uri).href])
  for (const other of [withoutLastDot, withUnicodeHost, withPlainHost, readEscapes, composed, withOtherEnd])
    for (const one of [...all]) all.add(other(one) ?? one)
  all.delete(uri)
  return [...all]
}

/** Equal for URIs that are likely to be one and the same to their server. */
export function sameness(uri: string): string {
  const [known = ''] = (URL.canParse(uri) ? new URL(uri).href : uri).split('#', 1)
  const { scheme, authority, path, query } = partsOf(withPlainHost(withUnicodeHost(withoutLastDot(composed(readEscapes(known) ?? known)))))
  const plain = path.replaceAll(/[/\\]+/g, '/').replace(/\/$/, '')
  return `${scheme.toLowerCase()}${authority === '//' ? '' : authority}${plain}${query === '?' ? '' : query}`
}

function isPlain(uri: string): boolean {
  if ([dotSegment, dropped, needlessEscape, oddEscape].some((odd) => odd.test(uri)) || uri.endsWith('?') || !URL.canParse(uri)) return false
  const { path } = partsOf(uri)
  return !path.includes('//') && !escapedSlash.test(path)
}

function partsOf(uri: string): Parts {
  const [, scheme = '', authority = '', path = '', query = ''] = /^([^:/?]*:)?(\/\/[^/?]*)?([^?]*)(.*)$/s.exec(uri) ?? []
  return { scheme, authority, path, query }
}

/** @param change of the host, with its port */
function withHost(uri: string, change: (host: string) => string): string {
  const { scheme, authority, path, query } = partsOf(uri)
  if (authority === '') return uri
  const at = Math.max(2, authority.lastIndexOf('@') + 1)
  return `${scheme}${authority.slice(0, at)}${change(authority.slice(at))}${path}${query}`
}

/** The name of a host may end with a dot, which says that it is whole (RFC 3986, section 3.2.2). */
function withoutLastDot(uri: string): string {
  return withHost(uri, (host) => host.replace(/\.+(?=:\d*$|$)/, ''))
}

/** A name that is written for the DNS, as people write it (RFC 5890, section 2.3.2.1). */
function withUnicodeHost(uri: string): string {
  return withHost(uri, (host) => {
    const [name = '', port = ''] = /xn--/i.test(host) ? host.split(/(?=:\d*$)/) : []
    return name === '' ? host : `${domainToUnicode(name) || name}${port}`
  })
}

/** Without a user, in small letters. Readers of files look at the path alone, whatever host is named. */
function withPlainHost(uri: string): string {
  const { scheme, authority, path, query } = partsOf(uri)
  if (authority === '') return uri
  const isFile = scheme.toLowerCase() === 'file:'
  return `${scheme}//${isFile ? '' : authority.slice(Math.max(2, authority.lastIndexOf('@') + 1)).toLowerCase()}${path}${query}`
}

/** Undefined where they are no UTF-8. */
function readEscapes(uri: string): string | undefined {
  try {
    return decodeURIComponent(uri)
  } catch {
    return undefined
  }
}

/** Letters and their accents as one character each, where there is one. */
function composed(uri: string): string {
  return uri.normalize('NFC')
}

function withOtherEnd(uri: string): string {
  const { scheme, authority, path, query } = partsOf(uri)
  return `${scheme}${authority}${path.endsWith('/') ? path.slice(0, -1) : `${path}/`}${query}`
}
