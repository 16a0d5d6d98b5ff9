/** One server-sent event. `id` and `retry` (milliseconds) are set only where this event's own fields set them. */
export interface SseEvent {
  readonly event?: string
  readonly data: string
  readonly id?: string
  readonly retry?: number
}

const nothing = Buffer.alloc(0)

/** Room in a line for the field's name, and for the byte order mark. */
const fieldNameBytes = 16

export interface SseParser {
  /**
   * Takes the stream's next bytes, which may end anywhere, and returns the events that they complete. 'too-large' means that a line or an
   * event's data is over the bound; nothing more is read then.
   */
  feed(bytes: Uint8Array): SseEvent[] | 'too-large'
}

/**
 * Reads one event stream as the WHATWG HTML standard says (section 9.2, "Server-sent events"); broken UTF-8 becomes U+FFFD.
 * An event that the stream's end cuts off is never given. Work is linear in the bytes, however they are cut.
 * @param options.maxEventChars bounds one line and one event's data, in UTF-16 units; up to three times as many bytes are held.
 */
export function createSseParser(options: { readonly maxEventChars: number }): SseParser {
  const { maxEventChars } = options
  const maxLineBytes = 3 * maxEventChars + fieldNameBytes
  let held = nothing
  let heldBytes = 0
  let isFirstLine = true
  let skipLineFeed = false
  let isTooLarge = false
  let type = ''
  let fields: { id?: string; retry?: number } = {}
  let data: string[] = []
  let dataChars = 0

  function hold(bytes: Buffer): void {
    const needed = heldBytes + bytes.length
    if (needed > held.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * held.length, 256))
      held.copy(grown, 0, 0, heldBytes)
      held = grown
    }
    bytes.copy(held, heldBytes)
    heldBytes = needed
  }

  function takeLine(rest: Buffer): Buffer {
    if (heldBytes === 0) return rest
    hold(rest)
    const line = held.subarray(0, heldBytes)
    held = nothing
    heldBytes = 0
    return line
  }

  function takeEvent(): SseEvent | undefined {
    const event = data.length === 0 ? undefined : { ...(type === '' ? {} : { event: type }), ...fields, data: data.join('\n') }
    type = ''
    fields = {}
    data = []
    dataChars = 0
    return event
  }

  function takeField(line: Buffer): void {
    const colon = line.indexOf(0x3a)
    if (colon === 0) return
    const name = line.toString('utf8', 0, colon === -1 ? line.length : colon)
    const value = colon === -1 ? '' : line.toString('utf8', line[colon + 1] === 0x20 ? colon + 2 : colon + 1)
    if (name === 'data') {
      dataChars += data.length === 0 ? value.length : value.length + 1
      data.push(value)
    } else if (name === 'event') type = value
    else if (name === 'id' && !value.includes('\0')) fields.id = value
    else if (name === 'retry' && /^[0-9]+$/.test(value)) fields.retry = Number(value)
  }

  return {
    feed(bytes) {
      if (isTooLarge) return 'too-large'
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
        const rest = chunk.subarray(at, lineEnd)
        if (heldBytes + rest.length > maxLineBytes) {
          isTooLarge = true
          return 'too-large'
        }
        if (lineEnd === chunk.length) {
          hold(rest)
          break
        }
        at = lineEnd + 1
        skipLineFeed = lineEnd === carriageReturn
        let line = takeLine(rest)
        if (isFirstLine && line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf) line = line.subarray(3)
        isFirstLine = false
        if (line.length > 0) takeField(line)
        else {
          const event = takeEvent()
          if (event !== undefined) events.push(event)
        }
        if (dataChars > maxEventChars) {
          isTooLarge = true
          return 'too-large'
        }
      }
      return events
    },
  }
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
