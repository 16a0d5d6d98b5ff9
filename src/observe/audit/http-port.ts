import { buildConnector, Pool } from 'undici'
import { countLines, type Failure, type Port } from './port.ts'

const firstRetryMs = 1000
const maxRetryMs = 30_000
/** Time limit of one batch, from connecting to the end of the answer. */
const answerMs = 5000
/** Most bytes of an answer's body, which is discarded. */
const maxAnswerBytes = 64 * 1024
const keepAliveMs = 4000

/**
 * Sends records to a URL as POSTs of JSON lines; a status of 2xx confirms them. Redirects are not followed. A batch without a clear answer
 * is sent again, so it may arrive twice.
 */
export function createHttpPort({ url, headers }: { readonly url: string; readonly headers: Readonly<Record<string, string>> }): Port {
  const { origin, pathname, search } = new URL(url)
  const name = `${origin}${pathname}`
  const pool = new Pool(origin, {
    connections: 1,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: buildConnector({ timeout: answerMs, allowH2: false }),
  })

  async function post(lines: Buffer): Promise<Failure | undefined> {
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(new Error(`no answer within ${answerMs} ms`)), answerMs)
    timer.unref()
    try {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: `${pathname}${search}`,
        headers: { ...headers, 'content-type': 'application/x-ndjson' },
        body: lines,
        signal: limit.signal,
      })
      await body.dump({ limit: maxAnswerBytes, signal: limit.signal })
      return statusCode >= 200 && statusCode < 300 ? undefined : { kind: 'failed', text: `it answered ${statusCode}` }
    } catch (error) {
      return { kind: 'failed', text: textOf(error) }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Whether the connection was used before: the other side may have closed it while it was idle. */
  let isUsed = false

  return {
    name,
    retryMs: (failures) => Math.min(maxRetryMs, firstRetryMs * 2 ** (failures - 1)),
    prepare: async () => ({ kind: 'ready' }),
    takeHead: () => undefined,
    async send(lines) {
      let failure = await post(lines)
      if (failure !== undefined && isUsed) failure = await post(lines)
      isUsed = failure === undefined
      return failure === undefined ? { lines: countLines(lines, lines.length), failure } : { lines: 0, failure }
    },
    settle: () => false,
    sendNow: () => ({ lines: 0, failure: { kind: 'failed', text: 'it can only be waited for' } }),
    close: () => pool.destroy(),
  }
}

/** An error of undici or of the network in a few words that quote nothing of what was sent. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return error.message.includes(code) ? error.message || error.name : `${error.message} (${code})`
}
