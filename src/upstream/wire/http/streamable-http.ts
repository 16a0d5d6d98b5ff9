import { checkServerIdentity } from 'node:tls'
import { buildConnector, Pool } from 'undici'
import { type Address, formatAddress } from '../../../config/config.ts'
import { Roster, type ServerBuffers } from '../../../mcp/mcp.ts'
import type { Connector, Reply } from '../connector.ts'
import { resumingFrom } from './body-reader.ts'
import { CallLane } from './call-lane.ts'
import { ListenExchange } from './listen-exchange.ts'
import { createOlderTransportProbe } from './older-transport.ts'
import { PostExchange } from './post-exchange.ts'
import type { HttpSettings } from './settings.ts'

/** Bound of the calls in flight to one server; each has a connection of its own. */
const maxCalls = 256
/** Bound of the connections for requests that clients cause besides calls; further ones wait in a lane as calls do. */
const maxAsides = 32
/** Bound of the connections for all other requests, so that a server whose calls hang can still be checked. */
const maxControls = 32
/** Bound of the streams that serve single clients. */
const maxFollowed = 2000
/** How often time-outs are checked; they may be late by this much. */
const sweepMs = 100

/**
 * Speaks Streamable HTTP to one server over a pool of kept-alive connections. Redirects are not followed, and compressed bodies not
 * accepted.
 * @param buffers counts what is held of the server
 * @param at the address to connect to instead of the URL's host; everything else stays as for the host, including the name in its
 * certificate
 */
export function createStreamableHttp(configured: HttpSettings, buffers: ServerBuffers, at?: Address): Connector {
  const settings = at === undefined ? configured : { ...configured, at: formatAddress(at) }
  const url = new URL(settings.url)
  const { tls } = settings
  const name = tls?.serverName ?? url.hostname.replace(/^\[|\]$/g, '')
  const poolOf = (connections: number) =>
    new Pool(url.origin, {
      connections,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: settings.idleMs ?? 0,
      connect: connectorTo(at, {
        timeout: settings.connectMs,
        allowH2: false,
        ...(at === undefined ? {} : { checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate) }),
        ...(tls === undefined
          ? {}
          : {
              rejectUnauthorized: !tls.insecure,
              ...(tls.ca === undefined ? {} : { ca: tls.ca }),
              ...(tls.cert === undefined ? {} : { cert: tls.cert }),
              ...(tls.key === undefined ? {} : { key: tls.key }),
              ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
            }),
      }),
    })
  const calls = poolOf(maxCalls)
  const asides = poolOf(maxAsides)
  const controls = poolOf(maxControls)
  const followed = poolOf(maxFollowed)
  const lane = new CallLane(maxCalls, (options, exchange) => void calls.dispatch(options, exchange))
  const asideLane = new CallLane(maxAsides, (options, exchange) => void asides.dispatch(options, exchange))
  const path = `${url.pathname}${url.search}`
  const base = ['accept', 'application/json, text/event-stream', 'accept-encoding', 'identity', ...settings.headers]
  const posted = ['content-type', 'application/json', ...base]
  const waiting = new Roster<PostExchange>()
  let sweeper: NodeJS.Timeout | undefined

  const resume = (exchange: PostExchange, headers: readonly string[]) =>
    void calls.dispatch({ path, method: 'GET', headers: base.concat(headers) }, exchange)
  const sweep = () => {
    const now = performance.now()
    for (const one of waiting.all()) if (one.deadline <= now) one.expire(now)
    if (waiting.size === 0) {
      clearInterval(sweeper)
      sweeper = undefined
    }
  }
  const watch = (one: PostExchange) => {
    waiting.add(one)
    if (sweeper === undefined) sweeper = setInterval(sweep, sweepMs).unref()
  }

  return {
    async post(request) {
      if (request.cancellation?.isCancelled) return { kind: 'failed', failure: 'cancelled', text: 'the caller gave up' }
      return new Promise<Reply>((resolve) => {
        const settle = (reply: Reply) => {
          waiting.remove(exchange)
          resolve(reply)
        }
        const exchange = new PostExchange(request, settings, buffers, settle, request.isResumable ? resume : undefined)
        watch(exchange)
        const options = { path, method: 'POST' as const, headers: posted.concat(request.headers), body: request.body }
        const own = request.isCall ? lane : request.cause === undefined ? undefined : asideLane
        if (own === undefined) controls.dispatch(options, exchange)
        else if (!own.add(options, exchange, request.body.length)) exchange.refuse('has too many calls waiting')
      })
    },
    listen(request) {
      const stream = new ListenExchange(request, settings, buffers)
      const { method, body, lastEventId } = request
      const headers = (method === 'POST' ? posted : base).concat(
        request.headers,
        lastEventId === undefined ? [] : resumingFrom(lastEventId),
      )
      const pool = request.isFollowed ? followed : controls
      pool.dispatch({ path, method, headers, ...(body === undefined ? {} : { body }) }, stream)
      return { close: () => stream.close() }
    },
    async delete(headers, cause) {
      await new Promise<void>((resolve) => {
        const ignored = new PostExchange({ headers, body: '', id: undefined, timeoutMs: 2000 }, settings, buffers, () => {
          waiting.remove(ignored)
          resolve()
        })
        watch(ignored)
        const options = { path, method: 'DELETE' as const, headers: base.concat(headers) }
        if (cause === undefined) controls.dispatch(options, ignored)
        else if (!asideLane.add(options, ignored, 0)) ignored.refuse('has too much to do')
      })
    },
    hasOlderTransport: createOlderTransportProbe(controls, path, ['accept', 'text/event-stream', ...base.slice(2)]),
    async close() {
      clearInterval(sweeper)
      await Promise.all([calls.destroy(), asides.destroy(), controls.destroy(), followed.destroy()])
    },
  }
}

function connectorTo(at: Address | undefined, options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = buildConnector(options)
  if (at === undefined) return connect
  return (target, callback) => connect({ ...target, hostname: at.host, port: `${at.port}` }, callback)
}
