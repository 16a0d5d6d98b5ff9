import { exitCode } from './exit-code.ts'
import type { Terminal } from './print.ts'

/** Resolves at the first signal that asks the process to end; the second ends it. */
export function stopSignal(terminal: Terminal): Promise<void> {
  return new Promise((resolve) => {
    let count = 0
    const stop = () => {
      count++
      if (count === 2) terminal.exit(exitCode.failed)
      resolve()
    }
    terminal.on('SIGTERM', stop)
    terminal.on('SIGINT', stop)
    terminal.on('SIGHUP', stop)
  })
}
