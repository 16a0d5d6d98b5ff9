const appScheme = 'ui://'

/** A server's URI or URI template under the name that callers see. MCP Apps know a resource of theirs by its scheme, which stays. */
export function exposedUri(server: string, uri: string): string {
  return uri.startsWith(appScheme) ? `${appScheme}${server}+${uri.slice(appScheme.length)}` : `${server}+${uri}`
}

/** Undoes exposedUri; undefined where no server's name stands in the URI. */
export function ownUri(exposed: string): { readonly server: string; readonly uri: string } | undefined {
  const scheme = exposed.startsWith(appScheme) ? appScheme : ''
  const plus = exposed.indexOf('+', scheme.length)
  if (plus < 0) return undefined
  return { server: exposed.slice(scheme.length, plus), uri: scheme + exposed.slice(plus + 1) }
}
