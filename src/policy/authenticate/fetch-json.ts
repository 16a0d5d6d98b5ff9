import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { buildConnector, Client } from 'undici'
import { decodeText, isMetadataHost, readJson } from '../../mcp/mcp.ts'

export interface FetchOptions {
  /** Authorities to trust instead of the system's, as PEM text. */
  readonly ca: string | undefined
  readonly signal?: AbortSignal
  /** The time limit for the whole exchange, including DNS and connecting. */
  readonly timeoutMs: number
  /** The largest body. */
  readonly maxBytes: number
}

/** A JSON document of an identity provider, or why there is none, in words for the log that quote nothing of the body. */
export type FetchedJson =
  | { readonly kind: 'json'; readonly value: unknown; readonly text: string }
  | { readonly kind: 'failed'; readonly why: string }

const limits = { depth: 32, tokens: 100_000 }

/**
 * Fetches a JSON document from an identity provider; never rejects. It follows no redirects, accepts no content codings and no repeated
 * keys, and uses no proxies named by the environment. Link-local hosts and metadata services of clouds are never asked, whatever name
 * stands for them.
 */
export async function fetchJson(url: string, { ca, signal, timeoutMs, maxBytes }: FetchOptions): Promise<FetchedJson> {
  const target = URL.canParse(url) ? new URL(url) : undefined
  if (target === undefined || !/^https?:$/.test(target.protocol)) return failed('it is not a URL with https or http')
  if (isMetadataHost(target.hostname)) return failed(blockedText)
  const limit = new AbortController()
  const give = () => limit.abort()
  const timer = setTimeout(() => limit.abort(late), timeoutMs).unref()
  signal?.addEventListener('abort', give, { once: true })
  if (signal?.aborted) give()
  const client = new Client(target.origin, {
    connect: buildConnector({ timeout: timeoutMs, allowH2: false, lookup: lookupPublic, ...(ca === undefined ? {} : { ca }) }),
  })
  try {
    const headers = { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'mcplex' }
    const path = `${target.pathname}${target.search}`
    // A server may send any number of informational replies (1xx) before its reply.
    const onInfo = () => limit.abort(chatty)
    const reply = await client.request({ method: 'GET', path, headers, reset: true, signal: limit.signal, onInfo })
    // A body that nobody reads any more may still fail.
    reply.body.on('error', () => {})
    if (reply.statusCode >= 300 && reply.statusCode < 400) return failed(`it answered ${reply.statusCode}, and redirects are not followed`)
    if (reply.statusCode !== 200) return failed(`it answered ${reply.statusCode}`)
    const coding = reply.headers['content-encoding']
    if (coding !== undefined && String(coding).toLowerCase() !== 'identity') return failed('its answer is compressed')
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of reply.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length
      if (bytes > maxBytes) return failed(`its answer has more than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
    return parsed(Buffer.concat(chunks))
  } catch (error) {
    if (limit.signal.reason === late) return failed(`no answer within ${timeoutMs} ms`)
    if (limit.signal.reason === chatty) return failed('it answered with more than one reply')
    return limit.signal.aborted ? failed('the request was broken off') : failed(wordsFor(error))
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', give)
    client.destroy().catch(() => {})
  }
}

const late = new Error('late')
const chatty = new Error('more than one reply')
const blockedCode = 'EBLOCKED'
const blockedText = "its host is link-local or a cloud's metadata service"

function failed(why: string): FetchedJson {
  return { kind: 'failed', why }
}

function parsed(bytes: Uint8Array): FetchedJson {
  const text = decodeText(bytes)
  if (typeof text !== 'string') return failed('its answer is not JSON: it is not UTF-8')
  const read = readJson(text, limits)
  if (read.kind === 'fault') return failed(`its answer is not JSON that can be used (${read.fault})`)
  return { kind: 'json', value: plain(read.value), text }
}

/** Turns Maps into plain objects, in which every key is an own one, and bigints into numbers. */
function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]))
  if (Array.isArray(value)) return value.map(plain)
  return typeof value === 'bigint' ? Number(value) : value
}

/** Looks up a host's addresses without those that must not be asked, as a name can stand for any address. */
const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    if (error !== null) return callback(error, '')
    const usable = found.filter(({ address }) => !isMetadataHost(address))
    const [first] = usable
    if (first === undefined) return callback(Object.assign(new Error(blockedText), { code: blockedCode }), '')
    if (options.all === true) callback(null, usable)
    else callback(null, first.address, first.family)
  })
}

/** What went wrong with a connection, by its error code: messages hold names that the other side chose. */
function wordsFor(error: unknown): string {
  if (!(error instanceof Error)) return "it can't be reached"
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  if (code === blockedCode) return blockedText
  return `it can't be reached (${code})`
}
