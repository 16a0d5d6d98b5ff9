import type { IncomingMessage } from 'node:http'
import { type Refusal, refuse } from '../mcp/mcp.ts'
import { bodyTooLarge } from './read-head.ts'

/**
 * Collects the body of one request, at most `limitBytes`. A body that arrives in one piece is not copied. `length` is the request's
 * Content-Length, never 0; undefined for a chunked body.
 */
export class BodyReader {
  /** Resolves with the whole body, or with the first thing that went wrong. */
  readonly whole: Promise<Uint8Array | Refusal>
  bytes = 0
  readonly #request: IncomingMessage
  readonly #limitBytes: number
  readonly #length: number | undefined
  #settle: ((body: Uint8Array | Refusal) => void) | undefined
  #first: Uint8Array | undefined
  #rest: Uint8Array[] | undefined

  constructor(request: IncomingMessage, length: number | undefined, limitBytes: number) {
    this.#request = request
    this.#limitBytes = limitBytes
    this.#length = length
    this.whole = new Promise((resolve) => {
      this.#settle = resolve
    })
    request.on('data', (chunk: Uint8Array) => this.#take(chunk))
    if (length === undefined) request.on('end', () => this.#end())
  }

  /** Ends the body with a refusal: the client is gone, too slow, or broke the framing. */
  fail(refusal: Refusal): void {
    this.#settle?.(refusal)
    this.#settle = undefined
    this.#first = undefined
    this.#rest = undefined
  }

  #take(chunk: Uint8Array): void {
    if (this.#settle === undefined) return
    this.bytes += chunk.byteLength
    if (this.bytes > this.#limitBytes) {
      this.#request.pause()
      this.fail(bodyTooLarge(this.#limitBytes))
    } else if (this.#first === undefined) this.#first = chunk
    else if (this.#rest === undefined) this.#rest = [this.#first, chunk]
    else this.#rest.push(chunk)
    if (this.bytes === this.#length) this.#end()
  }

  #end(): void {
    const body = this.#rest === undefined ? (this.#first ?? new Uint8Array(0)) : Buffer.concat(this.#rest, this.bytes)
    this.#settle?.(body)
    this.#settle = undefined
    this.#first = undefined
    this.#rest = undefined
  }
}

export const clientGone: Refusal = refuse('cancelled', 'The client closed the connection')
