/** A place for text: `process.stdout`, `process.stderr`, or a file's stream. */
export interface TextStream {
  write(text: string, done?: (error?: Error | null) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  /** Characters or bytes taken but not yet written. */
  readonly writableLength?: number
  readonly isTTY?: boolean
}

/** Lines on their way to a stream. */
export interface Sink {
  write(line: string): void
  /** Hands everything gathered to the stream; call it at exit. */
  flush(): void
  /** Lines that were not written: the stream was full, gone or out of space. */
  readonly dropped: number
}

const batchChars = 4096
const batchMs = 200
/** Bound of what a reader that has stopped may hold back. */
const pendingBytes = 1024 * 1024

/**
 * Gathers lines into one write of at least 4096 characters, or what came within 200 ms.
 * Never throws and never waits: what a full or dead stream can't take is dropped and counted, and writing is tried again with the next batch.
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
