import { existsSync } from 'node:fs'
import { type Config, findConfigFile, type Problem, renderProblems, resolveSecret } from '../config/config.ts'
import { createLog, createMetrics } from '../observe/observe.ts'
import { type Demo, startDemo } from './demo.ts'
import { type Document, parseDocument, printProblems, readDocument, sourceAt } from './document.ts'
import { exitCode } from './exit-code.ts'
import { followFile } from './follow-file.ts'
import { freePort } from './free-port.ts'
import { auditOpener } from './open-audit.ts'
import { runSecret } from './run-secret.ts'
import { sayReady } from './say-ready.ts'
import type { SocketFailure } from './sockets.ts'
import { startGateway } from './start-gateway.ts'
import { stopServing } from './stop-serving.ts'
import { stopSignal } from './stop-signal.ts'
import { hasColor, printLine, type Terminal } from './terminal.ts'

export interface RunOptions {
  /** A file, or `secret:NAMESPACE/NAME`. */
  readonly config?: string
  readonly output: 'text' | 'json'
  /** How long everything is served on after a signal, before the drain. */
  readonly drainDelayMs: number
  /** These three are for a Secret alone. The folder for the copy of what was in force last: */
  readonly lastGood?: string
  readonly kubeconfig?: string
  readonly context?: string
}

/** What is served: a file's document, or the demo's with a word about its port. */
interface Plan {
  readonly document: Document
  readonly demo: Demo | undefined
  readonly note: string | undefined
}

/**
 * `mcplex run`: serves a configuration file, a Secret's configuration, or the demo where there is none, until SIGTERM or SIGINT. Then it is
 * not ready at once, lets work in flight finish, and ends well; a second signal ends it at once. The log goes to stderr.
 */
export async function run(options: RunOptions, terminal: Terminal): Promise<number> {
  const named = options.config ?? terminal.env['MCPLEX_CONFIG']
  if (named?.startsWith('secret:')) return await runSecret(named, options, terminal)
  const { lastGood, kubeconfig, context } = options
  if ([lastGood, kubeconfig, context].some((option) => option !== undefined)) {
    printLine(terminal.stderr, 'error: --last-good, --kubeconfig and --context go with --config secret:NAMESPACE/NAME')
    return exitCode.wrongArguments
  }
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

async function serve({ document, demo, note }: Plan, config: Config, options: RunOptions, terminal: Terminal): Promise<number> {
  const { stderr } = terminal
  const color = hasColor(terminal, stderr)
  const stopped = stopSignal(terminal)
  const log = createLog({ ...config.observe.log, stream: stderr, color })
  terminal.on('exit', () => log.flush())
  const metrics = createMetrics()
  const from = sourceAt(document.path, terminal)
  const openAudit = auditOpener(demo === undefined ? document.path : undefined, { log, metrics }, terminal)
  const started = await startGateway(config, { log, metrics, openAudit, secret: (reference) => resolveSecret(reference, from) })
  if (started.kind !== 'started') {
    stderr.write(renderProblems([problemOf(started)], '', { file: document.path, color }))
    // A port that is taken is no fault of the document (docs/problems.md).
    return started.kind === 'port-in-use' ? exitCode.failed : exitCode.badConfiguration
  }
  const watch = demo === undefined ? followFile(document, { started, log, metrics }, terminal) : undefined
  const file = demo === undefined ? document.path : undefined
  await sayReady(started, { file, note, output: options.output, stopped, log }, terminal)
  await stopped
  watch?.close()
  await stopServing(started, options.drainDelayMs, log)
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

function problemOf({ kind, text, hint }: SocketFailure): Problem {
  if (kind === 'failed')
    return {
      code: 'bad-value',
      path: '',
      severity: 'error',
      text,
      hint: hint ?? 'choose an address of this machine, and a port that you may open',
    }
  return { code: 'port-in-use', path: '', severity: 'error', text, hint: 'choose another port, or end the program that has it' }
}
