import { createHash } from 'node:crypto'
import { type Config, durationMs, type Server, sizeBytes, targetUrl } from '../config/config.ts'
import { createStreamableHttp } from './connectors/streamable-http.ts'
import { createUpstream } from './create-upstream.ts'
import type { HttpSettings } from './http/settings.ts'
import type { Upstream, UpstreamDeps, UpstreamSettings } from './model.ts'

/** A server of a Config with its secrets' values: what an upstream is made of. Equal digests mean that nothing has to be opened again. */
export interface UpstreamPlan {
  readonly digest: string
  open(deps: UpstreamDeps): Upstream
}

/** @param secret gives a secret key's value; it throws where the value is gone */
export function planUpstream(
  backend: string,
  name: string,
  server: Server,
  limits: Config['limits'],
  agent: string,
  secret: (reference: string) => string,
): UpstreamPlan {
  const target = server.http
  if (target === undefined) throw new Error(`server ${name} is of a kind that is not supported`)
  const { tls } = target
  const credentials = server.credentials === 'none' ? {} : (server.credentials.header ?? {})
  const headers = Object.entries(credentials).flatMap(([header, value]) => [header.toLowerCase(), secret(value)])
  const http: HttpSettings = {
    url: targetUrl(target),
    headers: ['user-agent', agent, ...headers],
    tls:
      tls === undefined
        ? undefined
        : {
            insecure: tls.insecure,
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.cert === undefined ? {} : { cert: tls.cert }),
            ...(tls.key === undefined ? {} : { key: secret(tls.key) }),
            ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }),
          },
    connectMs: durationMs(server.timeouts.connect),
    idleMs: server.timeouts.idle === undefined ? undefined : durationMs(server.timeouts.idle),
    answerBytes: sizeBytes(limits.answer),
    json: { depth: maxAnswerDepth, tokens: maxAnswerTokens },
  }
  const settings: UpstreamSettings = {
    backend,
    name,
    era: server.era,
    requestMs: durationMs(server.timeouts.request),
    listMs: durationMs(server.timeouts.list),
    ttlMs: durationMs(server.ttl),
    pages: limits.pages,
    toolsPerServer: limits.toolsPerServer,
  }
  return {
    digest: createHash('sha256')
      .update(JSON.stringify([http, settings]))
      .digest('hex'),
    open: (deps) => createUpstream(settings, createStreamableHttp(http), deps),
  }
}

/** Answers are bounded by bytes first; these only keep the scan of one finite. */
const maxAnswerDepth = 256
const maxAnswerTokens = 5_000_000
