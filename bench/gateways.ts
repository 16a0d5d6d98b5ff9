import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createIssuer, proveIdentity } from './identity.ts'
import type { Kind } from './requests.ts'

const here = import.meta.dirname
const root = join(here, '..')

/** A gateway of the plan. `prepare` writes what it needs into a directory of its own. */
export interface Gateway {
  readonly name: string
  /** One for each of the two servers; a plain proxy has the first server alone and its bare names. */
  readonly prefixes: readonly string[]
  /** Which pairings of a client's era and the servers' it is measured in: `equal` where it can't bridge, `same` where those of one era are enough, `first` of a run where one is. */
  readonly pairings: 'all' | 'equal' | 'same' | 'first'
  /** What is measured of it in place of what was asked for. */
  readonly kinds?: readonly Kind[]
  /** The name of the gateway that differs from it in its configuration alone, and runs beside it while it is measured. */
  readonly bare?: string
  readonly needs: readonly string[]
  /** Load before the first figure. Node.js compiles for three or four seconds before a request costs what it will go on costing. */
  readonly warmUpSeconds: number
  prepare(directory: string, port: number, upstreamPorts: readonly [number, number]): Promise<Prepared>
}

export interface Prepared {
  /** Serves in the foreground. */
  readonly command: readonly string[]
  /** Of every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** Throws unless it has done, beside answering, what it is measured for; called when the load is over. */
  prove?(url: string): Promise<void>
}

/** Everything that can be measured; ratios are taken to the first of a run. */
export const gateways: readonly Gateway[] = [
  {
    name: 'nginx',
    prefixes: [''],
    pairings: 'equal',
    needs: ['nginx'],
    warmUpSeconds: 1,
    prepare: async (directory, port, [upstream]) => {
      const file = fillIn('nginx.conf', directory, { port, upstream })
      return { command: ['nginx', '-p', directory, '-c', file] }
    },
  },
  {
    name: 'mcplex',
    prefixes: ['s1_', 's2_'],
    pairings: 'all',
    needs: [],
    warmUpSeconds: 3,
    prepare: async (directory, port, [first, second]) => {
      buildIfStale()
      const file = fillIn('mcplex.yaml', directory, { port, first, second, admin: await findFreePort() })
      return { command: commandOf(file) }
    },
  },
  {
    name: 'mcplex+identity',
    prefixes: ['s1_', 's2_'],
    pairings: 'same',
    kinds: ['call', 'judged'],
    bare: 'mcplex',
    needs: [],
    warmUpSeconds: 4,
    prepare: async (directory, port, [first, second]) => {
      buildIfStale()
      const { token, ...issuer } = await createIssuer()
      const records = join(directory, 'records.jsonl')
      const file = fillIn('identity.yaml', directory, { port, first, second, admin: await findFreePort(), ...issuer, records })
      return {
        command: commandOf(file),
        headers: { Authorization: `Bearer ${token}` },
        prove: (url) => proveIdentity(url, records),
      }
    },
  },
  {
    name: 'sdk-gateway',
    prefixes: ['s1_', 's2_'],
    pairings: 'first',
    needs: [],
    warmUpSeconds: 3,
    prepare: async (_directory, port, upstreamPorts) => {
      const urls = upstreamPorts.map((upstream) => `http://127.0.0.1:${upstream}/mcp`)
      return { command: [process.execPath, join(here, 'sdk-gateway.ts'), String(port), ...urls] }
    },
  },
]

/** A port of the loopback that was free a moment ago. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}

function commandOf(file: string): readonly string[] {
  return [process.execPath, join(root, 'bin/mcplex.js'), 'run', '--config', file]
}

function fillIn(template: string, directory: string, words: Readonly<Record<string, number | string>>): string {
  const file = join(directory, template)
  const text = readFileSync(join(here, template), 'utf8')
  mkdirSync(directory, { recursive: true })
  writeFileSync(
    file,
    text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => String(words[name])),
  )
  return file
}

function buildIfStale(): void {
  const dist = join(root, 'dist')
  const built = existsSync(dist) ? Math.min(...timesOf(dist)) : Number.NEGATIVE_INFINITY
  const newest = Math.max(...timesOf(join(root, 'src')), statSync(join(root, 'package.json')).mtimeMs)
  // An empty dist counts as new for Math.min.
  if (built < newest || built === Number.POSITIVE_INFINITY)
    execFileSync('npm', ['run', 'build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
}

function timesOf(directory: string): readonly number[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs)
}
