import { Client } from 'undici'
import { formatAddress } from '../config/config.ts'

/** Asks a proxy for its `/status`; never rejects. */
export type AskProxy = (address: string, token: string, signal: AbortSignal) => Promise<ProxyAnswer>

export type ProxyAnswer =
  | { readonly kind: 'status'; readonly status: unknown; readonly bytes: number }
  | { readonly kind: 'failed'; readonly text: string }

const timeoutMs = 2000
const maxBytes = 4 * 1024 * 1024

/** Asks on that port, on a connection of its own each time: pods come and go. Redirects are not followed. */
export function proxyAsker(port: number): AskProxy {
  return async (address, token, signal) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    const client = new Client(`http://${formatAddress({ host: address, port })}`, { connect: { timeout: timeoutMs } })
    try {
      const headers = { accept: 'application/json', authorization: `Bearer ${token}` }
      const { statusCode, body } = await client.request({ method: 'GET', path: '/status', headers, reset: true, signal: limit })
      // One that nobody reads any more may still break off.
      body.on('error', () => {})
      if (statusCode !== 200) return { kind: 'failed', text: `answered ${statusCode}` }
      const chunks: Uint8Array[] = []
      let bytes = 0
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        bytes += chunk.length
        if (bytes > maxBytes) return { kind: 'failed', text: `answered with more than ${maxBytes} bytes` }
        chunks.push(chunk)
      }
      return { kind: 'status', status: JSON.parse(Buffer.concat(chunks).toString()), bytes }
    } catch (error) {
      return { kind: 'failed', text: limit.aborted ? `no answer within ${timeoutMs} ms` : textOf(error) }
    } finally {
      client.destroy().catch(() => {})
    }
  }
}

function textOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'answered with something that is no JSON'
  return error instanceof Error ? error.message || error.name : String(error)
}
