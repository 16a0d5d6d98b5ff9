import { buildConnector, type Dispatcher, Pool } from 'undici'
import type { Identity } from './identity.ts'
import { type JsonLine, readJsonLines } from './json-lines.ts'

export interface ApiRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  /** Such as `/api/v1/namespaces`; already encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Sent as JSON, whatever the type. */
  readonly body?: unknown
  /** `application/json` where absent. */
  readonly contentType?: string
  /** Of the exchange, without the time that the credentials take; 15 s where absent. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** `body` is undefined where it is no JSON; `text` is for people. */
export type ApiReply =
  | { readonly kind: 'reply'; readonly status: number; readonly body: unknown; readonly retryAfterMs: number | undefined }
  | {
      readonly kind: 'unreachable'
      readonly text: string
      /** The answer has more bytes than are read: less is to be asked for. */
      readonly isTooLarge?: true
    }

export interface ApiStreamRequest {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** Silence of this length ends the stream. */
  readonly stallMs: number
}

/** A stream only where the status is 200; leaving the loop over its lines ends it. */
export type ApiStream = ApiReply | { readonly kind: 'stream'; readonly lines: AsyncIterable<JsonLine> }

/** Requests to one API server. Neither method throws or rejects; redirects are not followed; proxies named by the environment are not used. */
export interface ApiClient {
  /** A 401 is tried once more with the credentials as they are then. */
  request(request: ApiRequest): Promise<ApiReply>
  /** A watch: its lines as JSON until it ends; whoever gets them reads them. */
  stream(request: ApiStreamRequest): Promise<ApiStream>
  /** Breaks off all that is under way; nothing can be asked afterwards. */
  close(): Promise<void>
}

/** Connections for requests; more wait. */
const maxRequests = 32
/** Streams open at a time, each on a connection of its own; a further one is refused. */
const maxStreams = 1000
const connectMs = 10_000
const requestMs = 15_000
/** An API server closes a connection that is idle for 90 s. */
const keepAliveMs = 30_000
/** Of a body, from its head: longer than any request should take, for streams that turn out to be refusals. */
const maxReplyMs = 60_000
const maxReplyBytes = 128 * 1024 * 1024
const maxLineBytes = 16 * 1024 * 1024

/** @param identity its `refresh`, where it has one, is called upon a 401 */
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
        // An error between this moment and the first look at the lines is met by the loop over them.
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

/** Rejects where the body breaks off, is too large or takes too long. */
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

/** An error of undici, of the network or of the credentials, in a few words. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (error.message === '' || error.message.includes(code)) return error.message || code || error.name
  return `${error.message} (${code})`
}
