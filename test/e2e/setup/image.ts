import { cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryDirectory } from '../gateway.ts'
import { atEnd } from './at-end.ts'
import { checkout, must } from './cache.ts'
import { type Child, type Finished, run } from './child.ts'
import { missing, type Part, ready } from './part.ts'
import type { Sandbox } from './sandbox.ts'

/** What an image says of how it is run (OCI image configuration, `config`). */
export interface ImageConfig {
  readonly User: string
  readonly Env: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly Cmd: readonly string[]
  readonly WorkingDir: string
  readonly Labels: Readonly<Record<string, string>>
}

/** The image that the Dockerfile makes, over a base with this machine's Node.js alone: no shell, nothing else. */
export interface BuiltImage {
  readonly config: ImageConfig
  /** Where its files are. */
  readonly root: string
}

/** Builds the bundle and the image from the sources, in a place of their own. What buildah stores goes with the test. */
export async function buildImage(t: TestContext): Promise<Part<BuiltImage>> {
  const version = await run('buildah', ['--version'])
  if (version.code !== 0 || process.getuid?.() !== 0) return missing('an image needs buildah, and root')
  const directory = await temporaryDirectory(t)
  const storage = ['--storage-driver', 'vfs', '--root', join(directory, 'root'), '--runroot', join(directory, 'run')]
  const buildah = async (...args: readonly string[]) => {
    const done = await run('buildah', [...storage, ...args], { timeoutMs: 120_000 })
    if (done.code === 0) return done.stdout.trim()
    throw new Error(`buildah ${args.join(' ')}: ${done.code ?? done.signal}\n${done.stdout}${done.stderr}`)
  }

  const base = join(directory, 'base')
  await copyNode(base)
  // Every base image has one, in whose place the names that a container knows are mounted.
  await mkdir(join(base, 'etc'))
  await writeFile(join(base, 'etc/hosts'), '')
  const scratch = await buildah('from', 'scratch')
  await buildah('add', scratch, base, '/')
  await buildah('config', '--cmd', '["node"]', '--env', 'PATH=/usr/local/bin:/usr/bin:/bin', scratch)
  await buildah('commit', scratch, 'localhost/base')

  const context = join(directory, 'context')
  await copySources(context)
  await must(process.execPath, [join(context, 'scripts/build.ts')])
  await buildah('build', '--isolation', 'chroot', '--pull-never', '--from', 'localhost/base', '--tag', 'mcplex', context)
  const { config } = JSON.parse(await buildah('inspect', '--type', 'image', '--format', '{{.Config}}', 'mcplex'))
  const container = await buildah('from', '--pull-never', 'mcplex')
  const root = await buildah('mount', container)
  atEnd(t, () => buildah('umount', container))
  return ready({ config, root })
}

/** What a container is started with. */
export interface ContainerOptions {
  /** What follows the entry point; else the image's own command. */
  readonly args?: readonly string[]
  /** A folder of this machine that is found where the image is run. */
  readonly folder?: string
}

/** Starts what the image starts, where and as whom it says, without privileges and with a root that can't be written, in the sandbox. */
export function startImage(sandbox: Sandbox, image: BuiltImage, { args = image.config.Cmd, folder }: ContainerOptions = {}): Child {
  return sandbox.start('sh', confined(image, [...image.config.Entrypoint, ...args], folder))
}

/** As `startImage`, any program of the image, to its end. */
export function runInImage(sandbox: Sandbox, image: BuiltImage, command: readonly string[], folder?: string): Promise<Finished> {
  return sandbox.run('sh', confined(image, command, folder), { timeoutMs: 30_000 })
}

function confined({ config, root }: BuiltImage, command: readonly string[], folder?: string): readonly string[] {
  const place = join(root, config.WorkingDir)
  const script = `set -e; mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"
    mount --bind /etc/hosts "$0/etc/hosts"
    ${folder === undefined ? '' : 'mount --bind "$FOLDER" "$PLACE"; mount -o remount,bind,ro "$PLACE"'}
    exec setpriv --no-new-privs env -i "$@"`
  const [user = '', group = ''] = config.User.split(':')
  const inside = ['unshare', `--root=${root}`, `--wd=${config.WorkingDir}`, `--setgid=${group}`, `--setuid=${user}`]
  return ['-c', `FOLDER=$1; PLACE=$2; shift 2; ${script}`, root, folder ?? '', place, ...config.Env, ...inside, ...command]
}

/** This Node.js with the libraries that it names. */
async function copyNode(root: string): Promise<void> {
  const libraries = await run('ldd', [process.execPath])
  const paths = new Set(libraries.stdout.match(/\/\S+\.so\S*/g))
  const copy = async (from: string, to: string) => {
    await mkdir(dirname(join(root, to)), { recursive: true })
    await cp(from, join(root, to), { dereference: true })
  }
  await copy(process.execPath, 'usr/local/bin/node')
  for (const path of paths) await copy(path, path)
}

/** What a fresh clone has after `npm ci`, as far as it counts. */
async function copySources(context: string): Promise<void> {
  for (const name of ['Dockerfile', '.dockerignore', 'package.json', 'LICENSE', 'README.md', 'bin', 'scripts', 'src']) {
    await cp(join(checkout, name), join(context, name), { recursive: true })
  }
  await symlink(join(checkout, 'node_modules'), join(context, 'node_modules'))
}
