import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Buffers, EventStream, Exchange, Holder, Refusal } from '../mcp/mcp.ts'
import { BodyReader, clientGone } from './body-reader.ts'
import type { Connection, OpenExchange } from './connection.ts'
import { encodePieces, pieceChars } from './encode-pieces.ts'
import { HttpEventStream } from './http-event-stream.ts'
import type { EdgeLimits } from './limits.ts'
import type { RequestHead } from './read-head.ts'

/** State that the exchanges of one listener share. */
export interface Edge {
  readonly limits: EdgeLimits
  readonly streams: Set<HttpEventStream>
  readonly clock: () => number
  readonly nextId: () => string
  isDraining: boolean
  /** Each reply closes its connection, so that clients move to another replica. */
  isLettingGo: boolean
  /** Bytes of replies that clients have not read yet. */
  pendingBytes: number
  /** Counts the same, with all else that is held of servers. */
  readonly buffers: Buffers
}

const noBody = new Uint8Array(0)
const nothing: Buffer[] = []

/** An Exchange over node:http. */
export class HttpExchange implements Exchange, Holder, OpenExchange {
  place = -1
  /** Bytes of its reply that is no stream, until the client has taken all of it. */
  heldBytes = 0
  readonly requestId: string
  readonly head: RequestHead
  readonly startedAt: number
  status = 0
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #connection: Connection
  readonly #edge: Edge
  #awaitsContinue: boolean
  #isGone = false
  #replyBytes = 0
  /** The pieces of a large reply that are still to be sent, in reverse order: the next one is the last. */
  #pieces: Buffer[] = nothing
  #fields: string[] = []
  #reader: BodyReader | undefined
  #failure: Refusal | undefined
  #stream: HttpEventStream | undefined
  #goneListeners: (() => void)[] | undefined

  constructor(
    edge: Edge,
    connection: Connection,
    request: IncomingMessage,
    response: ServerResponse,
    head: RequestHead,
    awaitsContinue: boolean,
  ) {
    this.requestId = edge.nextId()
    this.head = head
    this.startedAt = edge.clock()
    this.#edge = edge
    this.#connection = connection
    this.#request = request
    this.#response = response
    this.#awaitsContinue = awaitsContinue
    connection.exchanges.add(this)
    response.on('close', () => this.closed())
  }

  get bytesIn(): number {
    return this.#reader?.bytes ?? 0
  }

  get bytesOut(): number {
    return this.#stream?.bytesOut ?? this.#replyBytes
  }

  get isGone(): boolean {
    return this.#isGone
  }

  get isTooSlow(): boolean {
    return this.#isGone && this.#connection.isTooSlow
  }

