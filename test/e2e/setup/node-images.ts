import { createHash } from 'node:crypto'
import { readdir, readFile, realpath } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryDirectory } from '../gateway.ts'
import { checkout, must, prepared } from './cache.ts'
import { run } from './child.ts'
import { type ContainerImage, writeLayer } from './container-image.ts'
import { readDockerfile } from './dockerfile.ts'
import { type Part, ready } from './part.ts'
import { python1 } from './python.ts'

/** Counts the changes of this file that change a cached layer. */
const generation = 1

/**
 * Stands in for `python:3.11-slim`: a shell and this machine's Python, with what the post's Deployments install there already, so that they
 * need no registry. Theirs is mcp 1, without which the post's servers don't run.
 */
export async function pythonImage(): Promise<Part<ContainerImage>> {
  const python = await python1()
  if (python.kind === 'missing') return python
  const { executable, standard, packages, version } = await pathsOf(python.value)
  const key = createHash('sha256')
    .update(JSON.stringify([generation, python.value, version]))
    .digest('hex')
    .slice(0, 8)
  const made = await prepared(`layer-python-${key}`, (directory) =>
    writeLayer(join(directory, 'python.tar'), async (layer) => {
      const [shell, library] = [await realpath('/bin/sh'), `/usr/local/lib/${basename(executable)}`]
      await layer.copy(shell, '/bin/sh')
      await layer.copy(executable, '/usr/local/bin/python')
      await layer.copy(standard, library, (path) => !omitted.has(basename(path)) && !path.endsWith('.a'))
      await layer.copy(packages, join(library, 'site-packages'))
      await layer.write('/usr/local/bin/pip', '#!/bin/sh\nexec python -m pip "$@"\n', 0o755)
      const shared = [...(await sharedObjects(standard)), ...(await sharedObjects(packages))]
      await layer.addLibraries(shell, executable, ...shared)
    }),
  )
  if (made.kind === 'missing') return made
  const env = { PYTHONPATH: `/usr/local/lib/${basename(executable)}/site-packages`, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INDEX: '1' }
  return ready({ name: 'python:3.11-slim', layers: [join(made.value, 'python.tar')], env, entrypoint: [], command: ['python'] })
}

/** mcplex built from this checkout, with the Node.js that runs the tests, as the Dockerfile puts them together and `deploy/` names it. */
export async function mcplexImage(t: TestContext): Promise<ContainerImage> {
  const node = await prepared(`layer-node-${process.version}-${generation}`, (directory) =>
    writeLayer(join(directory, 'node.tar'), async (layer) => {
      await layer.copy(process.execPath, '/usr/local/bin/node')
      await layer.addLibraries(process.execPath)
    }),
  )
  if (node.kind === 'missing') throw new Error(node.reason)
  const { version } = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8'))
  const { copies, ...config } = readDockerfile(await readFile(join(checkout, 'Dockerfile'), 'utf8'))
  await must(process.execPath, [join(checkout, 'scripts/build.ts')])
  const app = join(await temporaryDirectory(t), 'app.tar')
  await writeLayer(app, async (layer) => {
    for (const { from, to } of copies) await layer.copy(join(checkout, from), to)
  })
  return { name: `mcplex/mcplex:${version}`, layers: [join(node.value, 'node.tar'), app], ...config }
}

/** Directories of Python's library that no server needs. */
const omitted = new Set(['site-packages', 'dist-packages', 'test', 'idlelib', 'turtledemo'])

interface PythonPaths {
  readonly executable: string
  /** The directory of the standard library. */
  readonly standard: string
  /** The directory of what was installed. */
  readonly packages: string
  readonly version: string
}

async function pathsOf(python: string): Promise<PythonPaths> {
  const { stdout } = await run(python, ['-c', question])
  const [executable, standard, packages, version] = JSON.parse(stdout)
  return { executable, standard, packages, version }
}

const question = `
import json, os, sys, sysconfig
print(json.dumps([os.path.realpath(sys.executable), sysconfig.get_path('stdlib'), sysconfig.get_path('purelib'), sys.version]))
`

async function sharedObjects(directory: string): Promise<readonly string[]> {
  const paths = await readdir(directory, { recursive: true })
  return paths
    .filter((path) => path.endsWith('.so') && !path.split('/').some((part) => omitted.has(part)))
    .map((path) => join(directory, path))
}
