import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { run } from './child.ts'
import { missing, type Part, ready } from './part.ts'

/** The root of the checkout. */
export const checkout = join(import.meta.dirname, '../../..')

/** Where prepared parts stay between runs; ignored by git. */
export const cacheDirectory = join(checkout, '.cache')

/**
 * The directory `.cache/NAME`, made by `make` where it isn't there yet.
 * The name must hold every version that goes into it. What `make` left half done is never seen: it works in a directory
 * of its own, which gets its name at the end. Of two runs at once, one makes and the other waits.
 */
export async function prepared(name: string, make: (directory: string) => Promise<void>): Promise<Part<string>> {
  const directory = join(cacheDirectory, name)
  if (existsSync(directory)) return ready(directory)
  await mkdir(cacheDirectory, { recursive: true })
  const unlock = await lock(`${directory}.lock`)
  try {
    if (existsSync(directory)) return ready(directory)
    const draft = await mkdtemp(`${directory}.`)
    try {
      await make(draft)
      await rename(draft, directory)
    } catch (error) {
      await rm(draft, { recursive: true, force: true })
      if (!existsSync(directory)) return missing(`${name} could not be prepared: ${error instanceof Error ? error.message : String(error)}`)
    }
    return ready(directory)
  } finally {
    await unlock()
  }
}

/** Runs a program that must succeed; its output goes into the error where it does not. */
export async function must(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  const done = await run(command, args, { env, timeoutMs: 600_000 })
  if (done.code === 0) return
  throw new Error(`${command} ${args.join(' ')}: ${done.code ?? done.signal}\n${done.stdout.slice(-2000)}${done.stderr.slice(-2000)}`)
}

/** Saves work, not correctness: a lock whose owner is gone is taken over, and two makers would not harm each other. */
async function lock(path: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' })
      return () => rm(path, { force: true })
    } catch {
      const owner = Number(await readFile(path, 'utf8').catch(() => ''))
      if (owner > 0 && !isRunning(owner)) await rm(path, { force: true })
      await delay(200)
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
