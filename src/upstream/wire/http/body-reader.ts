import {
  createSseParser,
  decodeText,
  GrowingBytes,
  type Holder,
  type JsonFault,
  type Message,
  release,
  type ServerBuffers,
  type SseParser,
  scanBatch,
  scanMessage,
} from '../../../mcp/mcp.ts'
import type { HttpSettings } from './settings.ts'

/** The exchange that a body belongs to. */
export interface Reading {
  /** Called where too much is held of all servers, and most of it for this body: the body is read no further. */
  giveUp(): void
}

/** The text of a failure after `giveUp`. */
export const givenUpText = 'sends more than can be held for it at the moment, as the memory for answers of all servers is full'

/**
 * Reads the body of a reply as JSON or as events, within bounds; used by both kinds of exchange. The bytes that it holds are counted until
 * `close`.
 */
export class BodyReader implements Holder {
  heldBytes = 0
  private parser: SseParser | undefined
  /** The body, if it is no event stream: one chunk as it came, or several. */
  private body: Buffer | GrowingBytes | undefined
  private lines = 0
  retryMs: number | undefined
  /** The id of the last event that had an id which can be sent in a header. */
  lastEventId: string | undefined
  private readonly settings: HttpSettings
  private readonly buffers: ServerBuffers
  private readonly reading: Reading

  constructor(settings: HttpSettings, buffers: ServerBuffers, reading: Reading) {
    this.settings = settings
    this.buffers = buffers
    this.reading = reading
  }

  /** Why the reply can't be read; undefined where it can. */
  start(type: string): void {
    if (type.startsWith('text/event-stream')) this.parser = createSseParser({ maxEventBytes: this.settings.answerBytes })
  }

  get isStream(): boolean {
    return this.parser !== undefined
  }

  /** The messages that a chunk completes, or what is wrong with it. Only an event stream has messages before its end. */
  feed(chunk: Buffer): Message[] | string {
    if (this.parser === undefined) {
      if (this.heldBytes + chunk.length > this.settings.answerBytes) return `answered with more than ${this.settings.answerBytes} bytes`
      this.keep(chunk)
      this.count(this.heldBytes + chunk.length)
      return []
    }
    const events = this.parser.feed(chunk)
    this.count(this.parser.heldBytes)
    if (events === 'too-large') return `sent an event of more than ${this.settings.answerBytes} bytes`
    const messages: Message[] = []
    for (const event of events) {
      if (event.retry !== undefined) this.retryMs = event.retry
      if (event.id !== undefined) this.lastEventId = isFitId(event.id) ? event.id : undefined
      if (event.data === undefined || event.data === '' || (event.event !== undefined && event.event !== 'message')) continue
      const message = scanMessage(event.data, this.settings.json)
      if (message.kind === 'message') {
        messages.push(message)
        continue
      }
      const batch = this.batch(event.data, message)
      if (typeof batch === 'string') return `sent an event that is not JSON-RPC: ${batch}`
      messages.push(...batch)
    }
    return messages
  }

  /** How many lines of the stream have been read since the last call. */
  takeLines(): number {
    const lines = this.parser?.lines ?? 0
    const more = lines - this.lines
    this.lines = lines
    return more
  }

  /** The message or the batch of a whole body that is no event stream, or what is wrong with it. */
  whole(): Message | Message[] | string {
    const { body } = this
    const bytes = body instanceof GrowingBytes ? body.take() : (body ?? nothing)
    const text = decodeText(bytes)
    if (body instanceof GrowingBytes) release(bytes)
    this.close()
    if (typeof text !== 'string') return text.text
    const message = scanMessage(text, this.settings.json)
    return message.kind === 'fault' ? this.batch(text, message) : message
  }

  /** Frees the bytes that are held. */
  close(): void {
    this.parser?.close()
    if (this.body instanceof GrowingBytes) this.body.clear()
    this.body = undefined
    this.count(0)
  }

  giveUp(): boolean {
    if (this.heldBytes === 0) return false
    this.reading.giveUp()
    this.close()
    return true
  }

  private keep(chunk: Buffer): void {
    const { body } = this
    if (body === undefined) this.body = chunk
    else if (body instanceof GrowingBytes) body.append(chunk)
    else {
      const grown = new GrowingBytes()
      grown.append(body)
      grown.append(chunk)
      this.body = grown
    }
  }

  private count(heldBytes: number): void {
    const more = heldBytes - this.heldBytes
    this.heldBytes = heldBytes
    if (more > 0) this.buffers.take(this, more)
    else if (more < 0) this.buffers.give(this, -more)
  }

  /**
   * The messages of a batch (2025-03-26, basic, Batching), or what is wrong with it.
   * @param fault why the body is no single message
   */
  private batch(text: string, fault: JsonFault): Message[] | string {
    if (fault.fault !== 'not-object') return fault.text
    const { json } = this.settings
    const found = scanBatch(text, json)
    if ('kind' in found) return fault.text
    if (found.length === 0 || found.length > maxBatch) return `a batch of ${found.length} messages`
    const messages: Message[] = []
    for (const { start, end } of found) {
      const message = scanMessage(text.slice(start, end), json)
      if (message.kind === 'fault') return message.text
      messages.push(message)
    }
    return messages
  }
}

const nothing = Buffer.alloc(0)
const maxIdChars = 1024
/** Bound of the messages of one batch. */
const maxBatch = 50

/** An empty id resets the last event's id (WHATWG HTML, 9.2.6). */
function isFitId(id: string): boolean {
  return id !== '' && id.length <= maxIdChars && !/[^\P{Cc}\t]/u.test(id)
}

/** The header with which a stream is resumed after an event, as name and value; the value has the UTF-8 bytes of the id as characters. */
export function resumingFrom(id: string): readonly string[] {
  return ['last-event-id', Buffer.from(id, 'utf8').toString('latin1')]
}

/** The value of a header; the first one where it is repeated. */
export function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
