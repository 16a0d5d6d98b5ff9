/** Severities of RFC 5424, least first, as MCP's log messages have them. */
export const logLevels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const

export type LogLevel = (typeof logLevels)[number]

export function isLogLevel(word: string | undefined): word is LogLevel {
  return word !== undefined && (logLevels as readonly string[]).includes(word)
}

/** Whether a message of this level is for a client that asked for `wanted` or worse. */
export function isAtLeast(level: string | undefined, wanted: LogLevel): boolean {
  return isLogLevel(level) && logLevels.indexOf(level) >= logLevels.indexOf(wanted)
}
