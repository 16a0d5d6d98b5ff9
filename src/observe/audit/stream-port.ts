import type { TextStream } from '../records/records.ts'
import { countLines, type Port, type Sent } from './port.ts'

const retryMs = 1000
/** Of characters or bytes that the stream holds back; at the end of the process no more are added. */
const maxHeldBack = 1024 * 1024

/** A stream, such as standard output. One batch at a time is with it, so a reader that has stopped is waited for elsewhere. */
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
