import type { Dispatcher } from 'undici'
import { createSseParser } from '../../../mcp/mcp.ts'

const maxWaitMs = 3000
const maxEventBytes = 4096
/** How long the answer is remembered, so that a server that is met again and again is not asked each time. */
const restMs = 60_000

/**
 * Asks whether a server has only the HTTP+SSE transport of 2024-11-05, as clients are told to find out (2025-11-25, transports, Backwards
 * Compatibility): one GET, which such a server answers with a stream whose first event is `endpoint`. The stream is closed at once, and
 * nothing of it is used. Within 60 s the answer stays the same, and nothing is asked. Never rejects.
 * @param headers names and values in turn, with those that authenticate the gateway
 */
export function createOlderTransportProbe(dispatcher: Dispatcher, path: string, headers: readonly string[]): () => Promise<boolean> {
  let asked: { readonly at: number; readonly answer: Promise<boolean> } | undefined
  return () => {
    if (asked === undefined || performance.now() - asked.at > restMs) asked = { at: performance.now(), answer: ask() }
    return asked.answer
  }

  async function ask(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(maxWaitMs)
      const reply = await dispatcher.request({ path, method: 'GET', headers: [...headers], signal })
      const isStream = reply.statusCode === 200 && `${reply.headers['content-type']}`.toLowerCase().startsWith('text/event-stream')
      const parser = createSseParser({ maxEventBytes })
      let bytes = 0
      // Leaving the loop ends the connection.
      for await (const chunk of reply.body) {
        const events = isStream ? parser.feed(Buffer.from(chunk)) : 'no stream'
        bytes += chunk.length
        if (typeof events === 'string' || bytes > maxEventBytes) return false
        const first = events.find(({ data }) => data !== undefined)
        if (first !== undefined) return first.event === 'endpoint'
      }
      return false
    } catch {
      return false
    }
  }
}
