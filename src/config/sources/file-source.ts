import { createHash } from 'node:crypto'
import { type FSWatcher, readFileSync, statSync, watch } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

export interface WatchOptions {
  /** Time from the first sign of a change until the files are read. */
  readonly debounceMs?: number
  /** How often the files are checked where the system reports no events. */
  readonly pollMs?: number
}

export interface FileWatch {
  close(): void
}

/** Most directories that are watched; files in further ones are only polled. */
const maxDirectories = 64
/** Changes of a larger file are detected by its size and time instead of its content. */
const maxHashedBytes = 4 * 1024 * 1024

/**
 * Calls back when the content of any of the files has changed, appeared or disappeared since this call (or since `paths` first named it):
 * written in place, replaced by a rename, or behind a symbolic link that was changed. Directories are watched rather than files, and
 * everything is polled in addition, so that a change is noticed within a second even without events, or after a directory was gone. A
 * document that is read after this call misses no change. It does not keep the process alive.
 * @param paths called at each check, so that it may follow what the document refers to
 */
export function watchFiles(paths: () => readonly string[], onChange: () => void, options: WatchOptions = {}): FileWatch {
  const { debounceMs = 30, pollMs = 500 } = options
  // One entry for each path that `paths` names now.
  let contents = new Map(current().map((path) => [path, contentNow(path)]))
  let shape = ''
  let isClosed = false
  let isLooking = false
  let isPolling = false
  let isAgain = false
  let timer: NodeJS.Timeout | undefined
  const directories = new Map<string, WatchedDirectory>()

  function current(): readonly string[] {
    return [...new Set(paths().map((path) => resolve(path)))]
  }

  function schedule(): void {
    if (isClosed || timer !== undefined) return
    timer = setTimeout(() => {
      timer = undefined
      void look()
    }, debounceMs)
    timer.unref()
  }

  async function look(): Promise<void> {
    if (isLooking) {
      isAgain = true
      return
    }
    isLooking = true
    const found = await Promise.all(current().map(async (path) => [path, await contentOf(path)] as const))
    isLooking = false
    if (isClosed) return
    const isChanged = found.some(([path, content]) => (contents.get(path) ?? content) !== content)
    contents = new Map(found)
    if (isAgain) {
      isAgain = false
      schedule()
    }
    if (isChanged) onChange()
  }

  async function poll(): Promise<void> {
    if (isPolling) return
    isPolling = true
    const wanted = current()
    const shapes = await Promise.all(wanted.map(shapeOf))
    await watchDirectories(wanted)
    isPolling = false
    const found = shapes.join('\n')
    if (found !== shape) schedule()
    shape = found
  }

  async function watchDirectories(wanted: readonly string[]): Promise<void> {
    const names = new Set(wanted.map((path) => dirname(path)))
    for (const [name, { watcher }] of directories) {
      if (names.has(name)) continue
      watcher.close()
      directories.delete(name)
    }
    for (const name of names) {
      const identity = await stat(name).then(identityOf, () => undefined)
      const known = directories.get(name)
      if (isClosed || (known !== undefined && known.identity === identity)) continue
      known?.watcher.close()
      directories.delete(name)
      if (identity === undefined || directories.size >= maxDirectories) continue
      const watcher = openWatch(name, schedule)
      if (watcher !== undefined) directories.set(name, { watcher, identity })
      // A change between the last check and this moment causes no event.
      schedule()
    }
  }

  for (const path of contents.keys()) {
    const name = dirname(path)
    if (directories.has(name) || directories.size >= maxDirectories) continue
    const watcher = openWatch(name, schedule)
    if (watcher !== undefined) directories.set(name, { watcher, identity: identityNow(name) })
  }
  const interval = setInterval(() => void poll(), pollMs)
  interval.unref()

  return {
    close: () => {
      isClosed = true
      clearInterval(interval)
      clearTimeout(timer)
      for (const { watcher } of directories.values()) watcher.close()
      directories.clear()
    },
  }
}

interface WatchedDirectory {
  readonly watcher: FSWatcher
  /** Distinguishes a directory from another that has replaced it. */
  readonly identity: string | undefined
}

function openWatch(directory: string, onEvent: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, { persistent: false }, onEvent)
    // Polling goes on, and opens it again.
    watcher.on('error', onEvent)
    return watcher
  } catch {
    return undefined
  }
}

function identityOf(stats: { readonly dev: number; readonly ino: number; readonly birthtimeMs: number }): string {
  return `${stats.dev} ${stats.ino} ${stats.birthtimeMs}`
}

function identityNow(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? undefined : identityOf(stats)
}

async function shapeOf(path: string): Promise<string> {
  return await stat(path).then(
    (stats) => `${identityOf(stats)} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`,
    () => 'missing',
  )
}

async function contentOf(path: string): Promise<string> {
  try {
    const stats = await stat(path)
    return stats.size > maxHashedBytes ? `${stats.size} ${stats.mtimeMs}` : digest(await readFile(path))
  } catch {
    return 'missing'
  }
}

function contentNow(path: string): string {
  try {
    const stats = statSync(path)
    return stats.size > maxHashedBytes ? `${stats.size} ${stats.mtimeMs}` : digest(readFileSync(path))
  } catch {
    return 'missing'
  }
}

function digest(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('base64')
}
