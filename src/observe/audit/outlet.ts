import type { Log } from '../log/log.ts'
import { type ChainHead, chainStart, linkBytes, type RecordWriter } from './chain.ts'
import type { Failure, Port } from './port.ts'

/**
 * What happens when more records wait than the bound allows: requests are refused until there is room, or the oldest records are dropped.
 */
export type WhenFull = 'refuse' | 'drop'

export interface OutletSettings {
  readonly writer: RecordWriter
  readonly whenFull: WhenFull
}

/** A queue of records for one destination. No method throws or waits. */
export interface Outlet {
  /** The destination's name, for people. */
  readonly name: string
  /** False while the destination fails, or stores records more slowly than they come. */
  readonly isWell: boolean
  /** Why it takes no records, in words for people. */
  readonly fault: string | undefined
  /** Records that were lost. */
  readonly dropped: number
  configure(settings: OutletSettings): void
  /** Queues a record, which has no closing brace; the bytes must not be changed afterwards. */
  push(body: Uint8Array): void
  /** Sends what is queued as far as that can be done synchronously. */
  flush(): void
  /** Resolves when the queue is empty, or after `graceMs`. It doesn't keep the process alive. */
  drained(graceMs: number): Promise<void>
  /** Closes it; records that have not been stored yet are lost. */
  close(): Promise<void>
}

interface Pending {
  readonly body: Uint8Array
  /** How many records were lost before this one. */
  lost: number
}

interface Batch {
  readonly lines: Buffer
  /** The chain's head after each of the lines. */
  readonly heads: readonly ChainHead[]
  /** Whether it is known to have been stored. */
  isDone: boolean
}

/** Records are gathered until they have this many bytes, or for this many milliseconds. */
const gatherBytes = 16 * 1024
const gatherMs = 200
/** Most bytes of one batch; a single longer record is a batch of its own. */
const maxBatchBytes = 256 * 1024
/** Bound of the bytes of records that wait. Beyond it the oldest records are dropped, or requests are refused. */
export const pendingBytes = 1024 * 1024
/** Bound of the queue while requests are refused: those in progress still write their records. */
export const maxPendingBytes = 16 * 1024 * 1024

/**
 * Gathers records, links them when they leave, and sends them in order, each until it is stored; a destination that fails may get some
 * twice. A failure is logged once when it begins and once when it ends.
 */
