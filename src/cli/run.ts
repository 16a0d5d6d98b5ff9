import { existsSync } from 'node:fs'
import { type Config, findConfigFile, type Problem, renderProblems, resolveSecret } from '../config/config.ts'
import { createLog, createMetrics } from '../observe/observe.ts'
import { bannerLines, type Ready } from './banner.ts'
import { type Demo, startDemo } from './demo.ts'
import { type Document, parseDocument, printProblems, readDocument, sourceAt } from './document.ts'
import { endpointsOf, serverLines } from './endpoints.ts'
import { exitCode } from './exit-code.ts'
import { followFile } from './follow-file.ts'
import { freePort } from './free-port.ts'
import type { SocketFailure } from './sockets.ts'
import { type Started, startGateway } from './start-gateway.ts'
import { hasColor, printJson, printLine, type Terminal } from './terminal.ts'
import { version } from './version.ts'

export interface RunOptions {
  readonly config: string | undefined
  readonly output: 'text' | 'json'
}

/** What is served: a file's document, or the demo's with a word about its port. */
interface Plan {
  readonly document: Document
  readonly demo: Demo | undefined
  readonly note: string | undefined
}

/** How long the first words wait for servers that don't answer. */
const patienceMs = 1500
/** How long requests in flight may go on after a signal: less than the 30 s that Kubernetes gives. */
const graceMs = 25_000

/**
 * `mcplex run`: serves a configuration file, or the demo where there is none, until SIGTERM or SIGINT. Then it is not ready
 * at once, lets work in flight finish, and ends well; a second signal ends it at once. The log goes to stderr.
 */
export async function run(options: RunOptions, terminal: Terminal): Promise<number> {
  const file = findConfigFile({ flag: options.config, env: terminal.env, cwd: terminal.cwd(), exists: existsSync })
  const plan = file === undefined ? await demoPlan(terminal) : { document: readDocument(file, terminal), demo: undefined, note: undefined }
  try {
    const { document } = plan
    printProblems(terminal.stderr, document, terminal, 'text')
    return document.config === undefined ? exitCode.badConfiguration : await serve(plan, document.config, options, terminal)
  } finally {
    plan.demo?.close()
  }
}

async function serve(plan: Plan, config: Config, options: RunOptions, terminal: Terminal): Promise<number> {
  const { document } = plan
  const { stderr } = terminal
  const color = hasColor(terminal, stderr)
  const stopped = signal(terminal)
  const log = createLog({ ...config.observe.log, stream: stderr, color })
  terminal.on('exit', () => log.flush())
  const metrics = createMetrics()
  const from = sourceAt(document.path, terminal)
  const started = await startGateway(config, { log, metrics, secret: (reference) => resolveSecret(reference, from) })
  if (started.kind !== 'started') {
    stderr.write(renderProblems([problemOf(started)], '', { file: document.path, color }))
    // A port that is taken is no fault of the document (docs/problems.md).
    return started.kind === 'port-in-use' ? exitCode.failed : exitCode.badConfiguration
  }
  const watch = plan.demo === undefined ? followFile(document, { started, log, metrics }, terminal) : undefined

  await Promise.race([started.gateway.settled(), pause(patienceMs), stopped])
  log.flush()
  sayReady(readyOf(plan, started), options, terminal)

  await stopped
  log.info({}, 'stopping: work in flight may finish')
  watch?.close()
  await started.stop(graceMs)
  log.flush()
  return exitCode.good
}

/** The demo, at the next free port. */
async function demoPlan(terminal: Terminal): Promise<Plan> {
  const demo = await startDemo()
  const port = (await freePort(demoPort)) ?? demoPort
  const admin = `127.0.0.1:${(await freePort(demoAdminPort)) ?? 0}`
  const text = JSON.stringify({ listen: `127.0.0.1:${port}`, servers: demo.urls, admin: { listen: admin } })
  const note = port === demoPort ? undefined : `port ${demoPort} is taken: using ${port}`
  return { document: parseDocument('demo', text, terminal), demo, note }
}

const demoPort = 8080
const demoAdminPort = 15000

function readyOf({ document, demo, note }: Plan, { gateway, places }: Started): Ready {
  const ports = new Map(places().map(({ name, port }) => [name, port]))
  return {
    version,
    readyMs: Math.round(performance.now()),
    file: demo === undefined ? document.path : undefined,
    endpoints: endpointsOf(gateway.config(), ports),
    servers: serverLines(gateway.status()),
    note,
  }
}

function sayReady(ready: Ready, { output }: RunOptions, { stdout, stderr }: Terminal): void {
  if (output === 'json') printJson(stdout, ready)
  else for (const line of bannerLines(ready)) printLine(stderr, line)
}

function problemOf({ kind, text }: SocketFailure): Problem {
  if (kind === 'failed')
    return { code: 'bad-value', path: '', severity: 'error', text, hint: 'choose an address of this machine, and a port that you may open' }
  return { code: 'port-in-use', path: '', severity: 'error', text, hint: 'choose another port, or end the program that has it' }
}

/** Resolves at the first signal; the second ends the process. */
function signal(terminal: Terminal): Promise<void> {
  return new Promise((resolve) => {
    let count = 0
    const stop = () => {
      count++
      if (count === 2) terminal.exit(exitCode.failed)
      resolve()
    }
    terminal.on('SIGTERM', stop)
    terminal.on('SIGINT', stop)
    terminal.on('SIGHUP', stop)
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
