import { constants } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isPlain } from '../tree/tree.ts'
import { type SecretData, secretDataOf } from './pod-document.ts'

/** The copy of what was in force last, for a start without an API server. Neither method rejects. */
export interface LastGood {
  read(): Promise<{ readonly kind: 'copy'; readonly data: SecretData } | { readonly kind: 'none' } | LastGoodFault>
  /** Replaces the copy at once: whoever reads it finds the one before or this one. Undefined: done. */
  write(data: SecretData): Promise<LastGoodFault | undefined>
}

export interface LastGoodFault {
  readonly kind: 'fault'
  /** For people. */
  readonly text: string
}

/** `last-good.json` in a folder, which is made where it is absent. The file is for its owner's eyes: it holds keys. */
export function createLastGood(folder: string): LastGood {
  const file = join(folder, 'last-good.json')
  return {
    async read() {
      try {
        const data: unknown = JSON.parse(await readRegular(file))
        return isPlain(data) ? { kind: 'copy', data: secretDataOf(data) } : { kind: 'fault', text: `${file} is no copy` }
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return { kind: 'none' }
        // A parser's own words quote the file.
        return { kind: 'fault', text: error instanceof SyntaxError ? `${file} is no JSON` : `${file} can't be read: ${codeOf(error)}` }
      }
    },
    async write(data) {
      const next = `${file}.next`
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        // What an earlier process left may have other rights.
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

/** Nothing else is waited for, nor followed. */
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
