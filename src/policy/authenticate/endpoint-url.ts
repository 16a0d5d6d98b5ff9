import type { Head } from '../../mcp/mcp.ts'

/**
 * The origin under which clients know the endpoint: that of the configured resource, else that of the request. `X-Forwarded-Proto` can be
 * believed here, since the result is sent only to the caller who sent the header.
 * @param resource the endpoint's URL as configured
 */
export function publicOrigin(head: Head, resource: string | undefined): string {
  if (resource !== undefined) return new URL(resource).origin
  const forwarded = head.header('x-forwarded-proto')?.split(',')[0]?.trim().toLowerCase()
  // Without the default port, as clients and tokens write it.
  return new URL(`${head.tls !== undefined || forwarded === 'https' ? 'https' : 'http'}://${head.host}`).origin
}

/** The URL of the endpoint at a path, without a slash at its end, as clients and tokens name it (RFC 8707, section 2). */
export function endpointUrl(origin: string, path: string): string {
  return `${origin}${trimmed(path)}`
}

/**
 * The URL of a document about the endpoint at a path: the well-known path stands before the endpoint's own (RFC 8414 and 9728, section
 * 3.1).
 */
export function wellKnownUrl(origin: string, wellKnown: string, path: string): string {
  return `${origin}${wellKnown}${trimmed(path)}`
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, '').replace(/[^\w\-.~:/[\]@!$&'()*+,;=%]/g, encodeURIComponent)
}
