/**
 * One line of a stream, or its end. The `text` of an end says what went wrong; it is undefined where the sender ended the stream itself.
 */
export type JsonLine = { readonly kind: 'line'; readonly value: unknown } | { readonly kind: 'end'; readonly text: string | undefined }

const newline = 0x0a
const decoder = new TextDecoder()

/**
 * Yields the lines of a body, parsed as JSON, and last of all an `end`. Text after the last newline is ignored. Leaving the loop early
 * destroys the body. Never throws.
 * @param maxLineBytes a longer line ends the stream
 * @param textOf says what an error of the body means
 */
export async function* readJsonLines(
  body: AsyncIterable<Uint8Array>,
  maxLineBytes: number,
  textOf: (error: unknown) => string,
): AsyncGenerator<JsonLine, void, undefined> {
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  try {
    for await (const chunk of body) {
      let start = 0
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, start)) {
        const rest = chunk.subarray(start, at)
        start = at + 1
        if (pendingBytes + rest.length > maxLineBytes) return yield tooLong(maxLineBytes)
        const line = parseLine(pendingBytes === 0 ? rest : Buffer.concat([...pending, rest]))
        pending = []
        pendingBytes = 0
        if (line === undefined) continue
        yield line
        if (line.kind === 'end') return
      }
      const rest = chunk.subarray(start)
      pendingBytes += rest.length
      if (pendingBytes > maxLineBytes) return yield tooLong(maxLineBytes)
      if (rest.length > 0) pending.push(rest)
    }
  } catch (error) {
    return yield { kind: 'end', text: textOf(error) }
  }
  yield { kind: 'end', text: undefined }
}

/** Parses a line; undefined for a blank one. The whole line is decoded at once, since a character may be split between two chunks. */
function parseLine(bytes: Uint8Array): JsonLine | undefined {
  const text = decoder.decode(bytes).trim()
  if (text === '') return undefined
  try {
    return { kind: 'line', value: JSON.parse(text) }
  } catch {
    return { kind: 'end', text: 'sent a line that is not JSON' }
  }
}

function tooLong(maxLineBytes: number): JsonLine {
  return { kind: 'end', text: `sent a line of more than ${maxLineBytes} bytes` }
}
