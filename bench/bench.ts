import { execFileSync } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'
import { findFreePort, type Gateway, gateways } from './gateways.ts'
import { loadCore, type Measurement, measure, waitUntilReady } from './measure.ts'
import { startPinned } from './pinned-process.ts'
import { type Era, type Kind, kinds } from './requests.ts'

const usage = `usage: npm run bench -- [--rounds 3] [--seconds 3] [--kinds ${kinds.join(',')}] [--era legacy|modern]
                        [--upstream-era legacy|modern] [--plan ${gateways.map(({ name }) => name).join(',')}] [--json FILE]`

/** The programs that it needs beside Node, and the Debian package that brings each. */
const packages = { wrk: 'wrk', nginx: 'nginx', go: 'golang-go', taskset: 'util-linux' } as const

interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly kinds: readonly Kind[]
  readonly era: Era
  readonly upstreamEra: Era
  readonly plan: readonly Gateway[]
  readonly json: string | undefined
}

/** What a gateway's measurements, one a round, come to. */
type Results = ReadonlyMap<string, readonly Measurement[]>

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '3' },
      kinds: { type: 'string', default: 'call,list' },
      era: { type: 'string', default: 'legacy' },
      'upstream-era': { type: 'string', default: 'legacy' },
      plan: { type: 'string', default: gateways.map(({ name }) => name).join(',') },
      json: { type: 'string' },
    },
  })
  const byName = Object.fromEntries(gateways.map((gateway) => [gateway.name, gateway]))
  return {
    rounds: readCount('rounds', values.rounds),
    seconds: readCount('seconds', values.seconds),
    kinds: values.kinds.split(',').map((kind) => pick('kinds', kind, Object.fromEntries(kinds.map((known) => [known, known])))),
    era: pick<Era>('era', values.era, { legacy: 'legacy', modern: 'modern' }),
    upstreamEra: pick<Era>('upstream-era', values['upstream-era'], { legacy: 'legacy', modern: 'modern' }),
    plan: values.plan.split(',').map((name) => pick('plan', name, byName)),
    json: values.json,
  }
}

function readCount(option: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${option}: "${text}" is not a whole number above zero`)
  return Number(text)
}

function pick<T>(option: string, word: string, known: Readonly<Record<string, T>>): T {
  const value = Object.hasOwn(known, word) ? known[word] : undefined
  if (value === undefined) throw new Error(`--${option}: "${word}" is none of ${Object.keys(known).join(', ')}`)
  return value
}

/** Says what this machine lacks and what to do about it, one line each. */
function findLacks(plan: readonly Gateway[]): readonly string[] {
  const needed = new Set(['wrk', 'go', 'taskset', ...plan.flatMap(({ needs }) => needs)])
  const missing = Object.entries(packages).filter(([program]) => needed.has(program) && !isInstalled(program))
  return [
    ...(process.platform === 'linux' ? [] : ['needs Linux: it reads CPU time from /proc']),
    ...(cpus().length >= 2 ? [] : ['needs two cores: one for the gateway, one for the load']),
    ...missing.map(([program, name]) => `${program} is missing: apt-get install ${name}`),
  ]
}

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

async function measureAll(options: Options, directory: string, signal: AbortSignal): Promise<Results> {
  const results = new Map<string, Measurement[]>(options.plan.map(({ name }) => [name, []]))
  const binary = join(directory, 'upstream')
  execFileSync('go', ['build', '-o', binary, '.'], { cwd: join(import.meta.dirname, 'upstream'), stdio: ['ignore', 'inherit', 'inherit'] })
  const upstreamPorts = [await findFreePort(), await findFreePort()] as const
  const upstreams = upstreamPorts.map((port) => ({
    child: startPinned(loadCore, [binary, String(port), options.upstreamEra], join(directory, `upstream-${port}.log`)),
    endpoint: { url: `http://127.0.0.1:${port}/mcp`, era: options.upstreamEra, prefixes: [''] },
  }))
  try {
    await Promise.all(upstreams.map(({ child, endpoint }) => waitUntilReady(child, endpoint, signal)))
    for (let round = 1; round <= options.rounds; round++) {
      for (const gateway of options.plan) {
        process.stderr.write(`round ${round} of ${options.rounds}: ${gateway.name}\n`)
        try {
          results.get(gateway.name)?.push(await measure(gateway, { ...options, directory, upstreamPorts, signal }))
        } catch (error) {
          signal.throwIfAborted()
          process.exitCode = 1
          process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
        }
      }
    }
  } finally {
    await Promise.all(upstreams.map(({ child }) => child.stop()))
  }
  return results
}

