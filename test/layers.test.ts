import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const page = readFileSync(new URL('../ARCHITECTURE.md', import.meta.url), 'utf8')

/** Names, lowest layer first, and the names each may import: one table of ARCHITECTURE.md. */
type Layers = Readonly<Record<string, readonly string[]>>

/** The folders of src. */
const folders = readTable(page, 'Folders of')

/** The rooms of each folder that is divided into rooms; in a folder that is not, every file may import every other. */
const rooms: Readonly<Record<string, Layers>> = Object.fromEntries(
  [...page.matchAll(/^## Rooms of `src\/([a-z]+)\/`$/gm)].map(([, folder = '']) => [folder, readTable(page, 'Rooms of', `${folder}/`)]),
)

function readTable(text: string, title: string, folder = ''): Layers {
  const [, section = ''] = new RegExp(`^## ${title} \`src/${folder}\`.*$([\\s\\S]*?)(?=^## |(?![\\s\\S]))`, 'm').exec(text) ?? []
  const table: Record<string, readonly string[]> = {}
  for (const [, name = '', cell = ''] of section.matchAll(/^\| `([a-z-]+)`.*\| ([^|]+) \|$/gm)) {
    if (cell === 'nothing') table[name] = []
    else if (/^all( above)?$/.test(cell)) table[name] = Object.keys(table)
    else table[name] = cell.split(', ').filter((one) => !one.startsWith('`'))
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

/** Whether a file holds tests. They may import everything, and no source may import them. */
function isTest(path: string): boolean {
  return path.endsWith('.test.ts')
}

/** Helpers of tests obey the folders' table; they may use packages, and reach into every room of their own folder. */
function isHelperOfTests(path: string): boolean {
  return path.endsWith('-for-test.ts')
}

/** What in these sources (text by path in src) breaks the plan, one sentence each. */
function faultsIn(sources: ReadonlyMap<string, string>, divided: Readonly<Record<string, Layers>> = {}): string[] {
  const faults: string[] = []
  const graph = new Map<string, string[]>()
  for (const [path, source] of sources) {
    const edges = edgesOf(path, source)
    graph.set(
      path,
      edges.map((edge) => edge.to),
    )
    const room = roomOf(path)
    if (room !== undefined && divided[folderOf(path)]?.[room] === undefined && divided[folderOf(path)] !== undefined) {
      faults.push(`${path}: ${room} is no room of the plan of ${folderOf(path)}`)
    }
    for (const edge of edges) faults.push(...edgeFaults(path, edge, sources, divided))
  }
  return [...faults, ...cyclesIn(graph)]
}

function edgeFaults(path: string, edge: Edge, sources: ReadonlyMap<string, string>, divided: Readonly<Record<string, Layers>>): string[] {
  const folder = folderOf(path)
  if (edge.isExport && !isFace(path, divided)) return [`${path} re-exports, and is no face`]
  if (!edge.to.endsWith('.ts')) {
    return folder === 'mcp' && !edge.to.startsWith('node:') && !isHelperOfTests(path)
      ? [`${path} imports the package ${edge.to}: mcp has none`]
      : []
  }
  if (edge.to.startsWith('..')) return [`${path} imports ${edge.to} outside src`]
  if (!sources.has(edge.to)) return [`${path} imports ${edge.to}, which is no source`]
  if (isHelperOfTests(edge.to) && !isHelperOfTests(path)) return [`${path} imports ${edge.to}, a helper of tests`]
  const target = folderOf(edge.to)
  if (path === 'main.ts') return edge.to === faceOf('cli') ? [] : [`main.ts imports ${edge.to}: only cli`]
  const allowed = folders[folder]
  if (allowed === undefined) return [`${path}: ${folder} is no folder of the plan`]
  if (target === folder) return siblingFaults(path, edge.to, divided[folder])
  if (folder === settingsFace.importer && edge.to === settingsFace.path) return []
  if (!allowed.includes(target)) return [`${path} imports ${edge.to}: ${folder} may not import ${target}`]
  return edge.to === faceOf(target) ? [] : [`${path} imports ${edge.to}, past the face ${faceOf(target)}`]
}

/** Inside a folder: its rooms keep their own table, and policies do not know each other. Elsewhere anything goes. */
function siblingFaults(from: string, to: string, layers: Layers | undefined): string[] {
  const folder = folderOf(from)
  const [own, other] = [roomOf(from), roomOf(to)]
  if (own === other || isHelperOfTests(from)) return []
  if (folder === 'policy') return own !== undefined && other !== undefined ? [`${from} imports its sibling ${to}`] : []
  if (layers === undefined) return []
  if (other === undefined) return [`${from} imports ${to}, which stands above all rooms`]
  if (own !== undefined && !layers[own]?.includes(other)) return [`${from} imports ${to}: the room ${own} may not import ${other}`]
  const face = `${folder}/${other}/${other}.ts`
  return to === face ? [] : [`${from} imports ${to}, past the face ${face}`]
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

/** The folder inside a folder of src that a file stands in, if any. */
function roomOf(path: string): string | undefined {
  const [, room, file] = path.split('/')
  return file === undefined ? undefined : room
}

function faceOf(folder: string): string {
  return `${folder}/${folder}.ts`
}

function isFace(path: string, divided: Readonly<Record<string, Layers>>): boolean {
  const folder = folderOf(path)
  const room = roomOf(path)
  if (room === undefined) return path === faceOf(folder) || path === settingsFace.path
  return divided[folder] !== undefined && path === `${folder}/${room}/${room}.ts`
}

test('the sources keep the plan', async () => {
  const src = fileURLToPath(new URL('../src', import.meta.url))
  const sources = new Map<string, string>()
  for await (const path of glob('**/*.ts', { cwd: src })) {
    const source = readFileSync(join(src, path), 'utf8')
    if (!isTest(path)) sources.set(path, source)
  }
  assert.ok(sources.size > 50)
  assert.deepEqual(faultsIn(sources, rooms), [])
})

test('each way to break the plan is found', () => {
  const divided = { era: { low: [], high: ['low'] } }
  const rows: readonly [Record<string, string>, string | undefined][] = [
    [{ 'era/era.ts': "import { a } from '../mcp/mcp.ts'", 'mcp/mcp.ts': "export * from './a.ts'", 'mcp/a.ts': '' }, undefined],
    [{ 'mcp/mcp.ts': "import { e } from '../era/era.ts'", 'era/era.ts': '' }, 'mcp may not import era'],
    [{ 'mcp/mcp.ts': "import type { E } from '../era/era.ts'", 'era/era.ts': '' }, 'mcp may not import era'],
    [{ 'mcp/mcp.ts': "const era = await import('../era/era.ts')", 'era/era.ts': '' }, 'mcp may not import era'],
    [{ 'era/a.ts': "import {\n  a,\n} from '../mcp/a.ts'", 'mcp/a.ts': '' }, 'past the face mcp/mcp.ts'],
    [{ 'era/a.ts': "export const a = 1\nexport { b } from './b.ts'", 'era/b.ts': '' }, 'is no face'],
    [{ 'era/a.ts': "import { b } from './b.ts'", 'era/b.ts': "import { a } from './a.ts'" }, 'cycle: era/a.ts → era/b.ts → era/a.ts'],
    [{ 'era/a.ts': "import { b } from './b.ts'", 'era/b.ts': "import type { A } from './a.ts'" }, 'cycle: era/a.ts → era/b.ts → era/a.ts'],
    [{ 'era/a.ts': "import { b } from './b.ts'", 'era/b.ts': "await import('./a.ts')" }, 'cycle: era/a.ts → era/b.ts → era/a.ts'],
    [{ 'era/a.ts': "import { b } from './b-for-test.ts'", 'era/b-for-test.ts': '' }, 'a helper of tests'],
    [{ 'policy/a/a.ts': "import { b } from '../b/b.ts'", 'policy/b/b.ts': '' }, 'imports its sibling'],
    [{ 'policy/order.ts': "import { b } from './b/b.ts'", 'policy/b/b.ts': '' }, undefined],
    [{ 'config/a.ts': "import { b } from '../policy/settings.ts'", 'policy/settings.ts': '' }, undefined],
    [{ 'config/a.ts': "import { b } from '../policy/policy.ts'", 'policy/policy.ts': '' }, 'config may not import policy'],
    [{ 'mcp/a.ts': "import { z } from 'zod'" }, 'mcp has none'],
    [{ 'mcp/a-for-test.ts': "import { z } from 'zod'" }, undefined],
    [{ 'helpers/a.ts': "import { b } from './b.ts'", 'helpers/b.ts': '' }, 'no folder of the plan'],
    [{ 'main.ts': "import { b } from './era/era.ts'", 'era/era.ts': '' }, 'only cli'],
    [
      { 'era/high/a.ts': "import { b } from '../low/low.ts'", 'era/low/low.ts': "export { b } from './b.ts'", 'era/low/b.ts': '' },
      undefined,
    ],
    [{ 'era/era.ts': "import type { B } from './high/high.ts'", 'era/high/high.ts': '' }, undefined],
    [{ 'era/high/a.ts': "import type { B } from '../low/b.ts'", 'era/low/b.ts': '' }, 'past the face era/low/low.ts'],
    [{ 'era/a.ts': "import type { B } from './low/b.ts'", 'era/low/b.ts': '' }, 'past the face era/low/low.ts'],
    [{ 'era/low/a.ts': "import { b } from '../high/high.ts'", 'era/high/high.ts': '' }, 'the room low may not import high'],
    [{ 'era/low/a.ts': "import { b } from '../b.ts'", 'era/b.ts': '' }, 'stands above all rooms'],
    [{ 'era/low/a.ts': "export { b } from './b.ts'", 'era/low/b.ts': '' }, 'is no face'],
    [{ 'era/attic/a.ts': '' }, 'attic is no room of the plan'],
  ]
  for (const [files, expected] of rows) {
    const faults = faultsIn(new Map(Object.entries(files)), divided)
    if (expected === undefined) assert.deepEqual(faults, [])
    else assert.ok(faults.length === 1 && faults[0]?.includes(expected), `${expected}: ${JSON.stringify(faults)}`)
  }
})

test('every table is in the order of its layers', () => {
  assert.equal(Object.keys(folders).length, 16)
  for (const layers of [folders, ...Object.values(rooms)]) {
    const order = Object.keys(layers)
    assert.ok(order.length > 1)
    for (const [name, allowed] of Object.entries(layers)) {
      for (const target of allowed)
        assert.ok(order.indexOf(target) >= 0 && order.indexOf(target) < order.indexOf(name), `${name} imports ${target}`)
    }
  }
})
