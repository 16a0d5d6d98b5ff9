/** A stream that text is written to: `process.stdout`, `process.stderr`, or a file's stream. */
export interface TextStream {
  write(text: string, done?: (error?: Error | null) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  /** Characters or bytes that it has buffered. */
  readonly writableLength?: number
  readonly isTTY?: boolean
}

/** Buffers lines for a stream. */
export interface Sink {
  write(line: string): void
  /** Writes everything buffered to the stream; call it at exit. */
  flush(): void
  /** How many lines were not written because the stream was full, gone or out of space. */
  readonly dropped: number
}

const batchChars = 4096
const batchMs = 200
/** Most bytes that are buffered for a reader that has stopped. */
const pendingBytes = 1024 * 1024

/**
 * Gathers lines into one write of at least 4096 characters, or of what came within 200 ms. It never throws and never waits: what a full or
 * broken stream can't take is dropped and counted, and writing is tried again with the next batch.
 */
export function createSink(stream: TextStream): Sink {
  let batch = ''
  let lines = 0
  let dropped = 0
  let timer: NodeJS.Timeout | undefined

  stream.on('error', () => {})

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (lines === 0) return
    const count = lines
    const text = batch
    batch = ''
    lines = 0
    if ((stream.writableLength ?? 0) + text.length > pendingBytes) {
      dropped += count
      return
    }
    try {
      stream.write(text, (error) => {
        if (error) dropped += count
      })
    } catch {
      dropped += count
    }
  }

  return {
    write(line) {
      batch += line
      lines++
      if (batch.length >= batchChars) flush()
      else timer ??= setTimeout(flush, batchMs).unref()
    },
    flush,
    get dropped() {
      return dropped
    },
  }
}