/** The lowest figure of the rounds, since what else runs on the machine only ever adds to it; all bad replies are counted. */
function makeTable(options: Options, results: Results): string {
  const lowest = (name: string, read: (one: Measurement) => number | undefined): number | undefined => {
    const figures = (results.get(name) ?? []).map(read).filter((figure) => figure !== undefined)
    return figures.length === 0 ? undefined : Math.min(...figures)
  }
  const first = options.plan[0]?.name ?? ''
  const titles = options.kinds.map((kind) => `${kind}, CPU µs (× ${first})`)
  const rows = options.plan.map(({ name }) => {
    const costs = options.kinds.map((kind) => {
      const cost = lowest(name, ({ cpuUs }) => cpuUs[kind])
      const base = lowest(first, ({ cpuUs }) => cpuUs[kind])
      return `${print(cost, 1)} (${print(cost === undefined || base === undefined ? undefined : cost / base, 2)})`
    })
    const bad = (results.get(name) ?? []).reduce((sum, one) => sum + one.bad, 0)
    const memory = `${print(lowest(name, ({ idleMb }) => idleMb))} / ${print(lowest(name, ({ loadMb }) => loadMb))}`
    const latency = print(lowest(name, ({ p50Us }) => p50Us))
    return [
      name,
      ...costs,
      latency,
      print(
        lowest(name, ({ readySeconds }) => readySeconds),
        2,
      ),
      memory,
      String(bad),
    ]
  })
  const head = ['gateway', ...titles, 'p50 µs, 1 connection', 'ready s', 'RSS MB idle / load', 'bad replies']
  return [head, head.map((_, column) => (column === 0 ? '---' : '--:')), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

function print(figure: number | undefined, digits = 0): string {
  return figure === undefined ? '–' : figure.toFixed(digits)
}

/** Measures the plan and prints the table. Exit codes: 1 a gateway could not be measured, 2 wrong arguments or a program is missing. */
async function main(): Promise<void> {
  let options: Options
  try {
    options = readOptions()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`)
    process.exitCode = 2
    return
  }
  // Debian keeps nginx in a directory that isn't in everybody's PATH.
  process.env['PATH'] = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin`
  const lacks = findLacks(options.plan)
  if (lacks.length > 0) {
    process.stderr.write(`${lacks.join('\n')}\n`)
    process.exitCode = 2
    return
  }
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error(`ended by ${name}`)))
  execFileSync('taskset', ['-a', '-p', '-c', String(loadCore), String(process.pid)], { stdio: 'ignore' })
  const directory = mkdtempSync(join(tmpdir(), 'mcplex-bench-'))
  try {
    const results = await measureAll(options, directory, stop.signal)
    process.stdout.write(
      `clients ${options.era}, servers ${options.upstreamEra}, ${options.rounds} × ${options.seconds} s, Node ${process.version}\n\n`,
    )
    process.stdout.write(makeTable(options, results))
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(Object.fromEntries(results), undefined, 1)}\n`)
  } catch (error) {
    if (!stop.signal.aborted) throw error
    process.stderr.write(`${String(stop.signal.reason.message)}\n`)
    process.exitCode = 1
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

await main()
