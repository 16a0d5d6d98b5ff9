import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { arch } from 'node:process'
import { pipeline } from 'node:stream/promises'
import { must } from './cache.ts'
import { run } from './child.ts'

/** An image for this machine's kind of processor. */
export interface ContainerImage {
  /** As Pods write it, such as `python:3.11-slim`. */
  readonly name: string
  /** Archives made by `writeLayer`, lowest first. */
  readonly layers: readonly string[]
  readonly entrypoint: readonly string[]
  readonly command?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly user?: string | undefined
}

/** Writes the image as one file, in the format of `docker save`: it is the one in which a short name stays what Pods mean by it. */
export async function writeImage(file: string, { name, layers, entrypoint, command = [], env = {}, user }: ContainerImage): Promise<void> {
  const directory = await mkdtemp(`${file}.`)
  const digests = await Promise.all(layers.map(sha256))
  const variables = Object.entries({ PATH: '/usr/local/bin:/usr/bin:/bin', ...env })
  const config = {
    architecture: arch === 'x64' ? 'amd64' : arch,
    os: 'linux',
    config: { Entrypoint: entrypoint, Cmd: command, User: user, Env: variables.map((pair) => pair.join('=')) },
    rootfs: { type: 'layers', diff_ids: digests.map((digest) => `sha256:${digest}`) },
  }
  const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: layers.map((layer) => basename(layer)) }]
  await writeFile(join(directory, 'config.json'), JSON.stringify(config))
  await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest))
  const parts = layers.flatMap((layer) => ['-C', dirname(layer), basename(layer)])
  await must('tar', ['-cf', file, '-C', directory, 'manifest.json', 'config.json', ...parts])
  await rm(directory, { recursive: true })
}

/** A tree of files that becomes a layer; paths in it are absolute. */
export interface Layer {
  /** Copies a file or directory of this machine; `isWanted` is asked of each path below it. */
  copy(from: string, to: string, isWanted?: (path: string) => boolean): Promise<void>
  /** Copies what those programs and shared objects of this machine load, to the paths where it is found. */
  addLibraries(...programs: readonly string[]): Promise<void>
  write(path: string, text: string, mode?: number): Promise<void>
}

/** Writes what `furnish` puts into a new tree as an archive that depends on nothing else: everything in it belongs to root. */
export async function writeLayer(file: string, furnish: (layer: Layer) => Promise<void>): Promise<void> {
  const root = await mkdtemp(`${file}.`)
  const place = async (path: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true })
    return join(root, path)
  }
  const copy: Layer['copy'] = async (from, to, isWanted = () => true) => {
    await cp(from, await place(to), { recursive: true, verbatimSymlinks: true, filter: isWanted })
  }
  await chmod(root, 0o755)
  await furnish({
    copy,
    async addLibraries(...programs) {
      for (const path of await librariesOf(programs)) await copy(await realpath(path), path)
    },
    async write(path, text, mode = 0o644) {
      await writeFile(await place(path), text, { mode })
    },
  })
  await must('tar', ['-cf', file, '--owner=0', '--group=0', '--numeric-owner', '--sort=name', '--mtime=@0', '-C', root, '.'])
  await rm(root, { recursive: true })
}

/** The paths that the dynamic linker finds, itself among them. */
async function librariesOf(programs: readonly string[]): Promise<ReadonlySet<string>> {
  const { stdout } = await run('ldd', programs)
  return new Set([...stdout.matchAll(/(?:=> |^\t)(\/\S+)/gm)].map(([, path = '']) => path))
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}
