import { createHash } from 'node:crypto'
import { type Config, durationMs, type Server, sizeBytes } from '../config/config.ts'
import { createUpstream } from './create-upstream.ts'
import type { Upstream } from './model.ts'
import type { UpstreamDeps, UpstreamSettings } from './server/server.ts'
import { planConnector } from './wire/wire.ts'

/**
 * What an upstream is made of: a server of a Config, with the values of its secrets. If digests are equal, an open upstream can be kept.
 */
export interface UpstreamPlan {
  readonly digest: string
  /** Addresses behind the host. They are not part of the digest, since an open upstream can take others. */
  readonly endpoints: readonly string[]
  open(deps: UpstreamDeps): Upstream
}

/** @param secret gives a secret key's value; it throws where the value is gone */
export function planUpstream(
  backend: string,
  name: string,
  server: Server,
  limits: Config['limits'],
  userAgent: string,
  secret: (reference: string) => string,
): UpstreamPlan {
  const connector = planConnector({ server, limits, userAgent, secret })
  const settings: UpstreamSettings = {
    backend,
    name,
    identity: sha256(connector.place).slice(0, 8),
    era: server.era,
    requestMs: durationMs(server.timeouts.request),
    listMs: durationMs(server.timeouts.list),
    ttlMs: durationMs(server.ttl),
    // A server that is reached by TLS mostly belongs to others, who may count requests.
    checkMs: connector.place.startsWith('https:') ? 30_000 : 3000,
    pages: limits.pages,
    entriesPerList: limits.toolsPerServer,
    listChars: sizeBytes(limits.answer),
  }
  return {
    digest: sha256(JSON.stringify([connector.settings, settings])),
    endpoints: connector.endpoints,
    open(deps) {
      const opened = connector.open(deps)
      opened.setEndpoints?.(connector.endpoints)
      return createUpstream(settings, opened, deps)
    },
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
