import { execFileSync } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'
import { judgeIdentity } from './budget.ts'
import { findFreePort, gateways } from './gateways.ts'
import { loadCore, measure, waitUntilReady } from './measure.ts'
import { type PinnedProcess, startPinned } from './pinned-process.ts'
import { makePlan, type Row } from './plan.ts'
import { type Era, eras, type Kind, kinds } from './requests.ts'
import { makeTable } from './table.ts'

const usage = `usage: npm run bench -- [--rounds 2] [--seconds 2] [--kinds ${kinds.join(',')}] [--era ${eras.join(',')}]
                        [--upstream-era ${eras.join(',')}] [--plan ${gateways.map(({ name }) => name).join(',')}] [--json FILE]
Every pairing of an era of clients (--era) and of servers (--upstream-era) is measured. A gateway that can't bridge is measured
before servers of its clients' era, and is the base of their ratios in both pairings.`

/** The programs that it needs beside Node, and the Debian package that brings each. */
const packages = { wrk: 'wrk', nginx: 'nginx', go: 'golang-go', taskset: 'util-linux' } as const

interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly kinds: readonly Kind[]
  readonly plan: readonly Row[]
  readonly json: string | undefined
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '2' },
      seconds: { type: 'string', default: '2' },
      kinds: { type: 'string', default: 'call,list' },
      era: { type: 'string', default: eras.join(',') },
      'upstream-era': { type: 'string', default: eras.join(',') },
      plan: { type: 'string', default: gateways.map(({ name }) => name).join(',') },
      json: { type: 'string' },
    },
  })
  const plan = pickAll('plan', values.plan, new Map(gateways.map((gateway) => [gateway.name, gateway])))
  const byEra = new Map(eras.map((era) => [era, era]))
  return {
    rounds: readCount('rounds', values.rounds),
    seconds: readCount('seconds', values.seconds),
    kinds: pickAll('kinds', values.kinds, new Map(kinds.map((kind) => [kind, kind]))),
    plan: makePlan(plan, pickAll('era', values.era, byEra), pickAll('upstream-era', values['upstream-era'], byEra)),
    json: values.json,
  }
}

function readCount(option: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${option}: "${text}" is not a whole number above zero`)
  return Number(text)
}

function pickAll<T>(option: string, words: string, known: ReadonlyMap<string, T>): readonly T[] {
  return [...new Set(words.split(','))].map((word) => {
    const value = known.get(word)
    if (value === undefined) throw new Error(`--${option}: "${word}" is none of ${[...known.keys()].join(', ')}`)
    return value
  })
}

/** Says what this machine lacks and what to do about it, one line each. */
function findLacks(plan: readonly Row[]): readonly string[] {
  const needed = new Set(['wrk', 'go', 'taskset', ...plan.flatMap(({ gateway }) => gateway.needs)])
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

/** Measures every row in every round, and leaves the outcome in it. A row that fails is said on stderr and doesn't end the run. */
async function measureAll({ plan, rounds, seconds, kinds }: Options, directory: string, signal: AbortSignal): Promise<void> {
  const binary = join(directory, 'upstream')
  execFileSync('go', ['build', '-o', binary, '.'], { cwd: join(import.meta.dirname, 'upstream'), stdio: ['ignore', 'inherit', 'inherit'] })
  const upstreams: PinnedProcess[] = []
  try {
    const [legacy, modern] = [await startTwo('legacy'), await startTwo('modern')]
    for (let round = 1; round <= rounds; round++) {
      for (const row of plan) {
        const { gateway, era, upstreamEra } = row
        process.stderr.write(`round ${round} of ${rounds}: ${gateway.name}, ${era} → ${upstreamEra}\n`)
        const upstreamPorts = upstreamEra === 'legacy' ? legacy : modern
        const bare = gateways.find(({ name }) => name === gateway.bare)
        try {
          row.rounds.push(await measure(gateway, bare, { directory, kinds, seconds, era, upstreamPorts, signal }))
        } catch (error) {
          signal.throwIfAborted()
          process.exitCode = 1
          process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
        }
      }
    }
  } finally {
    await Promise.all(upstreams.map((upstream) => upstream.stop()))
  }

  async function startTwo(era: Era): Promise<readonly [number, number]> {
    return [await start(era), await start(era)]
  }

  async function start(era: Era): Promise<number> {
    const port = await findFreePort()
    const child = startPinned(loadCore, [binary, String(port), era], join(directory, `upstream-${port}.log`))
    upstreams.push(child)
    await waitUntilReady(child, { url: `http://127.0.0.1:${port}/mcp`, era, prefixes: [''], headers: {} }, signal)
    return port
  }
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
    await measureAll(options, directory, stop.signal)
    process.stdout.write(`${options.rounds} × ${options.seconds} s, Node ${process.version}\n\n`)
    process.stdout.write(makeTable(options.plan, options.kinds))
    process.stdout.write(judgeIdentity(options.plan))
    if (options.json !== undefined) writeFileSync(options.json, toJson(options.plan))
  } catch (error) {
    if (!stop.signal.aborted) throw error
    process.stderr.write(`${String(stop.signal.reason.message)}\n`)
    process.exitCode = 1
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function toJson(plan: readonly Row[]): string {
  const rows = plan.map(({ gateway, ...row }) => ({ gateway: gateway.name, ...row }))
  return `${JSON.stringify(rows, undefined, 1)}\n`
}

await main()