export function createOutlet(
  port: Port,
  settings: OutletSettings,
  { log, onChange }: { readonly log: Log; readonly onChange: () => void },
): Outlet {
  let { writer, whenFull } = settings
  /** Bounded by `maxPendingBytes`. */
  const pending: Pending[] = []
  let bytes = 0
  /** How many records at the front are being sent: these are neither changed nor dropped. */
  let held = 0
  let head = chainStart
  /** Records lost after the last one in the queue. */
  let lostAtEnd = 0
  let dropped = 0
  let droppedWhenWell = 0

  let batch: Batch | undefined
  let isRunning = false
  let failures = 0
  let isFull = false
  let isWell = true
  let fault: string | undefined
  let isClosed = false
  let timer: NodeJS.Timeout | undefined
  /** The functions to call when the queue is empty: one for each owner of this outlet that waits for it. */
  const waiting = new Set<() => void>()

  function judge(failure?: Failure): void {
    if (bytes > pendingBytes) isFull = true
    else if (bytes <= pendingBytes / 2) isFull = false
    const isWellNow = failures === 0 && !isFull
    if (isWellNow) fault = undefined
    else if (failure !== undefined || isWell) fault = failure?.text ?? `more than ${pendingBytes} bytes wait to be taken`
    if (isWellNow === isWell) return
    isWell = isWellNow
    if (isWell) log.warn({ sink: port.name, lost: dropped - droppedWhenWell }, 'audit records are taken again')
    else {
      droppedWhenWell = dropped
      const meanwhile =
        whenFull === 'refuse' ? 'requests are refused until they are' : `the oldest are lost beyond ${pendingBytes} bytes that wait`
      log.error({ sink: port.name, reason: fault }, `audit records are not taken: ${meanwhile}`)
    }
    onChange()
  }

  function makeBatch(): Batch {
    head = port.takeHead() ?? head
    let size = 0
    let count = 0
    for (const { body } of pending) {
      if (count > 0 && size + body.length + linkBytes > maxBatchBytes) break
      size += body.length + linkBytes
      count++
    }
    const lines = Buffer.allocUnsafe(size)
    const heads: ChainHead[] = []
    let at = 0
    let last = head
    for (const { body, lost } of pending.slice(0, count)) {
      const made = writer.append(lines, at, body, lost, last)
      at = made.end
      last = made.head
      heads.push(last)
    }
    held = count
    return { lines: lines.subarray(0, at), heads, isDone: false }
  }

  function take(lines: number, heads: readonly ChainHead[]): void {
    for (const { body } of pending.splice(0, lines)) bytes -= body.length
    held = Math.max(0, held - lines)
    head = heads[lines - 1] ?? head
  }

  /** Sends one batch; returns whether there is more to send at once. */
  async function step(): Promise<boolean> {
    const prepared = await port.prepare()
    if (prepared.kind === 'failed') return fail(prepared)
    if (pending.length > 0) {
      const sending = makeBatch()
      batch = sending
      const { lines, failure } = await port.send(sending.lines)
      batch = undefined
      if (!sending.isDone) {
        take(lines, sending.heads)
        if (failure !== undefined) return fail(failure)
      }
    }
    failures = 0
    judge()
    return bytes >= gatherBytes || (waiting.size > 0 && pending.length > 0)
  }

  function fail(failure: Failure): false {
    failures++
    judge(failure)
    return false
  }

  async function run(): Promise<void> {
    if (isRunning || isClosed) return
    isRunning = true
    clearTimeout(timer)
    timer = undefined
    while (await step());
    isRunning = false
    if (isClosed) return
    if (failures > 0) wait(port.retryMs(failures))
    else if (pending.length > 0) wait(gatherMs)
    else for (const done of waiting) done()
  }

  function wait(ms: number): void {
    timer ??= setTimeout(() => {
      timer = undefined
      void run()
    }, ms).unref()
  }

  /** Drops the oldest records that are not being sent; the next record counts them as lost. The last record always stays. */
  function dropOldest(): void {
    while (bytes > pendingBytes && pending.length > held + 1) {
      const [gone] = pending.splice(held, 1)
      const next = pending[held]
      if (gone === undefined || next === undefined) return
      bytes -= gone.body.length
      next.lost += gone.lost + 1
      dropped++
    }
  }

  // Finds out whether the destination can be used before the first record comes.
  void run()
  return {
    name: port.name,
    get isWell() {
      return isWell
    },
    get fault() {
      return fault
    },
    get dropped() {
      return dropped
    },
    configure(changed) {
      writer = changed.writer
      whenFull = changed.whenFull
    },
    push(body) {
      if (isClosed || bytes + body.length > maxPendingBytes) {
        lostAtEnd++
        dropped++
        return
      }
      pending.push({ body, lost: lostAtEnd })
      lostAtEnd = 0
      bytes += body.length
      if (bytes > pendingBytes) {
        judge()
        if (whenFull === 'drop') dropOldest()
      }
      if (failures > 0 || isRunning) return
      if (bytes >= gatherBytes) void run()
      else wait(gatherMs)
    },
    flush() {
      if (batch !== undefined && !batch.isDone) {
        if (!port.settle()) return
        batch.isDone = true
        take(batch.heads.length, batch.heads)
      }
      while (pending.length > 0) {
        const { lines, heads } = makeBatch()
        const sent = port.sendNow(lines)
        take(sent.lines, heads)
        if (sent.failure !== undefined || sent.lines === 0) return
      }
      judge()
    },
    async drained(graceMs) {
      if (pending.length === 0 && failures === 0 && !isRunning) return
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.add(resolve)
      const limit = setTimeout(resolve, graceMs)
      if (failures === 0) void run()
      await promise
      clearTimeout(limit)
      waiting.delete(resolve)
    },
    async close() {
      if (isClosed) return
      isClosed = true
      clearTimeout(timer)
      if (pending.length > 0) {
        log.error({ sink: port.name, lost: pending.length }, 'audit records are lost: they were not taken by the end')
        dropped += pending.length
        pending.length = 0
        bytes = 0
      }
      await port.close()
    },
  }
}
