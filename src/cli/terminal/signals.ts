import { isatty } from 'node:tty'
import { exitCode } from './exit-code.ts'
import type { Terminal } from './print.ts'

export interface Signals {
  /** Resolves at the first signal that asks the process to end; the second ends it at once. */
  readonly stopped: Promise<void>
  /** From now on SIGHUP calls this, but where it says that the process's terminal was closed: that is still a signal to end. */
  onReload(reload: () => void): void
}

export interface Surroundings {
  /** Whether a terminal is behind standard input, output or error; one that was closed is none any more. */
  readonly isAtTerminal?: () => boolean
  /** As `process.platform`. */
  readonly platform?: string
}

/** Takes the process's signals. SIGHUP asks to end as long as nobody reloads, and on Windows, where it says that the window was closed. */
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
