import { readSync } from 'node:fs'
import { type ChainHead, readRecord } from './chain.ts'

/** How many bytes of a file's end are read; a few records fit. */
const tailBytes = 1024 * 1024

export interface FileTail {
  /** The chain's last whole record; undefined where there is none. */
  readonly head: ChainHead | undefined
  /** Whether the last line has no line end. */
  readonly isOpen: boolean
  /** Bytes of a last record that was only written in part. */
  readonly tornBytes: number
}

/** Reads the end of a file (at most 1 MiB) to find where its chain goes on. Throws as `readSync` does. */
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
