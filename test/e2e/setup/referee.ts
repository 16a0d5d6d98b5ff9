import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parse } from 'yaml'
import { must, prepared } from './cache.ts'
import { type Finished, run, start } from './child.ts'
import { type Part, ready } from './part.ts'
import { freePort, listening } from './ports.ts'

const version = '0.2.0-alpha.12'
const programs = join(import.meta.dirname, '../referee')

/** A set of the referee's scenarios, named after the revision of the protocol whose requirements it holds. */
export type RequirementSet = '2025-11-25' | '2026-07-28'

/** How many checks of one scenario passed and failed. Those that don't count towards conformance aren't `isScored`. */
export interface Score {
  readonly scenario: string
  readonly passed: number
  readonly failed: number
  readonly isScored: boolean
}

/** A scenario's score for a client, with what the referee and the client wrote; `isPassed` is false where the client fell out of it too. */
export interface ClientScore extends Score {
  readonly isPassed: boolean
  readonly output: string
}

/** The MCP conformance suite. */
export interface Referee {
  /** Runs all server scenarios of a set against a server, one after the other. */
  judgeServer(url: string, set: RequirementSet): Promise<readonly Score[]>
  /** The client scenarios of a set but those about authorization. */
  clientScenarios(set: RequirementSet): Promise<readonly string[]>
  /** Runs one client scenario: our client goes through mcplex, or straight to the referee. */
  judgeClient(scenario: string, set: RequirementSet, way: 'direct' | 'mcplex'): Promise<ClientScore>
}

/** The referee from npm. */
export async function referee(): Promise<Part<Referee>> {
  const made = await prepared(`conformance-${version}`, (directory) =>
    must('npm', [
      'install',
      '--prefix',
      directory,
      '--no-fund',
      '--no-audit',
      '--loglevel=error',
      `@modelcontextprotocol/conformance@${version}`,
    ]),
  )
  return made.kind === 'missing' ? made : ready(refereeIn(join(made.value, 'node_modules/@modelcontextprotocol/conformance')))
}

/** The server that passes all that the referee requires; it speaks both eras. */
export async function everythingServer(t: TestContext): Promise<string> {
  const port = await freePort()
  await listening(start(t, process.execPath, [join(programs, 'everything-server.ts'), String(port)]), port)
  return `http://127.0.0.1:${port}/mcp`
}

function refereeIn(directory: string): Referee {
  const script = join(directory, 'dist/index.js')
  const requirements = async (set: RequirementSet) =>
    parse(await readFile(join(directory, `requirements/${set}.yaml`), 'utf8')) as Requirements
  return {
    async judgeServer(url, set) {
      const { server, not_scored } = await requirements(set)
      const unscored = not_scored.filter(({ leg }) => leg === 'server').map(({ scenario }) => scenario)
      const { checks, done } = await judge(script, ['server', '--url', url, '--requirements', set, '--timeout', '15000'])
      return [...server, ...unscored].map((scenario) =>
        scoreOf(scenario, checks.get(`server-${scenario}`), done, server.includes(scenario)),
      )
    },
    async clientScenarios(set) {
      const { client, not_scored } = await requirements(set)
      const unscored = not_scored.filter(({ leg }) => leg === 'client').map(({ scenario }) => scenario)
      return [...client, ...unscored].filter((scenario) => !scenario.startsWith('auth/'))
    },
    async judgeClient(scenario, set, way) {
      const { client } = await requirements(set)
      const driver = [process.execPath, join(programs, 'client-driver.ts')].map((path) => JSON.stringify(path)).join(' ')
      const command = way === 'direct' ? `${driver} --direct` : driver
      const { checks, done } = await judge(script, ['client', '--command', command, '--scenario', scenario, '--spec-version', set])
      const score = scoreOf(scenario, checks.get(scenario), done, client.includes(scenario))
      return { ...score, isPassed: done.code === 0, output: `${done.stdout}${done.stderr}` }
    },
  }
}

interface Requirements {
  readonly server: readonly string[]
  readonly client: readonly string[]
  readonly not_scored: readonly { readonly scenario: string; readonly leg: 'server' | 'client' }[]
}

type Checks = readonly { readonly status: string }[]

/** Runs the referee; gives the checks that it wrote down, by what it names their directory after. */
async function judge(script: string, args: readonly string[]): Promise<{ checks: ReadonlyMap<string, Checks>; done: Finished }> {
  const directory = await mkdtemp(join(tmpdir(), 'mcplex-referee-'))
  try {
    const done = await run(process.execPath, [script, ...args, '-o', directory], { timeoutMs: 120_000 })
    const checks = new Map<string, Checks>()
    for (const name of await readdir(directory)) {
      const subject = name.replace(/-\d{4}-\d{2}-\d{2}T[-\d]+Z$/, '')
      checks.set(subject, JSON.parse(await readFile(join(directory, name, 'checks.json'), 'utf8').catch(() => '[]')) as Checks)
    }
    return { checks, done }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function scoreOf(scenario: string, checks: Checks | undefined, done: Finished, isScored: boolean): Score {
  if (checks === undefined)
    throw new Error(`the referee did not judge ${scenario}:\n${done.stdout.slice(-2000)}${done.stderr.slice(-2000)}`)
  const count = (status: string) => checks.filter((check) => check.status === status).length
  return { scenario, passed: count('SUCCESS'), failed: count('FAILURE'), isScored }
}
