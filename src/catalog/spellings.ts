import { domainToUnicode } from 'node:url'

/** `.` and `..` as path segments, with slashes in any spelling. */
const dotSegment = /(?:^|[:/]|%2F|%5C)\.\.?(?:[/?]|%2F|%5C|$)/
/** Characters, also escaped ones, that parsers of URIs drop, trim, or treat as a slash or as the end. */
const dropped = /[\0-\x20\x7f\\#]|%(?:[01].|7F)/
/** Escapes of characters that need none (RFC 3986, section 2.3), and of the percent sign of another escape. */
const needlessEscape = /%(?:2[DE]|3\d|4[1-9A-F]|5[\dAF]|6[1-9A-F]|7[\dAE]|25[\dA-Fa-f]{2})/
/** A percent sign without two digits in capitals behind it, the normal form of an escape (RFC 3986, section 2.1). */
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
 * Other spellings that a server may treat as equal to a URI: normalised by the URL standard, unescaped, with its host in small letters, in
 * Unicode, without a trailing dot and without user information, a `file:` URI without its host, and all of these with or without a trailing
 * slash; at most 127. Undefined where the URI has a spelling that none needs, so that it can't be told how a server reads it.
 */
export function otherSpellings(uri: string): readonly string[] | undefined {
  if (!isPlain(uri) || readEscapes(uri) === undefined) return undefined
  const all = new Set([uri, new URL(uri).href])
  for (const other of [withoutLastDot, withUnicodeHost, withPlainHost, readEscapes, composed, withOtherEnd])
    for (const one of [...all]) all.add(other(one) ?? one)
  all.delete(uri)
  return [...all]
}

/** A key that is equal for URIs which a server probably treats as the same. */
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

/** @param change makes another host of a host; both include the port */
function withHost(uri: string, change: (host: string) => string): string {
  const { scheme, authority, path, query } = partsOf(uri)
  if (authority === '') return uri
  const at = Math.max(2, authority.lastIndexOf('@') + 1)
  return `${scheme}${authority.slice(0, at)}${change(authority.slice(at))}${path}${query}`
}

/** The URI without the trailing dot of its host, which marks a fully qualified name (RFC 3986, section 3.2.2). */
function withoutLastDot(uri: string): string {
  return withHost(uri, (host) => host.replace(/\.+(?=:\d*$|$)/, ''))
}

/** The URI with an internationalised host name in Unicode (RFC 5890, section 2.3.2.1). */
function withUnicodeHost(uri: string): string {
  return withHost(uri, (host) => {
    const [name = '', port = ''] = /xn--/i.test(host) ? host.split(/(?=:\d*$)/) : []
    return name === '' ? host : `${domainToUnicode(name) || name}${port}`
  })
}

/**
 * The URI without user information and with its host in small letters; a `file:` URI without its host, since readers of files use only
 * the path.
 */
function withPlainHost(uri: string): string {
  const { scheme, authority, path, query } = partsOf(uri)
  if (authority === '') return uri
  const isFile = scheme.toLowerCase() === 'file:'
  return `${scheme}//${isFile ? '' : authority.slice(Math.max(2, authority.lastIndexOf('@') + 1)).toLowerCase()}${path}${query}`
}

/** Unescapes a text; undefined where the escapes are no valid UTF-8. */
function readEscapes(uri: string): string | undefined {
  try {
    return decodeURIComponent(uri)
  } catch {
    return undefined
  }
}

/** The text in Unicode's composed form (NFC). */
function composed(uri: string): string {
  return uri.normalize('NFC')
}

function withOtherEnd(uri: string): string {
  const { scheme, authority, path, query } = partsOf(uri)
  return `${scheme}${authority}${path.endsWith('/') ? path.slice(0, -1) : `${path}/`}${query}`
}
