import { isatty } from 'node:tty'
import { exitCode } from './exit-code.ts'
import type { Terminal } from './print.ts'

export interface Signals {
  /** Resolves at the first signal that asks the process to end; the second ends it at once. */
  readonly stopped: Promise<void>
  /** From now on SIGHUP calls `reload`, unless it means that the process's terminal was closed, which still asks the process to end. */
  onReload(reload: () => void): void
}

export interface Surroundings {
  /** Whether standard input, output or error is an open terminal. */
  readonly isAtTerminal?: () => boolean
  /** Default `process.platform`. */
  readonly platform?: string
}

/**
 * Handles the process's signals. SIGHUP asks the process to end until somebody reloads by it, and always on Windows, where it means that
 * the window was closed.
 */
export function watchSignals(
  terminal: Pick<Terminal, 'on' | 'exit'>,
  { isAtTerminal = isAnyTerminal, platform = process.platform }: Surroundings = {},
): Signals {
  const { promise: stopped, resolve } = Promise.withResolvers<void>()
  const hadTerminal = isAtTerminal()
  let reload: (() => void) | undefined
  let count = 0
  const stop = () => {
    count++
    if (count === 2) terminal.exit(exitCode.failed)
    resolve()
  }
  terminal.on('SIGTERM', stop)
  terminal.on('SIGINT', stop)
  terminal.on('SIGHUP', () => {
    const isClosed = platform === 'win32' || (hadTerminal && !isAtTerminal())
    if (reload === undefined || isClosed) stop()
    else reload()
  })
  return {
    stopped,
    onReload(listener) {
      reload = listener
    },
  }
}

function isAnyTerminal(): boolean {
  return [0, 1, 2].some((fd) => isatty(fd))
}
