import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** Folders of src, lowest layer first, and the folders each may import: the table of ARCHITECTURE.md. */
const below = readTable(readFileSync(new URL('../ARCHITECTURE.md', import.meta.url), 'utf8'))

function readTable(page: string): Readonly<Record<string, readonly string[]>> {
  const [, section = ''] = /## Folders of `src\/`([\s\S]*?)\n## /.exec(page) ?? []
  const table: Record<string, readonly string[]> = {}
  for (const [, folder = '', cell = ''] of section.matchAll(/^\| `([a-z]+)`.*\| ([^|]+) \|$/gm)) {
    if (cell === 'nothing') table[folder] = []
    else if (/^all( above)?$/.test(cell)) table[folder] = Object.keys(table)
    else table[folder] = cell.split(', ').filter((name) => !name.startsWith('`'))
  }
  return table
}

/** A second face, of the policies' settings alone, and who may import it. */
const settingsFace = { path: 'policy/settings.ts', importer: 'config' }

interface Edge {
  readonly to: string
  readonly how: 'type' | 'runtime' | 'lazy'
  readonly isExport: boolean
}

/** The imports and re-exports of one source file; paths relative to src, packages as they are written. */
function edgesOf(path: string, source: string): Edge[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const resolve = (name: string) => (name.startsWith('.') ? normalize(join(dirname(path), name)) : name)
  const clauses = code.matchAll(/^(import|export)\b(\s+type\b)?(?:(?:(?!\n(?:import|export)\b)[^'";])*?\bfrom)?\s*'([^']+)'/gm)
  const edges: Edge[] = []
  for (const [, keyword, type, name = ''] of clauses) {
    edges.push({ to: resolve(name), how: type === undefined ? 'runtime' : 'type', isExport: keyword === 'export' })
  }
  for (const [, name = ''] of code.matchAll(/\bimport\(\s*'([^']+)'/g)) edges.push({ to: resolve(name), how: 'lazy', isExport: false })
  return edges
}

/** Tests, and what makes their input: no source may import them. */
function isForTests(path: string, source: string): boolean {
  return path.endsWith('.test.ts') || edgesOf(path, source).some((edge) => edge.to === 'fast-check')
}

/** What in these sources (text by path in src) breaks the plan, one sentence each. */
function faultsIn(sources: ReadonlyMap<string, string>): string[] {
  const faults: string[] = []
  const graph = new Map<string, string[]>()
  for (const [path, source] of sources) {
    const edges = edgesOf(path, source)
    graph.set(
      path,
      edges.filter((edge) => edge.how === 'runtime').map((edge) => edge.to),
    )
    for (const edge of edges) faults.push(...edgeFaults(path, edge, sources))
  }
  return [...faults, ...cyclesIn(graph)]
}

function edgeFaults(path: string, edge: Edge, sources: ReadonlyMap<string, string>): string[] {
  const folder = folderOf(path)
  if (edge.isExport && path !== faceOf(folder) && path !== settingsFace.path) return [`${path} re-exports, and is no face`]
  if (!edge.to.endsWith('.ts')) {
    return folder === 'mcp' && !edge.to.startsWith('node:') ? [`${path} imports the package ${edge.to}: mcp has none`] : []
  }
  if (edge.to.startsWith('..')) return [`${path} imports ${edge.to} outside src`]
  if (!sources.has(edge.to)) return [`${path} imports ${edge.to}, which is no source`]
  const target = folderOf(edge.to)
  if (path === 'main.ts') return edge.to === faceOf('cli') ? [] : [`main.ts imports ${edge.to}: only cli`]
  const allowed = below[folder]
  if (allowed === undefined) return [`${path}: ${folder} is no folder of the plan`]
  if (target === folder) return siblingFaults(path, edge.to)
  if (folder === settingsFace.importer && edge.to === settingsFace.path) return []
  if (!allowed.includes(target)) return [`${path} imports ${edge.to}: ${folder} may not import ${target}`]
  return edge.to === faceOf(target) ? [] : [`${path} imports ${edge.to}, past the face ${faceOf(target)}`]
}

/** Inside a folder anything goes but for policies: one folder each, none knows another. */
function siblingFaults(from: string, to: string): string[] {
  const [folder, own, rest] = from.split('/')
  const [, other, otherRest] = to.split('/')
  const areBothNested = rest !== undefined && otherRest !== undefined
  return folder === 'policy' && areBothNested && own !== other ? [`${from} imports its sibling ${to}`] : []
}

function cyclesIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const cycles: string[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]) => {
    const at = trail.indexOf(path)
    if (at >= 0) {
      cycles.push(`cycle: ${[...trail.slice(at), path].join(' → ')}`)
    } else if (!done.has(path)) {
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
      done.add(path)
    }
  }
  for (const path of graph.keys()) visit(path, [])
  return cycles
}

function folderOf(path: string): string {
  return path.split('/')[0] ?? ''
}

function faceOf(folder: string): string {
  return `${folder}/${folder}.ts`
}

test('the sources keep the plan', async () => {
  const src = fileURLToPath(new URL('../src', import.meta.url))
  const sources = new Map<string, string>()
  for await (const path of glob('**/*.ts', { cwd: src })) {
    const source = readFileSync(join(src, path), 'utf8')
    if (!isForTests(path, source)) sources.set(path, source)
  }
  assert.ok(sources.size > 50)
  assert.deepEqual(faultsIn(sources), [])
})

test('each way to break the plan is found', () => {
  const rows: readonly [Record<string, string>, string | undefined][] = [
    [{ 'era/era.ts': "import { a } from '../mcp/mcp.ts'", 'mcp/mcp.ts': "export * from './a.ts'", 'mcp/a.ts': '' }, undefined],
    [{ 'mcp/mcp.ts': "import { e } from '../era/era.ts'", 'era/era.ts': '' }, 'mcp may not import era'],
    [{ 'mcp/mcp.ts': "import type { E } from '../era/era.ts'", 'era/era.ts': '' }, 'mcp may not import era'],
    [{ 'mcp/mcp.ts': "const era = await import('../era/era.ts')", 'era/era.ts': '' }, 'mcp may not import era'],
    [{ 'era/a.ts': "import {\n  a,\n} from '../mcp/a.ts'", 'mcp/a.ts': '' }, 'past the face mcp/mcp.ts'],
    [{ 'era/a.ts': "export const a = 1\nexport { b } from './b.ts'", 'era/b.ts': '' }, 'is no face'],
    [{ 'era/a.ts': "import { b } from './b.ts'", 'era/b.ts': "import { a } from './a.ts'" }, 'cycle: era/a.ts → era/b.ts → era/a.ts'],
    [{ 'era/a.ts': "import { b } from './b.ts'", 'era/b.ts': "import type { A } from './a.ts'" }, undefined],
    [{ 'policy/a/a.ts': "import { b } from '../b/b.ts'", 'policy/b/b.ts': '' }, 'imports its sibling'],
    [{ 'policy/order.ts': "import { b } from './b/b.ts'", 'policy/b/b.ts': '' }, undefined],
    [{ 'config/a.ts': "import { b } from '../policy/settings.ts'", 'policy/settings.ts': '' }, undefined],
    [{ 'config/a.ts': "import { b } from '../policy/policy.ts'", 'policy/policy.ts': '' }, 'config may not import policy'],
    [{ 'mcp/a.ts': "import { z } from 'zod'" }, 'mcp has none'],
    [{ 'helpers/a.ts': "import { b } from './b.ts'", 'helpers/b.ts': '' }, 'no folder of the plan'],
    [{ 'main.ts': "import { b } from './era/era.ts'", 'era/era.ts': '' }, 'only cli'],
  ]
  for (const [files, expected] of rows) {
    const faults = faultsIn(new Map(Object.entries(files)))
    if (expected === undefined) assert.deepEqual(faults, [])
    else assert.ok(faults.length === 1 && faults[0]?.includes(expected), `${expected}: ${JSON.stringify(faults)}`)
  }
})

test('the table is in the order of its layers', () => {
  const order = Object.keys(below)
  assert.equal(order.length, 16)
  for (const [folder, allowed] of Object.entries(below)) {
    for (const target of allowed) assert.ok(order.indexOf(target) < order.indexOf(folder), `${folder} imports ${target}`)
  }
})
