import { headersFor } from '../../era/era.ts'
import { type Message, noCapabilities } from '../../mcp/mcp.ts'
import type { AskingStream, ServerRequests } from '../calls/calls.ts'
import type { Met } from '../server/server.ts'
import type { Connector, Listening } from '../wire/wire.ts'

export interface SharedStreamOptions {
  readonly connector: Connector
  readonly requests: ServerRequests
  readonly onProgress: (message: Message) => void
}

const firstRetryMs = 1000
const maxRetryMs = 30_000

/**
 * Keeps the stream of a session that several clients share open, until the returned function is called. A request of the server on this
 * stream belongs to no call, so it is refused at once. Where the server has no such stream, opening it is given up.
 */
export function openSharedStream(met: Met, session: string, { connector, requests, onProgress }: SharedStreamOptions): () => void {
  const asking: AskingStream = {
    met,
    session,
    capabilities: noCapabilities,
    maxAsks: 0,
    isRolling: false,
    asks: undefined,
    mayAsk: () => false,
    onAsk() {},
    onCount() {},
  }
  let stream: Listening | undefined
  let timer: NodeJS.Timeout | undefined
  let failures = 0
  let isClosed = false

  function open(): void {
    stream = connector.listen({
      method: 'GET',
      headers: headersFor(met.facts.version, session),
      isFollowed: true,
      onMessage(message, method) {
        if (method === 'notifications/progress') onProgress(message)
        else if (method !== undefined) requests.take(asking, message, method)
      },
      onEnd(status, retryMs = 0) {
        if (isClosed || (status >= 400 && status < 500)) return
        timer = setTimeout(open, Math.min(maxRetryMs, Math.max(retryMs, firstRetryMs * 2 ** Math.min(failures++, 5)))).unref()
      },
    })
  }

  open()
  return () => {
    isClosed = true
    clearTimeout(timer)
    stream?.close()
  }
}
