import { createSseParser, decodeText, type JsonFault, type Message, type SseParser, scanBatch, scanMessage } from '../../../mcp/mcp.ts'
import type { HttpSettings } from './settings.ts'

/** What both kinds of exchange share: reading a body as JSON or as events, within the bounds. */
export class BodyReader {
  private parser: SseParser | undefined
  private chunks: Buffer[] = []
  private bytes = 0
  retryMs: number | undefined
  /** Of the last event that had one which a header can carry. */
  lastEventId: string | undefined
  private readonly settings: HttpSettings

  constructor(settings: HttpSettings) {
    this.settings = settings
  }

  /** Why the reply can't be read, or undefined. */
  start(type: string): void {
    if (type.startsWith('text/event-stream')) this.parser = createSseParser({ maxEventChars: this.settings.answerBytes })
  }

  get isStream(): boolean {
    return this.parser !== undefined
  }

  /** The messages that the chunk completes; only streams give any before the end. */
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

  /** The body that is not a stream, whole: one message, or a batch. */
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
/** Messages of one batch. */
const maxBatch = 50

/** An empty id takes back the one before (WHATWG HTML, 9.2.6). */
function isFitId(id: string): boolean {
  return id !== '' && id.length <= maxIdChars && !/[^\P{Cc}\t]/u.test(id)
}

/** The header by which a stream is taken up again, its characters as UTF-8 bytes. */
export function resumingFrom(id: string): readonly string[] {
  return ['last-event-id', Buffer.from(id, 'utf8').toString('latin1')]
}

/** A header's value; of a repeated one the first. */
export function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
