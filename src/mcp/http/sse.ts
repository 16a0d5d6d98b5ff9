import { GrowingBytes, release } from '../work/work.ts'

/**
 * One server-sent event. `id` and `retry` (milliseconds) are set only where this event's own fields set them. One without `data` is no event
 * by the standard, but its `id` and `retry` count.
 */
export interface SseEvent {
  readonly event?: string
  readonly data?: string
  readonly id?: string
  readonly retry?: number
}

/** Room in a line for the field's name, and for the byte order mark. */
const fieldNameBytes = 16
/** Of an event's type and id. A longer type is none that anybody knows; a longer id is as good as none. */
const maxWordBytes = 4096

export interface SseParser {
  /**
   * Takes the stream's next bytes, which may end anywhere, and returns the events that they complete. 'too-large' means that a line or an
   * event's data is over the bound; nothing more is read then.
   */
  feed(bytes: Uint8Array): SseEvent[] | 'too-large'
  /** Bytes held of the event that is not complete. */
  readonly heldBytes: number
  /** Lines that have been read, of events and comments alike. */
  readonly lines: number
  /** Lets go of what is held; nothing more is read. */
  close(): void
}

/**
 * Reads one event stream as the WHATWG HTML standard says (section 9.2, "Server-sent events"); broken UTF-8 becomes U+FFFD.
 * An event that the stream's end cuts off is never given. Work is linear in the bytes, however they are cut.
 * @param options.maxEventBytes bounds an event's data, and what is held of one that is not complete
 */
