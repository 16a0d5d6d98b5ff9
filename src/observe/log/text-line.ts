import { escapeUnsafe } from '../records/records.ts'

const colors = { debug: 90, info: 36, warn: 33, error: 31 } as const

/** Fields of a request that the start of its line already shows. */
const inHead = new Set(['method', 'name', 'outcome', 'httpStatus', 'durationMs', 'reason'])

/**
 * A log record, given as JSON text, as one line for people: local time, level unless info, message, `key=value`. Unsafe characters in
 * values are escaped. A record that isn't JSON is returned unchanged.
 */
export function textLine(json: string, color: boolean): string {
  const record = parse(json)
  if (record === undefined) return json
  const { time, level, msg, ...fields } = record
  const isRequest = msg === 'request'
  const at = new Date(String(time))
  const clock = `${pad(at.getHours(), 2)}:${pad(at.getMinutes(), 2)}:${pad(at.getSeconds(), 2)}.${pad(at.getMilliseconds(), 3)}`
  const parts = [paint(clock, 90, color)]
  if (level !== 'info') parts.push(paint(String(level), colors[level as keyof typeof colors] ?? 0, color))
  parts.push(isRequest ? requestHead(fields, color) : escapeUnsafe(String(msg)))
  for (const [key, value] of Object.entries(fields)) {
    if (!isRequest || !inHead.has(key)) parts.push(`${paint(`${key}=`, 90, color)}${shown(value)}`)
  }
  return `${parts.join(' ')}\n`
}

function requestHead(fields: Readonly<Record<string, unknown>>, color: boolean): string {
  const { method, name, outcome, reason, httpStatus, durationMs } = fields
  const verdict = reason === undefined ? String(outcome) : `${String(outcome)}:${shown(reason)}`
  const parts = [shown(method), ...(name === undefined ? [] : [shown(name)])]
  parts.push(paint(verdict, outcome === 'ok' ? 32 : colors.warn, color), shown(httpStatus), `${shown(durationMs)}ms`)
  return parts.join(' ')
}

/** A value of one field: bare where it reads as one word, else as JSON. */
function shown(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? escapeUnsafe(value) : escapeUnsafe(JSON.stringify(value))
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toFixed(1)
  if (isError(value)) {
    const frame = value.stack?.split('\n').find((line) => /^\s+at /.test(line))
    return shown(`${value.message}${frame === undefined ? '' : ` (${frame.trim()})`}`)
  }
  return escapeUnsafe(JSON.stringify(value) ?? '')
}

function isError(value: unknown): value is { message: string; stack?: string } {
  return typeof value === 'object' && value !== null && 'message' in value && 'stack' in value
}

function parse(json: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(json) as Record<string, unknown>
  } catch {
    return undefined
  }
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}

function paint(text: string, code: number, color: boolean): string {
  return color ? `\u001b[${code}m${text}\u001b[0m` : text
}
