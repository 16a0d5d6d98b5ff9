import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

const here = import.meta.dirname
const root = join(here, '..')

/** A gateway of the plan. `prepare` writes what it needs into a directory of its own and returns the command that serves in the foreground. */
export interface Gateway {
  readonly name: string
  /** One for each of the two servers; a plain proxy has the first server alone and its bare names. */
  readonly prefixes: readonly string[]
  /** Which pairings of a client's era and the servers' it is measured in: `equal` where it can't bridge, `first` of a run where one is enough. */
  readonly pairings: 'all' | 'equal' | 'first'
  readonly needs: readonly string[]
  /** Load before the first figure. Node.js compiles for three or four seconds before a request costs what it will go on costing. */
  readonly warmUpSeconds: number
  prepare(directory: string, port: number, upstreamPorts: readonly [number, number]): Promise<readonly string[]>
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
      return ['nginx', '-p', directory, '-c', file]
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
      return [process.execPath, join(root, 'bin/mcplex.js'), 'run', '--config', file]
    },
  },
  {
    name: 'sdk-gateway',
    prefixes: ['s1_', 's2_'],
    pairings: 'first',
    needs: [],
    warmUpSeconds: 3,
    prepare: async (_directory, port, upstreamPorts) => [
      process.execPath,
      join(here, 'sdk-gateway.ts'),
      String(port),
      ...upstreamPorts.map((upstream) => `http://127.0.0.1:${upstream}/mcp`),
    ],
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

function fillIn(template: string, directory: string, ports: Readonly<Record<string, number>>): string {
  const file = join(directory, template)
  const text = readFileSync(join(here, template), 'utf8')
  mkdirSync(directory, { recursive: true })
  writeFileSync(
    file,
    text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => String(ports[name])),
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
