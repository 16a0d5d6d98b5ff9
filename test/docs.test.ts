import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { runCli } from '../src/cli/cli.ts'
import { exitCode } from '../src/cli/terminal/terminal.ts'
import { problemsOfExample, schemaErrorsOfExample } from './document-problems.ts'
import { readPages } from './pages.ts'

const root = join(import.meta.dirname, '..')
const pages = await readPages()
const byPath = new Map(pages.map((page) => [page.path, page]))

describe('the documentation', () => {
  it('has no link within the repository that leads nowhere', () => {
    const dead = pages.flatMap(({ path, links }) =>
      links.flatMap(({ to, anchor }) => {
        if (!existsSync(join(root, to))) return [`${path}: ${to}`]
        return anchor === undefined || byPath.get(to)?.anchors.has(anchor) ? [] : [`${path}: ${to}#${anchor}`]
      }),
    )
    assert.deepEqual(dead, [])
    assert.ok(pages.reduce((count, { links }) => count + links.length, 0) > 60)
  })

  it('leads from docs/README.md to every page of docs', () => {
    const linked = new Set(byPath.get('docs/README.md')?.links.map(({ to }) => to))
    const lost = pages.filter(({ path }) => path.startsWith('docs/') && path !== 'docs/README.md' && !linked.has(path))
    assert.deepEqual(
      lost.map(({ path }) => path),
      [],
    )
  })

  it('has configurations that are right, whole or as fragments that say so', () => {
    let count = 0
    for (const { path, fences } of pages) {
      for (const { language, text, line } of fences) {
        if (language !== 'yaml' || path.startsWith('deploy/') || path === 'docs/problems.md' || /^apiVersion:/m.test(text)) continue
        const isFragment = text.startsWith('# A fragment: ')
        const whole = isFragment ? `${text}${surroundings(text)}` : text
        assert.deepEqual(problemsOfExample(whole, join(root, 'mcplex.yaml')), [], `${path}:${line}`)
        if (!/^mcplex\.dev\/version:/m.test(whole)) assert.deepEqual(schemaErrorsOfExample(whole), [], `${path}:${line}`)
        count++
      }
    }
    assert.ok(count > 8)
  })

  it('has every exit code in one table', () => {
    const [, section = ''] = /^## Exit codes$([\s\S]*?)^## /m.exec(byPath.get('docs/command-line.md')?.text ?? '') ?? []
    const codes = [...section.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code))
    assert.deepEqual(codes, Object.values(exitCode))
  })

  it('has keys of a configuration in the midst of sentences that are right too', () => {
    const whole = /`((?:listen|servers|listeners|agents|policies|sessions|admin|health|limits|observe): [^`]+)`/g
    const spans = pages.flatMap(({ path, text }) => [...text.matchAll(whole)].map(([, span = '']) => ({ path, span })))
    assert.ok(spans.length > 2)
    for (const { path, span } of spans) {
      const rest = span.startsWith('servers:') ? '' : 'servers: { files: http://127.0.0.1:8002/mcp }\n'
      assert.deepEqual(problemsOfExample(`${span}\n${rest}`, join(root, 'mcplex.yaml')), [], `${path}: ${span}`)
    }
  })

  it('has every command in one table', async () => {
    let help = ''
    const output = { on() {}, write: (text: string) => (help += text) }
    const terminal = { stdout: output, stderr: output, env: {}, cwd: () => root, on() {}, exit() {} }
    assert.equal(await runCli(['--help'], terminal), exitCode.good)
    const [, commands = ''] = /^Commands:$([\s\S]*?)^$/m.exec(help) ?? []
    const names = [...commands.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name).filter((name) => name !== 'help')
    assert.ok(names.length > 5, help)
    const [, table = ''] = /^\| command \|([\s\S]*?)^$/m.exec(byPath.get('docs/command-line.md')?.text ?? '') ?? []
    const rows = [...table.matchAll(/^\| `([a-z]+)/gm)].map(([, name]) => name)
    assert.deepEqual(rows.toSorted(), names.toSorted())
  })

  it('has JSON that is JSON', () => {
    for (const { path, fences } of pages) {
      for (const { language, text, line } of fences) {
        if (language === 'json') assert.doesNotThrow(() => JSON.parse(text), `${path}:${line}`)
      }
    }
  })

  it('is there where hints and comments of the sources name a page of it', async () => {
    const names = new Set<string>()
    for await (const file of glob('src/**/*.ts', { cwd: root })) {
      for (const [page] of readFileSync(join(root, file), 'utf8').matchAll(/\bdocs\/[a-z-]+\.md\b/g)) names.add(page)
    }
    assert.ok(names.size > 0)
    for (const name of names) assert.ok(byPath.has(name), name)
  })
})

/** What a fragment goes beside. */
function surroundings(fragment: string): string {
  const others = {
    servers: 'servers: { files: http://127.0.0.1:8002/mcp }',
    ...(/^tests:/m.test(fragment) ? { agents: 'agents: { reader: {} }' } : {}),
    ...(fragment.includes('`policies.authenticate` says who comes in') ? { policies: 'policies: { authenticate: { mtls: true } }' } : {}),
  }
  return Object.entries(others)
    .filter(([key]) => !new RegExp(`^${key}:`, 'm').test(fragment))
    .map(([, text]) => `${text}\n`)
    .join('')
}
