import { createSseParser, decodeText, type JsonFault, type Message, type SseParser, scanBatch, scanMessage } from '../../../mcp/mcp.ts'
import type { HttpSettings } from './settings.ts'

/** Reads the body of a reply as JSON or as events, within bounds. Both kinds of exchange use it. */
export class BodyReader {
  private parser: SseParser | undefined
  private chunks: Buffer[] = []
  private bytes = 0
  retryMs: number | undefined
  /** The id of the last event that had an id which can be sent in a header. */
  lastEventId: string | undefined
  private readonly settings: HttpSettings

  constructor(settings: HttpSettings) {
    this.settings = settings
  }

  /** Why the reply can't be read; undefined where it can. */
  start(type: string): void {
    if (type.startsWith('text/event-stream')) this.parser = createSseParser({ maxEventChars: this.settings.answerBytes })
  }

  get isStream(): boolean {
    return this.parser !== undefined
  }

  /** The messages that a chunk completes. Only a stream has messages before its end. */
  feed(chunk: Buffer): Message[] | string {
    if (this.parser === undefined) {
      this.bytes += chunk.length
      if (this.bytes > this.settings.answerBytes) return `answered with more than ${this.settings.answerBytes} bytes`
      this.chunks.push(chunk)
      return []
    }
    const events = this.parser.feed(chunk)
    if (events === 'too-large') return `sent an event of more than ${this.settings.answerBytes} bytes`
    const messages: Message[] = []
    for (const event of events) {
      if (event.retry !== undefined) this.retryMs = event.retry
      if (event.id !== undefined) this.lastEventId = isFitId(event.id) ? event.id : undefined
      if (event.data === '' || (event.event !== undefined && event.event !== 'message')) continue
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

  /** The messages of a body that is not a stream: one, or a batch. */
  whole(): Message | Message[] | string {
    const [only] = this.chunks
    const text = decodeText(this.chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.chunks))
    if (typeof text !== 'string') return text.text
    const message = scanMessage(text, this.settings.json)
    return message.kind === 'fault' ? this.batch(text, message) : message
  }

  /** The messages of a batch (2025-03-26, basic, Batching), or why there are none. @param fault by which it is no single message */
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

const maxIdChars = 1024
/** Bound of the messages of one batch. */
const maxBatch = 50

/** An empty id resets the last event's id (WHATWG HTML, 9.2.6). */
function isFitId(id: string): boolean {
  return id !== '' && id.length <= maxIdChars && !/[^\P{Cc}\t]/u.test(id)
}

/** The header that resumes a stream; its characters are the UTF-8 bytes of the id. */
export function resumingFrom(id: string): readonly string[] {
  return ['last-event-id', Buffer.from(id, 'utf8').toString('latin1')]
}

/** The value of a header; the first one where it is repeated. */
export function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
