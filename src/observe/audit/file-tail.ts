import { readSync } from 'node:fs'
import { type ChainHead, readRecord } from './chain.ts'

/** How much of a file's end is read: more than some records are long. */
const tailBytes = 1024 * 1024

export interface FileTail {
  /** The last record of a chain that is whole; undefined where there is none. */
  readonly head: ChainHead | undefined
  /** Whether the last line has no end. */
  readonly isOpen: boolean
  /** Bytes of a record that was cut off as it was written. */
  readonly tornBytes: number
}

/** What the end of a file says about how to go on. Reads at most a MiB; throws as `readSync` does. */
export function readTail(fd: number, size: number): FileTail {
  const bytes = Buffer.alloc(Math.min(size, tailBytes))
  let read = 0
  while (read < bytes.length) {
    const count = readSync(fd, bytes, read, bytes.length - read, size - bytes.length + read)
    if (count === 0) break
    read += count
  }
  const text = bytes.subarray(0, read)
  const isOpen = read > 0 && text[read - 1] !== 10
  let tornBytes = 0
  let end = isOpen ? read : read - 1
  while (end > 0) {
    const start = text.lastIndexOf(10, end - 1) + 1
    const record = readRecord(text.subarray(start, end))
    if (typeof record === 'object') return { head: { seq: record.seq, digest: record.digest }, isOpen, tornBytes }
    if (isOpen && end === read && record === 'torn') tornBytes = read - start
    end = start - 1
  }
  return { head: undefined, isOpen, tornBytes }
}
