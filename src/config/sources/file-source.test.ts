import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type FileWatch, watchFiles } from '../config.ts'

let root = ''
let watch: FileWatch | undefined
let told = 0
let wake: (() => void) | undefined

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mcplex-watch-'))
  told = 0
})
afterEach(() => {
  watch?.close()
  rmSync(root, { recursive: true, force: true })
})

function start(paths: () => readonly string[], pollMs = 500): void {
  watch = watchFiles(
    paths,
    () => {
      told++
      wake?.()
    },
    { debounceMs: 10, pollMs },
  )
}

/** Waits until so many changes were told in all; a watcher that misses one lets the test time out. */
async function changes(count: number): Promise<void> {
  while (told < count) {
    // The watcher's own timers keep no process alive.
    const alive = setTimeout(() => {}, 10_000)
    await new Promise<void>((resolve) => {
      wake = resolve
    })
    clearTimeout(alive)
  }
  assert.equal(told, count)
}

describe('watchFiles', { timeout: 10_000 }, () => {
  // With a poll this slow only the system's events can be what tells.
  const never = 60_000

  it('tells of a file written in place', async () => {
    const file = join(root, 'mcplex.yaml')
    writeFileSync(file, 'one')
    start(() => [file], never)
    writeFileSync(file, 'two')
    await changes(1)
  })

  it('tells of a file replaced by rename, again and again', async () => {
    const file = join(root, 'mcplex.yaml')
    writeFileSync(file, 'one')
    start(() => [file], never)
    for (let round = 1; round <= 3; round++) {
      writeFileSync(join(root, '.mcplex.yaml.swp'), `${round}`)
      renameSync(join(root, '.mcplex.yaml.swp'), file)
      await changes(round)
    }
  })

  it('tells of a volume of Kubernetes whose ..data is swapped', async () => {
    const write = (version: string): void => {
      mkdirSync(join(root, version))
      writeFileSync(join(root, version, 'config.yaml'), version)
      symlinkSync(version, join(root, '..data_tmp'))
      renameSync(join(root, '..data_tmp'), join(root, '..data'))
    }
    write('..v1')
    symlinkSync('..data/config.yaml', join(root, 'config.yaml'))
    start(() => [join(root, 'config.yaml')], never)
    for (const [index, version] of ['..v2', '..v3'].entries()) {
      write(version)
      await changes(index + 1)
    }
  })

  it('tells of what no event announces: a link’s target elsewhere', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'mcplex-target-'))
    const target = join(elsewhere, 'target')
    writeFileSync(target, 'one')
    symlinkSync(target, join(root, 'mcplex.yaml'))
    start(() => [join(root, 'mcplex.yaml')], 20)
    writeFileSync(target, 'two')
    await changes(1)
    rmSync(elsewhere, { recursive: true })
  })

  it('tells once of a file that goes, and of its return', async () => {
    const file = join(root, 'mcplex.yaml')
    writeFileSync(file, 'one')
    start(() => [file], never)
    unlinkSync(file)
    await changes(1)
    writeFileSync(file, 'one')
    await changes(2)
  })

  it('goes on when the directory was gone for a time', async () => {
    const folder = join(root, 'conf')
    const file = join(folder, 'mcplex.yaml')
    mkdirSync(folder)
    writeFileSync(file, 'one')
    start(() => [file], 20)
    rmSync(folder, { recursive: true })
    await changes(1)
    mkdirSync(folder)
    writeFileSync(file, 'two')
    await changes(2)
    writeFileSync(file, 'three')
    await changes(3)
  })

  it('says nothing of other files, or where the content is the same', async () => {
    const file = join(root, 'mcplex.yaml')
    writeFileSync(file, 'one')
    start(() => [file], never)
    writeFileSync(join(root, 'other'), 'x')
    writeFileSync(file, 'one')
    writeFileSync(join(root, 'next'), 'one')
    renameSync(join(root, 'next'), file)
    writeFileSync(file, 'two')
    await changes(1)
  })

  it('follows the list of files as it changes', async () => {
    const file = join(root, 'mcplex.yaml')
    const token = join(root, 'token')
    writeFileSync(file, 'one')
    writeFileSync(token, 'a')
    let paths = [file]
    start(() => paths, never)
    paths = [file, token]
    writeFileSync(file, 'two')
    await changes(1)
    writeFileSync(token, 'b')
    await changes(2)
  })

  it('says nothing once it is closed', async () => {
    const file = join(root, 'mcplex.yaml')
    writeFileSync(file, 'one')
    start(() => [file], 20)
    watch?.close()
    const other = new Promise<void>((resolve) => {
      const second = watchFiles(
        () => [file],
        () => {
          second.close()
          resolve()
        },
        { debounceMs: 50, pollMs: 20 },
      )
    })
    writeFileSync(file, 'two')
    const alive = setTimeout(() => {}, 10_000)
    await other
    clearTimeout(alive)
    assert.equal(told, 0)
  })
})
