import { type Config, durationMs, type HttpTarget, parseAddress, type Server, sizeBytes, targetUrl } from '../../config/config.ts'
import type { ServerBuffers } from '../../mcp/mcp.ts'
import type { Connector } from './connector.ts'
import { createEndpoints, type EndpointsOptions } from './endpoints.ts'
import type { HttpSettings } from './http/settings.ts'
import { createStreamableHttp } from './http/streamable-http.ts'

/** What a connector is made of: a server of the document, and what holds for all servers. */
export interface ConnectorContext {
  readonly server: Server
  readonly limits: Config['limits']
  readonly userAgent: string
  /** Gives a secret key's value; throws where it is gone. */
  readonly secret: (reference: string) => string
}

/**
 * A connector that can be opened. `settings` holds everything that it depends on, as plain JSON: if it stays equal, an open connector can
 * be kept.
 */
export interface ConnectorPlan {
  readonly settings: unknown
  /** Where the server is; it stays the same when other settings change. */
  readonly place: string
  /** Addresses behind the host. They may change while the connector is open. */
  readonly endpoints: readonly string[]
  open(deps: Pick<EndpointsOptions, 'now' | 'random'> & { readonly buffers: ServerBuffers }): Connector
}

/** The kinds of connectors: each plans a connector to a server that has its key in the document, and gives undefined for any other. */
const connectors: readonly ((context: ConnectorContext) => ConnectorPlan | undefined)[] = [planHttp]

/** Plans the connector to a server, of the kind that its key in the document asks for. */
export function planConnector(context: ConnectorContext): ConnectorPlan {
  for (const plan of connectors) {
    const planned = plan(context)
    if (planned !== undefined) return planned
  }
  throw new Error('a server of a kind that is not supported: parseConfig lets none through')
}

function planHttp(context: ConnectorContext): ConnectorPlan | undefined {
  const target = context.server.http
  if (target === undefined) return undefined
  const settings = httpSettings(target, context)
  return {
    settings,
    place: settings.url,
    endpoints: target.endpoints ?? [],
    open({ now, random, buffers }) {
      const connect: EndpointsOptions['connect'] = (endpoint) =>
        createStreamableHttp(settings, buffers, endpoint === undefined ? undefined : parseAddress(endpoint))
      return createEndpoints({ connect, now, random })
    },
  }
}

/** Bounds of one answer's JSON. The bound of its bytes is usually reached first. */
const maxAnswerDepth = 1000
const maxAnswerTokens = 1_000_000

function httpSettings(target: HttpTarget, { server, limits, userAgent, secret }: ConnectorContext): HttpSettings {
  const { tls } = target
  const { connect, idle } = server.timeouts
  const credentials = server.credentials === 'none' ? {} : (server.credentials.header ?? {})
  const url = targetUrl(target)
  const { hostname, port, protocol } = new URL(url)
  return {
    url,
    at: `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`,
    headers: ['user-agent', userAgent, ...Object.entries(credentials).flatMap(([name, value]) => [name.toLowerCase(), secret(value)])],
    tls: tls === undefined ? undefined : { ...tls, ...(tls.key === undefined ? {} : { key: secret(tls.key) }) },
    connectMs: durationMs(connect),
    idleMs: idle === undefined ? undefined : durationMs(idle),
    answerBytes: sizeBytes(limits.answer),
    json: { depth: maxAnswerDepth, tokens: maxAnswerTokens },
  }
}
