import { Client } from 'undici'
import { formatAddress } from '../../config/config.ts'

/** Asks the proxy at an address for its `/status`, which may have at most `maxBytes`; never rejects. */
export type AskProxy = (address: string, token: string, signal: AbortSignal, maxBytes: number) => Promise<ProxyAnswer>

/** A proxy's answer, not parsed yet. `bytes` is what was received, also of an answer that failed. */
export type ProxyAnswer = (
  | { readonly kind: 'answered'; readonly body: Uint8Array }
  | { readonly kind: 'failed'; readonly text: string }
) & { readonly bytes: number }

const timeoutMs = 2000
/** Each chunk of an answer counts as this many bytes at least: many small ones cost as much as a large one. */
const bytesOfPiece = 512

/** Asks on this port, with a new connection each time, as pods come and go. Redirects are not followed. */
export function proxyAsker(port: number): AskProxy {
  return async (address, token, signal, maxBytes) => {
    const timeout = AbortSignal.timeout(timeoutMs)
    const refusal = new AbortController()
    const limit = AbortSignal.any([signal, timeout, refusal.signal])
    const client = new Client(`http://${formatAddress({ host: address, port })}`, { connect: { timeout: timeoutMs } })
    let bytes = 0
    try {
      const headers = { accept: 'application/json', authorization: `Bearer ${token}` }
      // Informational responses, of which there may be any number, are never sent by a real proxy.
      const onInfo = () => refusal.abort(new Error('answered with more than one reply'))
      const { statusCode, body } = await client.request({ method: 'GET', path: '/status', headers, reset: true, signal: limit, onInfo })
      // A body that is not read to its end may still fail.
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
