import { refuse } from '../../mcp/mcp.ts'
import type { HeadVerdict, ListenerPolicy } from '../seam.ts'
import { hostName } from './host-name.ts'
import type { OriginSettings } from './settings.ts'

const noHeaders: HeadVerdict = { kind: 'pass', headers: {} }

/** Paths of the documents that clients, web pages among them, read on their way to a token (RFC 9728, RFC 8414). */
const publicPath = /^\/\.well-known\/(?:oauth-(?:protected-resource|authorization-server|client-registration)|openid-configuration)(?:\/|$)/

/**
 * Refuses requests for host names, and of web pages' origins, that the listener does not know. So a web page can't reach a local gateway
 * under another name (DNS rebinding; 2026-07-28, streamable HTTP, Security). Known origins get CORS headers.
 */
export function createOriginPolicy(settings: OriginSettings): ListenerPolicy {
  const hosts = settings.hosts === undefined || settings.hosts.includes('*') ? undefined : new Set(settings.hosts)
  const suffixes = (settings.hosts ?? []).filter((host) => host.startsWith('*.')).map((host) => host.slice(1))
  const isHostKnown = (host: string, name: string) =>
    hosts === undefined ||
    hosts.has(name) ||
    hosts.has(host) ||
    suffixes.some((suffix) => name.endsWith(suffix) && name.length > suffix.length)
  const origins = new Set(settings.origins.filter((origin) => !origin.endsWith(':*')))
  const anyPort = settings.origins.filter((origin) => origin.endsWith(':*')).map((origin) => origin.slice(0, -2))
  const isOriginKnown = (origin: string) =>
    origins.has(origin) ||
    anyPort.some((known) => origin === known || (origin.startsWith(`${known}:`) && /^\d{1,5}$/.test(origin.slice(known.length + 1))))
  return {
    name: 'origin',
    admit(head) {
      if (!isHostKnown(head.host, hostName(head.host)))
        return refuse('host', `Host ${JSON.stringify(head.host)} is not a name of this listener: add it to its \`hosts\``)
      // These documents are public: they set their CORS headers themselves.
      if (publicPath.test(head.path)) return noHeaders
      const origin = head.header('origin')
      if (origin === undefined) return noHeaders
      if (!isOriginKnown(origin))
        return refuse('origin', `Origin ${JSON.stringify(origin)} is not allowed here: add it to the listener's \`origins\``)
      const headers: Record<string, string> = {
        'access-control-allow-origin': origin,
        'access-control-expose-headers': 'Mcp-Session-Id, WWW-Authenticate',
        vary: 'Origin',
      }
      if (head.method === 'OPTIONS') {
        headers['access-control-allow-methods'] = 'GET, POST, DELETE, OPTIONS'
        headers['access-control-max-age'] = '600'
        const asked = head.header('access-control-request-headers')
        if (asked !== undefined && /^[\w-]+(\s*,\s*[\w-]+)*$/.test(asked)) headers['access-control-allow-headers'] = asked
      }
      return { kind: 'pass', headers }
    },
  }
}