export function createSseParser(options: { readonly maxEventBytes: number }): SseParser {
  const { maxEventBytes } = options
  const maxHeldBytes = maxEventBytes + fieldNameBytes
  /** The line that is not complete. */
  const line = new GrowingBytes()
  /** The data of the event that is not complete, its lines joined. */
  const data = new GrowingBytes()
  /** That data while it is one line in the chunk that is read, from `onlyAt` to `onlyEnd`, and need not be copied. */
  let only: Buffer | undefined
  let onlyAt = 0
  let onlyEnd = 0
  /** It lies in no chunk, but in a line that was held. */
  let isOnlyOwn = false
  let hasData = false
  let isFirstLine = true
  let skipLineFeed = false
  let isClosed = false
  let type = ''
  let fields: { id?: string; retry?: number } = {}
  let lines = 0

  function takeEvent(): SseEvent | undefined {
    const isForNextOpening = fields.id !== undefined || fields.retry !== undefined
    const event = hasData
      ? { ...(type === '' ? {} : { event: type }), ...fields, data: textOfData() }
      : isForNextOpening
        ? fields
        : undefined
    type = ''
    fields = {}
    hasData = false
    only = undefined
    return event
  }

  function textOfData(): string {
    if (only === undefined) {
      const bytes = data.take()
      const text = bytes.toString('utf8')
      release(bytes)
      return text
    }
    const text = only.toString('utf8', onlyAt, onlyEnd)
    if (isOnlyOwn) release(only)
    return text
  }

  function takeData(from: Buffer, start: number, end: number, isOwn: boolean): void {
    if (hasData) {
      keepOnly()
      data.append(newLine)
      data.append(from, start, end)
    } else {
      only = from
      onlyAt = start
      onlyEnd = end
      isOnlyOwn = isOwn
    }
    hasData = true
  }

  function keepOnly(): void {
    if (only === undefined) return
    data.append(only, onlyAt, onlyEnd)
    if (isOnlyOwn) release(only)
    only = undefined
  }

  /** Takes the line `from[start]` to `from[end]`, which is not empty. */
  function takeField(from: Buffer, start: number, end: number, isOwn: boolean): void {
    let nameEnd = start
    while (nameEnd < end && from[nameEnd] !== 0x3a && nameEnd - start <= longestName) nameEnd++
    if (nameEnd === start || nameEnd - start > longestName) return
    const name = fieldName(from, start, nameEnd)
    if (name === undefined) return
    const at = Math.min(end, nameEnd + (from[nameEnd + 1] === 0x20 ? 2 : 1))
    if (name === 'data') return takeData(from, at, end, isOwn)
    const word = end - at > maxWordBytes ? undefined : from.toString('utf8', at, end)
    if (name === 'event') type = word ?? 'unknown'
    else if (name === 'id' && !word?.includes('\0')) fields.id = word ?? ''
    else if (name === 'retry' && word !== undefined && /^[0-9]+$/.test(word)) fields.retry = Number(word)
  }

  /** Takes a line that ends in the chunk, where it is from `start` to `end`; what came of it before is held. */
  function takeLine(chunk: Buffer, start: number, end: number): SseEvent | undefined {
    lines++
    const isHeld = line.length > 0
    if (isHeld) line.append(chunk, start, end)
    const from = isHeld ? line.take() : chunk
    let at = isHeld ? 0 : start
    const to = isHeld ? from.length : end
    if (isFirstLine && from[at] === 0xef && from[at + 1] === 0xbb && from[at + 2] === 0xbf && at + 2 < to) at += 3
    isFirstLine = false
    if (at === to) return takeEvent()
    takeField(from, at, to, isHeld)
    if (isHeld && only !== from) release(from)
    return undefined
  }

  function close(): 'too-large' {
    isClosed = true
    only = undefined
    line.clear()
    data.clear()
    return 'too-large'
  }

  return {
    feed(bytes) {
      if (isClosed) return 'too-large'
      const events: SseEvent[] = []
      const chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      let at = 0
      let lineFeed = -1
      let carriageReturn = -1
      while (at < chunk.length) {
        if (skipLineFeed) {
          skipLineFeed = false
          if (chunk[at] === 0x0a) {
            at++
            continue
          }
        }
        if (lineFeed < at) lineFeed = indexOrEnd(chunk, 0x0a, at)
        if (carriageReturn < at) carriageReturn = indexOrEnd(chunk, 0x0d, at)
        const lineEnd = Math.min(lineFeed, carriageReturn)
        if (line.length + lineEnd - at > maxHeldBytes) return close()
        if (lineEnd === chunk.length) {
          line.append(chunk, at, lineEnd)
          break
        }
        const event = takeLine(chunk, at, lineEnd)
        at = lineEnd + 1
        skipLineFeed = lineEnd === carriageReturn
        if (event !== undefined) events.push(event)
        if ((only === undefined ? data.length : onlyEnd - onlyAt) > maxEventBytes) return close()
      }
      keepOnly()
      return line.length + data.length > maxHeldBytes ? close() : events
    },
    get heldBytes() {
      return line.length + data.length
    },
    get lines() {
      return lines
    },
    close,
  }
}

const newLine = Buffer.from('\n')
const fieldNames = ['data', 'event', 'id', 'retry'].map((name) => ({ name, bytes: Buffer.from(name) }))
const longestName = 'event'.length

/** The field that is named here, of those that mean something. */
function fieldName(from: Buffer, start: number, end: number): string | undefined {
  for (const { name, bytes } of fieldNames) {
    if (bytes.length !== end - start) continue
    let i = 0
    while (i < bytes.length && bytes[i] === from[start + i]) i++
    if (i === bytes.length) return name
  }
  return undefined
}

function indexOrEnd(bytes: Buffer, byte: number, from: number): number {
  const index = bytes.indexOf(byte, from)
  return index === -1 ? bytes.length : index
}

/** Frames one event; data of several lines is kept as it is. `event` is a name without line breaks. */
export function sseEvent(data: string, event?: string): string {
  const name = event === undefined ? '' : `event: ${event}\n`
  return `${name}data: ${onLines(data, 'data: ')}\n\n`
}

/** A comment, which no client takes for an event: it keeps the connection alive. */
export function sseComment(text = ''): string {
  return `: ${onLines(text, ': ')}\n\n`
}

function onLines(text: string, prefix: string): string {
  return text.replaceAll(/\r\n|\n|\r/g, `\n${prefix}`)
}
