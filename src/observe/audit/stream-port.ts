import type { TextStream } from '../records/records.ts'
import { countLines, type Port, type Sent } from './port.ts'

const retryMs = 1000
/** Most characters or bytes that the stream may buffer; at the end of the process no more are written. */
const maxHeldBack = 1024 * 1024

/** Writes records to a stream, such as standard output, one batch at a time. While its reader has stopped, records wait in the outlet. */
export function createStreamPort(name: string, stream: TextStream): Port {
  stream.on('error', () => {})
  const failed = (error: unknown, lines = 0): Sent => ({
    lines,
    failure: { kind: 'failed', text: error instanceof Error ? error.message : String(error) },
  })
  const allOf = (lines: Buffer): Sent => ({ lines: countLines(lines, lines.length), failure: undefined })
  return {
    name,
    retryMs: () => retryMs,
    prepare: async () => ({ kind: 'ready' }),
    takeHead: () => undefined,
    send: (lines) =>
      new Promise((resolve) => {
        try {
          stream.write(lines.toString(), (error) => resolve(error ? failed(error) : allOf(lines)))
        } catch (error) {
          resolve(failed(error))
        }
      }),
    settle: () => true,
    sendNow(lines) {
      if ((stream.writableLength ?? 0) + lines.length > maxHeldBack) return failed('its reader has stopped')
      try {
        stream.write(lines.toString())
        return allOf(lines)
      } catch (error) {
        return failed(error)
      }
    },
    async close() {},
  }
}
