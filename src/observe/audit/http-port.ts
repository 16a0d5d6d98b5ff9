import { buildConnector, Pool } from 'undici'
import { countLines, type Failure, type Port } from './port.ts'

const firstRetryMs = 1000
const maxRetryMs = 30_000
/** Of one batch, from the connection to the end of the answer. */
const answerMs = 5000
/** Of an answer's body, which nobody reads. */
const maxAnswerBytes = 64 * 1024
const keepAliveMs = 4000

/**
 * A URL that takes POSTs of JSON lines and says 2xx when it has them. Redirects are not followed.
 * Without a clear answer a batch is sent again, so it may arrive twice.
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

  /** Whether an idle connection may have been closed by the other side as it was used. */
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

/** An error of undici or of the network in a few words; neither holds what was sent. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return error.message.includes(code) ? error.message || error.name : `${error.message} (${code})`
}
