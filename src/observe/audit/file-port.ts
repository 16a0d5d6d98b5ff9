import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, type Stats, write, writeSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Log } from '../log/log.ts'
import type { ChainHead } from './chain.ts'
import { fileFault, fileFlags, fileMode } from './file-fault.ts'
import { type FileTail, readTail } from './file-tail.ts'
import { countLines, type Failure, type Port, type Sent } from './port.ts'

const retryMs = 1000
/** How often the file is checked: whether its path still names it, and nobody else has written to it. */
const lookMs = 1000
/** Time between two complaints in the log about another writer. */
const complainMs = 60_000
/** How long the process waits at its end for a write in progress. */
const settleMs = 1000

/** A line of which only a part has been written; `rest` is still to be written. */
interface Owed {
  readonly line: Buffer
  readonly rest: Buffer
}

/**
 * Appends records to a file, which is created with rights for its owner alone, and opened again when its path names another file (log
 * rotation). It continues the chain that it finds in the file. A line that was written in part, as the disk was full, is completed as soon
 * as there is room, even in a file that has been moved away.
 */
export function createFilePort(path: string, { now, log }: { readonly now: () => number; readonly log: Log }): Port {
  const name = `file ${path}`
  let fd: number | undefined
  let identity: Pick<Stats, 'dev' | 'ino'> | undefined
  /** The size that the file must have, in bytes, if nobody else writes to it. */
  let size = 0
  let owed: Owed | undefined
  let underWay: { readonly end: number } | undefined
  let lookedAt = Number.NEGATIVE_INFINITY
  let complainedAt = Number.NEGATIVE_INFINITY
  let isOpened = false
  let isClosed = false
  let foundHead: ChainHead | undefined

  function open(): void {
    const opened = openSync(path, fileFlags, fileMode)
    try {
      const found = fstatSync(opened)
      if (!found.isFile()) throw new Error('it is no regular file')
      const tail = complete(opened, found.size)
      fd = opened
      identity = { dev: found.dev, ino: found.ino }
      lookedAt = now()
      foundHead = tail.head
      if (isOpened && tail.head !== undefined) complain('another process has written to the new file of audit records; its chain goes on')
      isOpened = true
    } catch (error) {
      closeSync(opened)
      throw error
    }
  }

  /** Ends an unfinished line, so that no record stands on the same line as a torn one. */
  function complete(file: number, found: number): FileTail {
    size = found
    const tail = readTail(file, size)
    if (!tail.isOpen) return tail
    writeSync(file, '\n')
    size++
    if (tail.tornBytes > 0) log.warn({ sink: name, bytes: tail.tornBytes }, 'the last audit record is cut off; the chain goes on behind it')
    return tail
  }

  function complain(text: string): void {
    if (now() - complainedAt < complainMs) return
    complainedAt = now()
    log.error({ sink: name }, text)
  }

  /**
   * Follows a change of the file.
   * @param found the file that the path names now
   */
  function follow(found: Stats | undefined): void {
    lookedAt = now()
    if (fd === undefined) return open()
    if (found === undefined || found.dev !== identity?.dev || found.ino !== identity.ino) return reopen(fd)
    if (found.size === size) return
    complain(
      found.size < size
        ? 'the file of audit records was cut by somebody else; its chain goes on'
        : 'somebody else has written to the file of audit records; the chain goes on behind that, and verify will name the place',
    )
    foundHead = complete(fd, found.size).head
    if (owed !== undefined) owed = { line: owed.line, rest: owed.line }
  }

  function reopen(old: number): void {
    if (owed !== undefined) {
      try {
        payNow(old, owed)
      } catch {
        // Removing the part that was written needs no room; the whole line goes to the new file.
        ftruncateSync(old, size - (owed.line.length - owed.rest.length))
        owed = { line: owed.line, rest: owed.line }
      }
    }
    fd = undefined
    closeSync(old)
    open()
  }

  function payNow(file: number, { line, rest }: Owed): void {
    const written = writeSync(file, rest)
    size += written
    owed = written === rest.length ? undefined : { line, rest: rest.subarray(written) }
    if (owed !== undefined) throw new Error('there is no room')
  }

  /** Appends until an error occurs; `written` is how much is in the file. */
  async function append(bytes: Buffer): Promise<{ readonly written: number; readonly failure: Failure | undefined }> {
    let written = 0
    while (written < bytes.length) {
      const start = size
      underWay = { end: start + bytes.length - written }
      const { count, error } = await writeOnce(fd, bytes, written)
      underWay = undefined
      // The end of the process may have counted this write before.
      size = Math.max(size, start + count)
      written += count
      if (error !== undefined) return { written, failure: failed(error) }
    }
    return { written, failure: undefined }
  }

  /** Counts a line that was written in part as sent, since the rest of it is remembered and will follow. */
  function sent(lines: Buffer, written: number, failure: Failure | undefined): Sent {
    const whole = countLines(lines, written)
    const start = written === 0 ? 0 : lines.lastIndexOf(10, written - 1) + 1
    if (start === written) return { lines: whole, failure }
    const end = lines.indexOf(10, written) + 1
    owed = { line: Buffer.from(lines.subarray(start, end)), rest: Buffer.from(lines.subarray(written, end)) }
    return { lines: whole + 1, failure }
  }

  return {
    name,
    retryMs: () => retryMs,
    async prepare() {
      try {
        if (isClosed) return failed('it is closed')
        if (fd === undefined) open()
        else if (now() - lookedAt >= lookMs) {
          const expected = size
          const found = await statOf(path)
          // If the end of the process has written meanwhile, `found` is out of date.
          if (size === expected && !isClosed) follow(found)
        }
        if (owed !== undefined) {
          const { line, rest } = owed
          const { written, failure } = await append(rest)
          owed = written === rest.length ? undefined : { line, rest: rest.subarray(written) }
          if (failure !== undefined) return failure
        }
        return { kind: 'ready' }
      } catch (error) {
        return failed(error)
      }
    },
    takeHead() {
      const head = foundHead
      foundHead = undefined
      return head
    },
    async send(lines) {
      const { written, failure } = await append(lines)
      return sent(lines, written, failure)
    },
    settle() {
      const turn = new Int32Array(new SharedArrayBuffer(4))
      for (let waited = 0; underWay !== undefined && fd !== undefined; waited++) {
        if (fstatSync(fd).size >= underWay.end) {
          size = underWay.end
          underWay = undefined
          return true
        }
        if (waited >= settleMs) return false
        Atomics.wait(turn, 0, 0, 1)
      }
      return fd !== undefined
    },
    sendNow(lines) {
      let written = 0
      try {
        if (fd === undefined) return { lines: 0, failure: failed('it is not open') }
        if (underWay !== undefined) return { lines: 0, failure: failed('a write is under way') }
        if (owed !== undefined) payNow(fd, owed)
        while (written < lines.length) {
          const count = writeSync(fd, lines, written)
          size += count
          written += count
        }
        return sent(lines, written, undefined)
      } catch (error) {
        return sent(lines, written, failed(error))
      }
    },
    async close() {
      isClosed = true
      // The descriptor of a closed file may be reused for another file.
      if (fd === undefined || (underWay !== undefined && !this.settle())) return
      try {
        fsyncSync(fd)
      } catch {
        // Pipes and some file systems can't be synced.
      }
      closeSync(fd)
      fd = undefined
    },
  }
}

function writeOnce(fd: number | undefined, bytes: Buffer, from: number): Promise<{ count: number; error: unknown }> {
  return new Promise((resolve) => {
    if (fd === undefined) return resolve({ count: 0, error: 'it is not open' })
    write(fd, bytes, from, bytes.length - from, null, (error, count) => {
      // Writing nothing would be repeated for ever.
      resolve({ count: count ?? 0, error: error ?? (count === 0 ? 'there is no room' : undefined) })
    })
  })
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function failed(error: unknown): Failure {
  return { kind: 'failed', text: fileFault(error).text }
}
