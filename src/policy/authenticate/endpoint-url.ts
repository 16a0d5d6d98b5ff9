import type { Head } from '../../mcp/mcp.ts'

/**
 * The origin under which clients know the endpoint: that of the configured resource, else as it was called. `X-Forwarded-Proto` is
 * believed, as what comes of it goes back to nobody but the caller who sent it.
 * @param resource the endpoint's URL as configured
 */
export function publicOrigin(head: Head, resource: string | undefined): string {
  if (resource !== undefined) return new URL(resource).origin
  const forwarded = head.header('x-forwarded-proto')?.split(',')[0]?.trim().toLowerCase()
  // Without a port that goes without saying, as clients and tokens write it.
  return new URL(`${head.tls !== undefined || forwarded === 'https' ? 'https' : 'http'}://${head.host}`).origin
}

/** The URL of the endpoint at a path, without a slash at its end: clients and tokens name it so (RFC 8707, section 2). */
export function endpointUrl(origin: string, path: string): string {
  return `${origin}${trimmed(path)}`
}

/** Where a document about the endpoint at a path is: the well-known path goes before the endpoint's own (RFC 8414 and 9728, section 3.1). */
export function wellKnownUrl(origin: string, wellKnown: string, path: string): string {
  return `${origin}${wellKnown}${trimmed(path)}`
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, '').replace(/[^\w\-.~:/[\]@!$&'()*+,;=%]/g, encodeURIComponent)
}
