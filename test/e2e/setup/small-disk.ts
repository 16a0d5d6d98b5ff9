import { rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { mcplexCommand, temporaryDirectory, untilReady } from '../gateway.ts'
import { type Child, start } from './child.ts'
import { missing, type Part, ready } from './part.ts'
import { freePort } from './ports.ts'
import type { Ports } from './whole-document.ts'

/** A gateway with a directory on a disk of its own, of 4 MiB, that only it sees. */
export interface OnSmallDisk extends Ports {
  readonly child: Child
  /** The directory on the disk, as this process reaches it while the gateway runs. */
  readonly disk: string
  /** Leaves so many bytes of the disk, in whole pages of 4 KiB. */
  fill(leftBytes: number): Promise<void>
  /** Takes back what filled it. */
  empty(): Promise<void>
}

const diskBytes = 4 * 1024 * 1024

/** Starts mcplex with a document that is given the directory; the test's end kills it. Missing where the system allows no mounts. */
export async function startOnSmallDisk(t: TestContext, document: (ports: Ports, disk: string) => string): Promise<Part<OnSmallDisk>> {
  const directory = await temporaryDirectory(t)
  const mount = await temporaryDirectory(t)
  const ports = { port: await freePort(), adminPort: await freePort(), otherPort: await freePort() }
  const file = join(directory, 'mcplex.yaml')
  await writeFile(file, document(ports, mount))
  const flags = process.getuid?.() === 0 ? ['--mount'] : ['--user', '--map-root-user', '--mount']
  const script = `mount -t tmpfs -o size=${diskBytes} none "$1" || exit 99; shift; exec "$@"`
  const child = start(t, 'unshare', [...flags, '--', 'sh', '-c', script, 'sh', mount, ...mcplexCommand, 'run', '--config', file])
  try {
    await untilReady(child, async () => ((await fetch(`http://127.0.0.1:${ports.adminPort}/readyz`)).ok ? true : undefined))
  } catch (error) {
    if (child.isRunning || !/unshare|mount/.test(child.stderr())) throw error
    return missing(`no disk of its own: ${child.stderr().trim()}`)
  }
  const disk = join('/proc', String(child.pid), 'root', mount)
  const filler = join(disk, 'filler')
  return ready({
    ...ports,
    child,
    disk,
    async fill(leftBytes) {
      const { bavail, bsize } = await statfs(disk)
      await writeFile(filler, Buffer.alloc(bavail * bsize - leftBytes))
    },
    empty: () => rm(filler),
  })
}
