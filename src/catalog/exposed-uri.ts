const appScheme = 'ui://'

/** A scheme begins with a letter (RFC 3986, section 3.1); no server's name holds a dot. */
const digitMark = 's.'

/**
 * A server's URI or URI template as callers see it, with the server's name as a prefix. The scheme `ui:` stays in front, since clients
 * recognise MCP Apps by it.
 */
export function exposedUri(server: string, uri: string): string {
  if (uri.startsWith(appScheme)) return `${appScheme}${server}+${uri.slice(appScheme.length)}`
  return `${server.charCodeAt(0) <= nine ? digitMark : ''}${server}+${uri}`
}

const nine = 0x39

/** The reverse of `exposedUri`; undefined where the URI holds no server's name. */
export function ownUri(exposed: string): { readonly server: string; readonly uri: string } | undefined {
  const scheme = exposed.startsWith(appScheme) ? appScheme : ''
  const plus = exposed.indexOf('+', scheme.length)
  if (plus < 0) return undefined
  const start = scheme === '' && exposed.startsWith(digitMark) ? digitMark.length : scheme.length
  return { server: exposed.slice(start, plus), uri: scheme + exposed.slice(plus + 1) }
}
