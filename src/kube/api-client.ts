import { buildConnector, type Dispatcher, Pool } from 'undici'
import type { Identity } from './identity.ts'
import { type JsonLine, readJsonLines } from './json-lines.ts'

export interface ApiRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  /** The path, such as `/api/v1/namespaces`, with its segments encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** The body, which is sent as JSON also where `contentType` is another type. */
  readonly body?: unknown
  /** The content type; `application/json` where absent. */
  readonly contentType?: string
  /** Time limit of the request and its reply, without the time that fetching credentials takes; 15 s where absent. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** A reply, or why there is none. `body` is the parsed JSON, undefined where it is no JSON; `text` is for people. */
export type ApiReply =
  | { readonly kind: 'reply'; readonly status: number; readonly body: unknown; readonly retryAfterMs: number | undefined }
  | {
      readonly kind: 'unreachable'
      readonly text: string
      /** Whether the reply was too large to be read: the caller has to ask for less. */
      readonly isTooLarge?: true
    }

export interface ApiStreamRequest {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** How long the server may send nothing, in ms; then the stream ends. */
  readonly stallMs: number
}

/** What a request for a stream comes to. It is a stream only where the status is 200; leaving the loop over its lines ends it. */
export type ApiStream = ApiReply | { readonly kind: 'stream'; readonly lines: AsyncIterable<JsonLine> }

/** Requests to one API server. Neither method throws or rejects; redirects are not followed; proxies named by the environment are not used. */
export interface ApiClient {
  /** Sends a request and resolves with the reply. After a 401 the credentials are refreshed, and the request is sent once more. */
  request(request: ApiRequest): Promise<ApiReply>
  /** Opens a watch, whose lines are parsed as JSON. The caller has to read them until the end, or to leave the loop over them. */
  stream(request: ApiStreamRequest): Promise<ApiStream>
  /** Aborts all requests and streams; nothing can be requested afterwards. */
  close(): Promise<void>
}

/** Bound of the connections for requests; further requests wait for one. */
const maxRequests = 32
/** Bound of the streams that are open at a time, each on a connection of its own; a further one is refused. */
const maxStreams = 1000
const connectMs = 10_000
const requestMs = 15_000
/** How long an idle connection is kept. An API server closes it after 90 s. */
const keepAliveMs = 30_000
/**
 * Time limit of a reply body, from the end of its headers. It is longer than any request takes, and bounds replies to a request for a
 * stream that are no stream.
 */
const maxReplyMs = 60_000
const maxReplyBytes = 128 * 1024 * 1024
const maxLineBytes = 16 * 1024 * 1024

/** @param identity where it has `refresh`, that is called after a 401 */
export function createApiClient(identity: Identity & { refresh?(): void }, options: { readonly userAgent: string }): ApiClient {
  const server = new URL(identity.server)
  const base = server.pathname.replace(/\/+$/, '')
  const poolOf = (connections: number) =>
    new Pool(server.origin, {
      connections,
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: buildConnector({ ...identity.tls, timeout: connectMs, allowH2: false }),
    })
  const requests = poolOf(maxRequests)
  const streams = poolOf(maxStreams)
  let openStreams = 0

  async function send(
    pool: Pool,
    query: Readonly<Record<string, string>>,
    around: Dispatcher.RequestOptions,
  ): Promise<Dispatcher.ResponseData> {
    const search = new URLSearchParams(query).toString()
    const path = `${base}${around.path}${search === '' ? '' : `?${search}`}`
    const once = async () => {
      const headers = { accept: 'application/json', 'user-agent': options.userAgent, ...around.headers, ...(await identity.headers()) }
      return await pool.request({ ...around, path, headers })
    }
    const reply = await once()
    if (reply.statusCode !== 401 || identity.refresh === undefined) return reply
    await replyOf(reply)
    identity.refresh()
    return await once()
  }

  return {
    async request({ method, path, query = {}, body, contentType = 'application/json', timeoutMs = requestMs, signal }) {
      const limit = new AbortController()
      const give = () => limit.abort(new Error('the request was broken off'))
      const timer = setTimeout(() => limit.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs).unref()
      signal?.addEventListener('abort', give, { once: true })
      if (signal?.aborted) give()
      try {
        const content = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': contentType } }
        return await replyOf(await send(requests, query, { method, path, signal: limit.signal, ...content }))
      } catch (error) {
        return { kind: 'unreachable', text: textOf(error), ...(error instanceof TooLarge ? { isTooLarge: true } : {}) }
      } finally {
        clearTimeout(timer)
        signal?.removeEventListener('abort', give)
      }
    },
    async stream({ path, query, signal, stallMs }) {
      if (openStreams >= maxStreams) return { kind: 'unreachable', text: `${maxStreams} streams are open, which is the limit` }
      openStreams++
      let isStream = false
      try {
        const around = { method: 'GET', path, signal, headersTimeout: Math.min(stallMs, requestMs), bodyTimeout: stallMs } as const
        const reply = await send(streams, query, around)
        if (reply.statusCode !== 200) return await replyOf(reply)
        isStream = true
        reply.body.once('close', () => openStreams--)
        // An error of the body before the loop over the lines begins is reported by that loop.
        reply.body.once('error', () => {})
        return { kind: 'stream', lines: readJsonLines(reply.body, maxLineBytes, textOf) }
      } catch (error) {
        return { kind: 'unreachable', text: textOf(error) }
      } finally {
        if (!isStream) openStreams--
      }
    },
    async close() {
      await Promise.all([requests.destroy(), streams.destroy()])
    },
  }
}

class TooLarge extends Error {}

/** Reads the body of a reply; rejects where it breaks off, is too large or takes too long. */
async function replyOf({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<ApiReply> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  const limit = setTimeout(() => body.destroy(new Error('the answer does not end')), maxReplyMs).unref()
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length
      if (bytes > maxReplyBytes) throw new TooLarge(`answered with more than ${maxReplyBytes} bytes`)
      chunks.push(chunk)
    }
  } finally {
    clearTimeout(limit)
  }
  return { kind: 'reply', status: statusCode, body: parse(Buffer.concat(chunks)), retryAfterMs: retryAfterMs(headers['retry-after']) }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

/** Kubernetes gives seconds, never a date. */
function retryAfterMs(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) * 1000 : undefined
}

/** Says in a few words what an error of undici, of the network or of the credentials means. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (error.message === '' || error.message.includes(code)) return error.message || code || error.name
  return `${error.message} (${code})`
}
