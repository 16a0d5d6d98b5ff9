import assert from 'node:assert/strict'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { readPages } from '../pages.ts'
import { mcplexCommand, temporaryDirectory } from './gateway.ts'
import { must, prepared } from './setup/cache.ts'
import { need } from './setup/part.ts'
import { openSandbox } from './setup/sandbox.ts'
import { until } from './setup/wait.ts'

/** What the page has npx run: the program of each package, by `PACKAGE@VERSION`. */
const programs: Readonly<Record<string, string>> = {
  '@modelcontextprotocol/server-everything@2026.8.31': 'mcp-server-everything',
  '@modelcontextprotocol/server-filesystem@2026.8.31': 'mcp-server-filesystem',
  'supergateway@4.0.0': 'supergateway',
}

test('docs/first-servers.md, step by step as it stands', async (t) => {
  const install = (directory: string) =>
    must('npm', ['install', '--prefix', directory, '--no-fund', '--no-audit', '--loglevel=error', ...Object.keys(programs)])
  const packages = await need(t, prepared('first-servers-1', install))
  const sandbox = packages === undefined ? undefined : await need(t, openSandbox(t, {}))
  if (packages === undefined || sandbox === undefined) return
  const page = (await readPages()).find(({ path }) => path === 'docs/first-servers.md')
  assert.ok(page)

  const cwd = await temporaryDirectory(t)
  const bin = await temporaryDirectory(t)
  const program = async (name: string, text: string) => {
    await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`)
    await chmod(join(bin, name), 0o755)
  }
  const cases = Object.entries(programs).map(([name, file]) => `${name}) exec ${packages}/node_modules/.bin/${file} "$@" ;;`)
  await program('npx', `[ "$1" = -y ] || exit 1; name=$2; shift 2; case $name in ${cases.join(' ')} *) exit 1 ;; esac`)
  await program('mcplex', `exec ${mcplexCommand.join(' ')} "$@"`)
  const around = { cwd, env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, NO_COLOR: '1' } }
  const steps = page.fences.map(({ language, text }) => ({ language, text: text.trim() }))
  const file = join(cwd, 'mcplex.yaml')
  const next = (language: string) => {
    const step = steps.shift()
    assert.equal(step?.language, language)
    return step?.text ?? ''
  }
  const begin = (text = next('sh')) => sandbox.start('sh', ['-c', text.replace(/^[A-Z]+=\S+ /, 'export $&; ')], around)
  const command = (text: string) => sandbox.run('sh', ['-c', text], around)

  const servers = [begin(), begin()]
  const explain = () => servers.map((server) => server.stdout() + server.stderr()).join('')
  await writeFile(file, next('yaml'))
  const tools = next('sh')
  const all = await until('both servers', async () => ((await command(tools)).code === 0 ? await command(tools) : undefined), {
    timeoutMs: 60_000,
    explain,
  })
  assert.equal(total(all.stdout).tools, 31)
  assert.ok(total(all.stdout).tokens > 3000, all.stdout)

  const gateway = begin()
  await until('mcplex', () => (/ready/.test(gateway.stderr()) ? true : undefined), { explain: gateway.stderr })

  await writeFile(file, next('yaml'))
  const ofReader = next('sh')
  const few = await until('the change', async () => {
    const done = await command(ofReader)
    return /^in all: /m.test(done.stdout) ? done : undefined
  })
  assert.equal(total(few.stdout).tools, 9)
  assert.ok(total(few.stdout).tokens < 0.4 * total(all.stdout).tokens, few.stdout)
  const why = await command(next('sh'))
  assert.deepEqual([why.code, /mcplex\.yaml:5:/.test(why.stdout)], [1, true], why.stdout)

  await writeFile(file, `${await readFile(file, 'utf8')}\n${next('yaml')}\n`)
  const { code, stdout } = await command(next('sh'))
  assert.equal(code, 0, stdout)
  assert.match(stdout, /^3 passed, 0 failed$/m)
  assert.deepEqual(steps, [])
})

/** What the last line of `mcplex tools` says. */
function total(stdout: string): { readonly tools: number; readonly tokens: number } {
  const [, tools, tokens] = /^in all: (\d+) tools, ≈ (\d+) tokens/m.exec(stdout) ?? []
  return { tools: Number(tools), tokens: Number(tokens) }
}
