/** How a write went: it is done, or to be tried again, soon where the API server was unreachable or busy, later where it refused. */
export type WriteOutcome = 'done' | 'soon' | 'later'

/** A task that makes an object, or the objects of a Gateway, what they should be. It reads what there is when it runs. */
export interface WriteTask {
  /** Names what is written: no two tasks with one key run at a time. */
  readonly key: string
  /** Tasks with a lower rank go first. */
  readonly rank: number
  /** Stands for what should be. A task that failed waits before it is tried again, but not one with the same key and another wish. */
  readonly wish: string
  /** Milliseconds on the queue's clock before which it does not run. Absent: at once. */
  readonly notBeforeMs?: number
  run(signal: AbortSignal): Promise<WriteOutcome>
}

/** Runs a bounded number of tasks at a time, those with the lowest rank first. */
export interface WriteQueue {
  /** Replaces the tasks that wait: those that are not among the given ones are dropped. */
  replace(tasks: readonly WriteTask[]): void
  /** Resolves when no task is running. */
  settled(): Promise<void>
}

export interface QueueOptions {
  readonly concurrency: number
  /** The signal of the present term as leader; undefined where another leads, and no task may begin. */
  readonly term: () => AbortSignal | undefined
  /** Milliseconds, from any origin. */
  readonly now: () => number
  readonly random: () => number
}

const firstDelayMs = 200
const maxDelayMs = { soon: 2000, later: 30_000 } as const

/** An empty queue. */
export function createWriteQueue({ concurrency, term, now, random }: QueueOptions): WriteQueue {
  /** The tasks that wait, sorted by rank; as many as the last `replace` had. */
  let waiting: WriteTask[] = []
  const running = new Set<string>()
  /** By the key of tasks that wait. */
  let failures = new Map<string, { readonly wish: string; readonly count: number; readonly untilMs: number }>()
  let alarm: NodeJS.Timeout | undefined
  let whenSettled: (() => void)[] = []

  function startAt(task: WriteTask): number {
    const failure = failures.get(task.key)
    return Math.max(task.notBeforeMs ?? 0, failure?.wish === task.wish ? failure.untilMs : 0)
  }

  function pump(): void {
    clearTimeout(alarm)
    const signal = term()
    const nowMs = now()
    let nextMs = Number.POSITIVE_INFINITY
    for (let index = 0; signal !== undefined && index < waiting.length && running.size < concurrency; ) {
      const task = waiting[index]
      if (task === undefined) break
      const atMs = startAt(task)
      if (atMs <= nowMs && !running.has(task.key)) {
        waiting.splice(index, 1)
        running.add(task.key)
        void carryOut(task, signal)
      } else {
        if (atMs > nowMs) nextMs = Math.min(nextMs, atMs)
        index++
      }
    }
    if (nextMs < Number.POSITIVE_INFINITY) alarm = setTimeout(pump, nextMs - nowMs).unref()
    if (running.size === 0) for (const resolve of whenSettled.splice(0)) resolve()
  }

  async function carryOut(task: WriteTask, signal: AbortSignal): Promise<void> {
    const outcome = await task.run(signal)
    running.delete(task.key)
    if (outcome === 'done') failures.delete(task.key)
    else {
      const known = failures.get(task.key)
      const count = known?.wish === task.wish ? known.count + 1 : 0
      const delayMs = Math.min(maxDelayMs[outcome], firstDelayMs * 2 ** Math.min(count, 20)) * (0.5 + random() / 2)
      failures.set(task.key, { wish: task.wish, count, untilMs: now() + delayMs })
      // Unless a newer task with this key waits already.
      if (!waiting.some(({ key }) => key === task.key)) insert(task)
    }
    pump()
  }

  function insert(task: WriteTask): void {
    const at = waiting.findIndex(({ rank }) => rank > task.rank)
    waiting.splice(at < 0 ? waiting.length : at, 0, task)
  }

  return {
    replace(tasks) {
      waiting = [...tasks].sort((one, other) => one.rank - other.rank)
      const keys = new Set([...running, ...waiting.map(({ key }) => key)])
      failures = new Map([...failures].filter(([key]) => keys.has(key)))
      pump()
    },
    settled: () =>
      running.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            whenSettled = [...whenSettled, resolve]
          }),
  }
}
