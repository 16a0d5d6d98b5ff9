import { constants } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isPlain } from '../tree/tree.ts'
import { type SecretData, secretDataOf } from './pod-document.ts'

/** A copy of the Secret's data that was last in force, for a start without an API server. No method rejects. */
export interface SecretCopy {
  read(): Promise<{ readonly kind: 'copy'; readonly data: SecretData } | { readonly kind: 'none' } | SecretCopyFault>
  /** Replaces the copy atomically: readers find either the old one or the new one. Resolves with undefined when it is done. */
  write(data: SecretData): Promise<SecretCopyFault | undefined>
}

export interface SecretCopyFault {
  readonly kind: 'fault'
  /** For people. */
  readonly text: string
}

/** The file `last-good.json` in a folder, which is created if it is absent. As it holds keys, only its owner can read it. */
export function createSecretCopy(folder: string): SecretCopy {
  const file = join(folder, 'last-good.json')
  return {
    async read() {
      try {
        const data: unknown = JSON.parse(await readRegular(file))
        return isPlain(data) ? { kind: 'copy', data: secretDataOf(data) } : { kind: 'fault', text: `${file} is no copy` }
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return { kind: 'none' }
        // A parser's message would quote the file.
        return { kind: 'fault', text: error instanceof SyntaxError ? `${file} is no JSON` : `${file} can't be read: ${codeOf(error)}` }
      }
    },
    async write(data) {
      const next = `${file}.next`
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        // A file that an earlier process left may have other rights.
        await rm(next, { force: true })
        const handle = await open(next, 'wx', 0o600)
        try {
          await handle.writeFile(JSON.stringify(data))
        } finally {
          await handle.close()
        }
        await rename(next, file)
        return undefined
      } catch (error) {
        return { kind: 'fault', text: `${file} can't be written: ${codeOf(error)}` }
      }
    },
  }
}

/** Reads a regular file; it neither waits for pipes nor follows symbolic links. */
async function readRegular(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  try {
    if (!(await handle.stat()).isFile()) throw new Error('it is no file')
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : error instanceof Error
      ? error.message
      : String(error)
}
