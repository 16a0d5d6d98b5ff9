/** One-shot timers by name. None of them keeps the process alive. */
export interface Timers {
  /** Starts a timer, unless one of that name runs. */
  start(name: string, ms: number, run: () => void): void
  isRunning(name: string): boolean
  cancel(name: string): void
  /** Cancels all timers; none can be started afterwards. */
  close(): void
}

export function createTimers(): Timers {
  const running = new Map<string, NodeJS.Timeout>()
  let isClosed = false
  return {
    start(name, ms, run) {
      if (isClosed || running.has(name)) return
      const timer = setTimeout(() => {
        running.delete(name)
        run()
      }, ms)
      running.set(name, timer.unref())
    },
    isRunning: (name) => running.has(name),
    cancel(name) {
      clearTimeout(running.get(name))
      running.delete(name)
    },
    close() {
      isClosed = true
      for (const timer of running.values()) clearTimeout(timer)
      running.clear()
    },
  }
}
