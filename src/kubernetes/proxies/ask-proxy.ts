import { Client } from 'undici'
import { formatAddress } from '../../config/config.ts'

/** Asks a proxy for its `/status`, which may have so many bytes; never rejects. */
export type AskProxy = (address: string, token: string, signal: AbortSignal, maxBytes: number) => Promise<ProxyAnswer>

/** What came, unread. `bytes` is what was received of it, also in vain. */
export type ProxyAnswer = (
  | { readonly kind: 'answered'; readonly body: Uint8Array }
  | { readonly kind: 'failed'; readonly text: string }
) & { readonly bytes: number }

const timeoutMs = 2000
/** Each piece of an answer counts for so many bytes at least: many small ones are as dear as a large one. */
const bytesOfPiece = 512

/** Asks on that port, on a connection of its own each time: pods come and go. Redirects are not followed. */
export function proxyAsker(port: number): AskProxy {
  return async (address, token, signal, maxBytes) => {
    const timeout = AbortSignal.timeout(timeoutMs)
    const refusal = new AbortController()
    const limit = AbortSignal.any([signal, timeout, refusal.signal])
    const client = new Client(`http://${formatAddress({ host: address, port })}`, { connect: { timeout: timeoutMs } })
    let bytes = 0
    try {
      const headers = { accept: 'application/json', authorization: `Bearer ${token}` }
      // An honest one sends no replies before its reply, of which there may be any number.
      const onInfo = () => refusal.abort(new Error('answered with more than one reply'))
      const { statusCode, body } = await client.request({ method: 'GET', path: '/status', headers, reset: true, signal: limit, onInfo })
      // One that nobody reads any more may still break off.
      body.on('error', () => {})
      if (statusCode !== 200) return { kind: 'failed', text: `answered ${statusCode}`, bytes }
      const chunks: Uint8Array[] = []
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        bytes += Math.max(chunk.length, bytesOfPiece)
        if (bytes > maxBytes) return { kind: 'failed', text: `answered with more than ${maxBytes} bytes`, bytes }
        chunks.push(chunk)
      }
      return { kind: 'answered', body: Buffer.concat(chunks), bytes }
    } catch (error) {
      return { kind: 'failed', text: timeout.aborted ? `no answer within ${timeoutMs} ms` : textOf(error), bytes }
    } finally {
      client.destroy().catch(() => {})
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error)
}
