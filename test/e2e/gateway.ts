import assert from 'node:assert/strict'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import { atEnd } from './setup/at-end.ts'
import { checkout } from './setup/cache.ts'
import { type Child, type Finished, run, type Surroundings, start } from './setup/child.ts'
import { freePort } from './setup/ports.ts'
import { until } from './setup/wait.ts'

/** The program under test: the sources, or what MCPLEX_COMMAND says in paths from the checkout, such as `PATH/node bin/mcplex.js`. */
export const mcplexCommand: readonly string[] = (process.env['MCPLEX_COMMAND'] ?? `${process.execPath} src/main.ts`)
  .split(' ')
  .map((path) => resolve(checkout, path))
const [program = process.execPath, ...programArgs] = mcplexCommand

/** A running mcplex. */
export interface Gateway {
  readonly port: number
  readonly origin: string
  /** The endpoint without agents. */
  readonly url: string
  /** All that the process has written to stderr. */
  log(): string
  /** Replaces the document's text (listener and admin stay), as an editor does: in place, or by a rename. */
  write(body: string, how: 'in place' | 'by rename'): Promise<void>
  /** A GET to the admin listener. */
  admin(path: string): Promise<{ readonly status: number; readonly text: string }>
  /** Sends SIGTERM and returns at once. */
  terminate(): void
  /** Sends SIGTERM, where that wasn't done yet, and asserts that the process ends with exit code 0. */
  stop(): Promise<void>
}

/** Starts mcplex with a document of free ports and the given rest, and waits until it is ready. The test's end stops it, which must go well. */
export async function startGateway(t: TestContext, body: string, around: Surroundings = {}): Promise<Gateway> {
  const port = await freePort()
  const adminPort = await freePort()
  const document = (rest: string) => `listen: 127.0.0.1:${port}\nadmin: { listen: "127.0.0.1:${adminPort}" }\n${rest}`
  const directory = await temporaryDirectory(t)
  const file = join(directory, 'mcplex.yaml')
  await writeFile(file, document(body))
  const child = startMcplex(t, ['run', '--config', file], around)
  const admin = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${adminPort}${path}`, { signal: AbortSignal.timeout(5000) })
    return { status: response.status, text: await response.text() }
  }
  await untilReady(child, async () => ((await admin('/readyz')).status === 200 ? true : undefined))

  let isTerminated = false
  let stopped: Promise<void> | undefined
  const gateway: Gateway = {
    port,
    origin: `http://127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}/mcp`,
    log: child.stderr,
    admin,
    terminate() {
      isTerminated = true
      child.kill('SIGTERM')
    },
    async write(rest, how) {
      if (how === 'in place') return writeFile(file, document(rest))
      const draft = join(directory, 'draft')
      await writeFile(draft, document(rest))
      await rename(draft, file)
    },
    stop() {
      if (!isTerminated) gateway.terminate()
      stopped ??= endWell(child)
      return stopped
    },
  }
  atEnd(t, () => gateway.stop())
  return gateway
}

/** Starts mcplex with these arguments; the test's end kills it. */
export function startMcplex(t: TestContext, args: readonly string[], around: Surroundings = {}): Child {
  return start(t, program, [...programArgs, ...args], { cwd: checkout, ...around })
}

/** Runs mcplex with these arguments to its end. */
export function runMcplex(args: readonly string[], around: Surroundings = {}): Promise<Finished> {
  return run(program, [...programArgs, ...args], { cwd: checkout, timeoutMs: 30_000, ...around })
}

/** Waits until the probe gives a value; throws with the process's output where it ends first. */
export async function untilReady<T>(child: Child, probe: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const explain = () => `${child.stdout()}${child.stderr()}`
  const found = await until<{ value: T } | 'ended'>(
    'mcplex ready',
    async () => {
      if (!child.isRunning) return 'ended'
      const value = await probe()
      return value === undefined ? undefined : { value }
    },
    { timeoutMs: 30_000, explain },
  )
  if (found !== 'ended') return found.value
  const { code, signal } = await child.finished
  throw new Error(`mcplex ended with ${code ?? signal} before it was ready:\n${explain()}`)
}

/** A directory that the test's end removes. */
export async function temporaryDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'mcplex-e2e-'))
  atEnd(t, () => rm(directory, { recursive: true, force: true }))
  return directory
}

async function endWell(child: Child): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
  const { code, signal, stderr } = await child.finished
  clearTimeout(timer)
  assert.deepEqual({ code, signal }, { code: 0, signal: undefined }, `mcplex did not end well:\n${stderr.slice(-4000)}`)
}
