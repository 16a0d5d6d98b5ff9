import { pino } from 'pino'
import type { RequestRecord } from '../records/records.ts'
import { createRequestMembers, createSink, escapeJson, type TextStream } from '../records/records.ts'
import { textLine } from './text-line.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFormat = 'auto' | 'text' | 'json'
export type LogFields = Readonly<Record<string, unknown>>

/** The log of the process. No method throws or waits. Fields that are undefined are left out; an Error belongs under `err`. */
export interface Log {
  debug(fields: LogFields, msg: string): void
  info(fields: LogFields, msg: string): void
  warn(fields: LogFields, msg: string): void
  error(fields: LogFields, msg: string): void
  /** Writes the line of a request, at level info (docs/operation.md). */
  request(record: RequestRecord): void
  /** Writes buffered lines to the stream; the process calls it when it exits. */
  flush(): void
  /** How many lines were lost because the stream was full or broken. */
  readonly dropped: number
}

/** A log whose settings can be changed with the configuration. */
export interface ProcessLog extends Log {
  configure(settings: LogSettings): void
  /** The format in use, after `auto` was decided. */
  readonly format: 'text' | 'json'
}

export interface LogSettings {
  readonly level: LogLevel
  /** `auto`: text where the stream is a terminal, JSON lines elsewhere. */
  readonly format: LogFormat
}

export interface LogOptions extends LogSettings {
  readonly stream: TextStream
  /** Whether text is colored; the caller has checked NO_COLOR. */
  readonly color: boolean
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/**
 * A log to `stream`, buffered as in `createSink`. In both formats control, bidi and tag characters in values are written as `\uXXXX`, so
 * text from a server can't affect a terminal.
 */
export function createLog({ level, format, stream, color, now = Date.now }: LogOptions): ProcessLog {
  const sink = createSink(stream)
  let asText = false
  let logsRequests = false
  const time = timestamps(now)
  const requestMembers = createRequestMembers()
  const write = (line: string) => sink.write(asText ? textLine(line, color) : escapeJson(line))
  const logger = pino({ level, base: null, timestamp: time, formatters: { level: (label) => ({ level: label }) } }, { write })

  function configure(settings: LogSettings): void {
    asText = settings.format === 'text' || (settings.format === 'auto' && stream.isTTY === true)
    logger.level = settings.level
    logsRequests = logger.isLevelEnabled('info')
  }
  configure({ level, format })

  return {
    debug: (fields, msg) => logger.debug(fields, msg),
    info: (fields, msg) => logger.info(fields, msg),
    warn: (fields, msg) => logger.warn(fields, msg),
    error: (fields, msg) => logger.error(fields, msg),
    request(record) {
      if (!logsRequests) return
      // The line that logger.info() would write, at a fraction of its cost.
      const { text, isPlain } = requestMembers(record)
      const line = `{"level":"info"${time()},${text},"msg":"request"}\n`
      if (isPlain && !asText) sink.write(line)
      else write(line)
    },
    flush: () => sink.flush(),
    configure,
    get format() {
      return asText ? 'text' : 'json'
    },
    get dropped() {
      return sink.dropped
    },
  }
}

/** The `time` member in ISO 8601. It is made once a millisecond, since making it costs more than the rest of a line. */
function timestamps(now: () => number): () => string {
  let last = Number.NaN
  let text = ''
  return () => {
    const at = now()
    if (at !== last) {
      last = at
      text = `,"time":"${new Date(at).toISOString()}"`
    }
    return text
  }
}
