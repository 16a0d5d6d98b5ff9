import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { readPages } from './pages.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)

const built = run(process.execPath, [join(root, 'scripts/build.ts')], { cwd: root }).then(
  () => undefined,
  (error: unknown) => `dist could not be built: ${String(error)}`,
)

interface Packed {
  readonly files: readonly { readonly path: string }[]
  readonly bundled: readonly string[]
  /** Bytes of the archive. */
  readonly size: number
}

async function pack(): Promise<Packed> {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root })
  const [packed] = JSON.parse(stdout) as [Packed]
  return packed
}

test('what is published is the bundle, its papers, and what they link to, nothing else', async (t) => {
  const whyNot = await built
  if (whyNot !== undefined) return t.skip(whyNot)
  const { files, bundled, size } = await pack()
  const paths = files.map((file) => file.path).sort()
  const isChunk = (path: string) => /^dist\/chunks\/[a-z-]+-[0-9A-Z]{8}\.js$/.test(path)
  const isPaper = (path: string) => /^(?:docs|examples|deploy)\//.test(path)
  assert.ok(paths.some(isChunk))
  assert.deepEqual(
    paths.filter((path) => !isChunk(path) && !isPaper(path)),
    [
      '.dockerignore',
      'ARCHITECTURE.md',
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'Dockerfile',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'bin/mcplex.js',
      'dist/THIRD-PARTY-LICENSES.txt',
      'dist/mcplex.js',
      'mcplex.schema.json',
      'package.json',
    ],
  )
  assert.deepEqual(bundled, [])
  assert.ok(size < 2 * 1024 * 1024, `${size} bytes`)
})

test('every link of the pages that are published leads to something that is published', async () => {
  const published = new Set((await pack()).files.map((file) => file.path))
  const isPublished = (path: string) => published.has(path) || [...published].some((one) => one.startsWith(`${path.replace(/\/$/, '')}/`))
  const pages = (await readPages()).filter((page) => published.has(page.path))
  const dead = pages.flatMap(({ path, links }) => links.filter(({ to }) => !isPublished(to)).map(({ to }) => `${path}: ${to}`))
  assert.deepEqual(dead, [])
  for (const path of ['README.md', 'docs/README.md', 'docs/rules.md', 'deploy/README.md']) assert.ok(published.has(path), path)
})

test('what is published needs nothing installed, and the bundle runs by itself, with all its chunks', async (t) => {
  const whyNot = await built
  if (whyNot !== undefined) return t.skip(whyNot)
  const { version, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  assert.equal(dependencies, undefined)
  const empty = mkdtempSync(join(tmpdir(), 'mcplex-'))
  t.after(() => rmSync(empty, { recursive: true }))
  for (const folder of ['bin', 'dist']) cpSync(join(root, folder), join(empty, folder), { recursive: true })
  writeFileSync(join(empty, 'package.json'), '{"type":"module"}')
  const mcplex = (...args: string[]) => run(process.execPath, [join(empty, 'bin/mcplex.js'), ...args], { cwd: empty })
  assert.equal((await mcplex('--version')).stdout.trim(), version)
  // What only some commands load is there too.
  writeFileSync(join(empty, 'kubeconfig'), 'apiVersion: v1\nkind: Config\n')
  await assert.rejects(mcplex('controller', '--kubeconfig', 'kubeconfig'), { code: 78, stderr: /kubeconfig: no context is current/ })
  writeFileSync(join(empty, 'objects.yaml'), '')
  await mcplex('translate', '-f', 'objects.yaml').catch((error: unknown) => assert.doesNotMatch(String(error), /bug|ERR_/))
})

test('no signal opens a debugger in what is published, from its first moment on', async (t) => {
  const whyNot = await built
  if (whyNot !== undefined) return t.skip(whyNot)
  const starter = readFileSync(join(root, 'bin/mcplex.js'), 'utf8')
  assert.ok(starter.indexOf("process.on('SIGUSR1'") < starter.indexOf('import('))
  assert.match(readFileSync(join(root, 'Dockerfile'), 'utf8'), /^ENTRYPOINT \["node", "--disable-sigusr1", /m)
  const child = spawn(process.execPath, [join(root, 'bin/mcplex.js'), 'run'], { cwd: tmpdir(), stdio: ['ignore', 'ignore', 'pipe'] })
  t.after(() => child.kill('SIGKILL'))
  let heard = ''
  let isAsked = false
  for await (const text of child.stderr.setEncoding('utf8')) {
    heard += text
    if (isAsked || !heard.includes('"msg":"ready"')) continue
    isAsked = true
    child.kill('SIGUSR1')
    child.kill('SIGTERM')
  }
  assert.doesNotMatch(heard, /Debugger/)
  assert.match(heard, /stopping/)
})

test('the starter can be read by old Nodes, which are told what to do', async () => {
  const starter = readFileSync(join(root, 'bin/mcplex.js'), 'utf8')
  assert.ok(starter.startsWith('#!/usr/bin/env node\n'))
  assert.doesNotMatch(starter, /^import |\?\.|\?\?|\bawait\b|\brequire\(/m)
  const asOld = (version: string) =>
    run(process.execPath, [
      '--input-type=commonjs',
      '-e',
      `Object.defineProperty(process.versions, 'node', { value: '${version}' })\n${starter.slice(19)}`,
      '/x/bin/mcplex.js',
    ])
  for (const version of ['10.24.1', '20.20.2', '22.18.0']) {
    const stderr = `mcplex needs Node 22.19 or newer; this is Node ${version}.
Get one from https://nodejs.org, or let npm bring one for this command: npx -y -p node@24 node /x/bin/mcplex.js
`
    await assert.rejects(asOld(version), { code: 1, stderr, stdout: '' })
  }
})