  get isUnderWay(): boolean {
    if (this.#isGone) return false
    if (this.#stream !== undefined) return !this.#response.writableFinished
    return this.#response.writableLength > 0 || this.#pieces.length > 0
  }

  onGone(listener: () => void): void {
    if (this.#isGone) listener()
    else if (this.#goneListeners === undefined) this.#goneListeners = [listener]
    else this.#goneListeners.push(listener)
  }

  get isReading(): boolean {
    return this.status === 0 && this.head.bodyBytes !== 0 && !this.#request.complete
  }

  body(): Promise<Uint8Array | Refusal> {
    if (this.#reader !== undefined) return this.#reader.whole
    if (this.#failure !== undefined) return Promise.resolve(this.#failure)
    if (this.head.bodyBytes === 0) return Promise.resolve(noBody)
    if (this.#awaitsContinue) {
      this.#awaitsContinue = false
      this.#response.writeContinue()
    }
    this.#reader = new BodyReader(this.#request, this.head.bodyBytes, this.#edge.limits.bodyBytes)
    return this.#reader.whole
  }

  failBody(refusal: Refusal): void {
    this.#failure = refusal
    this.#reader?.fail(refusal)
  }

  setHeader(name: string, value: string): void {
    const at = this.#fields.indexOf(name)
    if (at === -1) this.#fields.push(name, value)
    else this.#fields[at + 1] = value
  }

  reply(status: number, headers: Readonly<Record<string, string>>, body = ''): void {
    if (this.#isGone) return
    const fields = this.#startFields(headers)
    // Caches don't store the answer to a POST unless it allows it (RFC 9110 section 9.3.3).
    if (this.head.method !== 'POST' && headers['cache-control'] === undefined) fields.push('cache-control', 'no-store')
    const bytes = Buffer.byteLength(body)
    if (status !== 204 && status !== 304) fields.push('content-length', String(bytes))
    this.#replyBytes = bytes
    this.#edge.pendingBytes += bytes
    this.heldBytes = bytes
    this.status = status
    this.#response.writeHead(status, fields)
    if (body.length <= pieceChars) this.#response.end(body, 'utf8')
    else {
      this.#pieces = encodePieces(body).reverse()
      this.#sendPieces()
    }
    if (this.#response.writableLength > 0 || this.#pieces.length > 0)
      this.#connection.boundDelivery(this.#response, this.#edge.limits.idleTimeoutMs)
    this.#edge.buffers.take(this, bytes)
  }

  stream(headers: Readonly<Record<string, string>>): EventStream {
    const stream = new HttpEventStream(this.#response, this.#edge.limits, this.#connection, this.#edge.buffers)
    this.#stream = stream
    if (this.#isGone) {
      stream.closed()
      return stream
    }
    const fields = this.#startFields(headers)
    fields.push('content-type', 'text/event-stream', 'cache-control', 'no-cache, no-transform', 'x-accel-buffering', 'no')
    this.status = 200
    this.#response.writeHead(200, fields)
    this.#edge.streams.add(stream)
    return stream
  }

  closed(): void {
    const connection = this.#connection
    if (!connection.exchanges.remove(this)) return
    this.#edge.pendingBytes -= this.#replyBytes
    this.#pieces = nothing
    this.#give(this.heldBytes)
    if (this.#stream !== undefined) {
      this.#stream.closed()
      this.#edge.streams.delete(this.#stream)
    }
    if (connection.isCut || !this.#response.writableFinished) {
      this.#isGone = true
      this.failBody(clientGone)
      for (const listener of this.#goneListeners ?? []) listener()
    } else if ((this.#edge.isDraining || connection.isRetired) && connection.exchanges.size === 0) connection.socket.destroySoon()
  }

  giveUp(): boolean {
    if (this.heldBytes === 0) return false
    this.#give(this.heldBytes)
    this.#connection.cutSlow()
    return true
  }

  #give(bytes: number): void {
    this.heldBytes -= bytes
    this.#edge.buffers.give(this, bytes)
  }

  /** Sends a large reply piece by piece: that each one goes out shows that a slow client still reads, and frees it. */
  #sendPieces(): void {
    const piece = this.#pieces.pop()
    if (piece === undefined || this.#pieces.length === 0) this.#response.end(piece)
    else
      this.#response.write(piece, (error) => {
        if (error || this.#isGone) return
        this.#give(Math.min(piece.byteLength, this.heldBytes))
        this.#sendPieces()
      })
  }

  #startFields(headers: Readonly<Record<string, string>>): string[] {
    const fields = this.#fields
    for (const name in headers) fields.push(name, headers[name] ?? '')
    const isBodyLeft = this.head.bodyBytes !== 0 && !this.#request.complete
    if (isBodyLeft) this.#connection.unread = this.#request
    // Node discards an unread body of known length, which is within the limits; a chunked one might never end.
    const cannotGoOn = isBodyLeft && (this.head.bodyBytes === undefined || this.#awaitsContinue || this.#failure !== undefined)
    // Closing with this reply would lose the replies to other pipelined requests.
    const isLast = (this.#edge.isLettingGo || this.#connection.isRetired) && this.#connection.exchanges.size === 1
    if (cannotGoOn || isLast || this.#edge.isDraining) {
      fields.push('connection', 'close')
      this.#connection.closeAfter(this.#request)
    }
    return fields
  }
}
