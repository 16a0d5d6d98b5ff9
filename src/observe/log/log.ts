import { pino } from 'pino'
import type { RequestRecord } from '../records/records.ts'
import { createRequestMembers, createSink, escapeJson, type TextStream } from '../records/records.ts'
import { textLine } from './text-line.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFormat = 'auto' | 'text' | 'json'
export type LogFields = Readonly<Record<string, unknown>>

/** The process's log. No method throws or waits; fields that are undefined are left out; an Error goes under `err`. */
export interface Log {
  debug(fields: LogFields, msg: string): void
  info(fields: LogFields, msg: string): void
  warn(fields: LogFields, msg: string): void
  error(fields: LogFields, msg: string): void
  /** The request's line, at level info (configuration.md section 6). */
  request(record: RequestRecord): void
  /** Hands what is gathered to the stream; the process calls it when it exits. */
  flush(): void
  /** Lines lost to a full or dead stream. */
  readonly dropped: number
}

/** A log whose settings follow the configuration. */
export interface ProcessLog extends Log {
  configure(settings: LogSettings): void
  /** What its lines are now; `auto` is decided. */
  readonly format: 'text' | 'json'
}

export interface LogSettings {
  readonly level: LogLevel
  /** `auto`: text where the stream is a terminal, JSON lines elsewhere. */
  readonly format: LogFormat
}

export interface LogOptions extends LogSettings {
  readonly stream: TextStream
  /** Colors in text; the caller has looked at NO_COLOR. */
  readonly color: boolean
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/**
 * A log to `stream`, gathered as `createSink` says.
 * Control, bidi and tag characters in values are written as `\uXXXX` in both formats, so a server's words can't act on a terminal.
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
      // Same line as logger.info() makes, at a fraction of its cost.
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

/** The `time` member in ISO 8601; made once a millisecond, as making it costs more than the rest of a line. */
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
