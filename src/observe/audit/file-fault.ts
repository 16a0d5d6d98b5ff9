import { closeSync, constants, fstatSync, openSync } from 'node:fs'

/** Flags for appending to a file, which is created, for its owner alone, if it is absent. */
export const fileFlags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT
export const fileMode = 0o600

/** Why an audit file can't be used, and what to do about it. */
export interface FileFault {
  readonly text: string
  readonly hint: string
}

const faults: Readonly<Record<string, FileFault>> = {
  ENOENT: { text: 'its folder is not there', hint: 'make the folder, or write another path' },
  ENOTDIR: { text: 'a part of its path is no folder', hint: 'write another path' },
  EACCES: {
    text: 'this process may not write there',
    hint: 'give the user that mcplex runs as the right to write it, or write another path',
  },
  EPERM: {
    text: 'this process may not write there',
    hint: 'give the user that mcplex runs as the right to write it, or write another path',
  },
  EROFS: { text: 'its file system can only be read', hint: 'mount a folder that can be written, or write another path' },
  EISDIR: { text: 'it is a folder', hint: 'write the path of a file' },
  ENOSPC: { text: 'there is no room on its disk', hint: 'make room' },
  EDQUOT: { text: 'the quota of its disk is used up', hint: 'make room' },
  EMFILE: { text: 'this process has too many files open', hint: 'raise its limit of open files' },
  ENFILE: { text: 'the machine has too many files open', hint: 'raise its limit of open files' },
  ELOOP: { text: 'its links lead in a circle', hint: 'write another path' },
  ENAMETOOLONG: { text: 'its path is too long', hint: 'write a shorter path' },
  EIO: { text: 'its disk fails', hint: 'look at the disk, or write another path' },
}

/** An error of the file system in words, with its code. */
export function fileFault(error: unknown): FileFault {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  const known = faults[code]
  if (known !== undefined) return { text: `${known.text} (${code})`, hint: known.hint }
  return { text: error instanceof Error ? error.message : String(error), hint: 'write another path' }
}

/** Opens an audit file as its sink will, and closes it again; undefined where that succeeds. */
export function checkAuditFile(path: string): FileFault | undefined {
  try {
    const fd = openSync(path, fileFlags, fileMode)
    try {
      return fstatSync(fd).isFile() ? undefined : { text: 'it is no regular file', hint: 'write the path of a file, or `stdout: true`' }
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    return fileFault(error)
  }
}
