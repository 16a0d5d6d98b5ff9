import type { Head } from '../../mcp/mcp.ts'

/** A well-known path that is ours, and the endpoint's own path that stands behind it (RFC 8615, RFC 9728 section 3.1). */
export interface WellKnown {
  /** Such as `/.well-known/oauth-protected-resource`. */
  readonly wanted: string
  readonly path: string
}

/** Reads `/.well-known/oauth-*` and `/.well-known/openid-configuration`, before and behind which an endpoint's path may stand. */
export function wellKnownPath(path: string): WellKnown | undefined {
  const found = /^(.*?)(\/\.well-known\/(?:oauth-[a-z-]+|openid-configuration))(\/.*)?$/.exec(path)
  if (found === null) return undefined
  const [, before = '', wanted = '', after = ''] = found
  if (before !== '' && after !== '') return undefined
  return { wanted, path: `${before}${after}` || '/' }
}

/** The head of a call of the endpoint at `path` that is otherwise this request. */
export function asPost(head: Head, path: string): Head {
  const { query, host, listener, remote, tls } = head
  return { method: 'POST', path, query, host, listener, remote, tls, header: (name) => head.header(name) }
}
