import { existsSync } from 'node:fs'
import { type Config, findConfigFile, renderProblems, resolveSecret } from '../../config/config.ts'
import { createLog, createMetrics } from '../../observe/observe.ts'
import { type Demo, freePort, startDemo } from '../demo/demo.ts'
import { type Document, parseDocument, placed, printProblems, type ReadingOptions, readDocument, sourceAt } from '../document/document.ts'
import {
  createAuditing,
  followFile,
  type ServeSecretOptions,
  sayProblems,
  sayReady,
  serveSecret,
  startGateway,
  stopServing,
} from '../serving/serving.ts'
import { exitCode, hasColor, printLine, type Terminal, version, watchSignals } from '../terminal/terminal.ts'

export interface RunOptions extends ServeSecretOptions {
  /** A file, or `secret:NAMESPACE/NAME`. */
  readonly config?: string
  /** In the place of what the file says, as its key `listen` has it. */
  readonly listen?: string
  readonly logLevel?: string
}

/** What is served: a file's document, or the demo's with a note about its port. */
interface Plan {
  readonly document: Document
  readonly demo: Demo | undefined
  readonly note: string | undefined
}

/**
 * `mcplex run`: serves a configuration file, a Secret's configuration, or the demo where there is none, until SIGTERM or SIGINT. Then it is
 * no longer ready, lets requests in progress finish, and ends. A second signal ends it at once. The log goes to stderr.
 */
export async function run(options: RunOptions, terminal: Terminal): Promise<number> {
  const named = options.config ?? terminal.env['MCPLEX_CONFIG']
  const { lastGood, kubeconfig, context, listen, logLevel } = options
  if (named?.startsWith('secret:')) {
    if (listen === undefined && logLevel === undefined) return await serveSecret(named, options, terminal)
    printLine(terminal.stderr, 'error: --listen and --log-level go with a file, not with a Secret')
    return exitCode.wrongArguments
  }
  if ([lastGood, kubeconfig, context].some((option) => option !== undefined)) {
    printLine(terminal.stderr, 'error: --last-good, --kubeconfig and --context go with --config secret:NAMESPACE/NAME')
    return exitCode.wrongArguments
  }
  const file = findConfigFile({ flag: options.config, env: terminal.env, cwd: terminal.cwd(), exists: existsSync })
  const overrides = { ...(listen === undefined ? {} : { listen }), ...(logLevel === undefined ? {} : { logLevel }) }
  const plan =
    file === undefined
      ? await demoPlan(terminal, overrides)
      : { document: readDocument(file, terminal, { overrides }), demo: undefined, note: undefined }
  try {
    const { document } = plan
    if (document.config !== undefined) return await serve(plan, document.config, options, terminal)
    printProblems(terminal.stderr, document, terminal, 'text')
    return exitCode.badConfiguration
  } finally {
    plan.demo?.close()
  }
}

async function serve({ document, demo, note }: Plan, config: Config, options: RunOptions, terminal: Terminal): Promise<number> {
  const { stderr } = terminal
  const color = hasColor(terminal, stderr)
  const { stopped, onReload } = watchSignals(terminal)
  const log = createLog({ ...config.observe.log, stream: stderr, color })
  terminal.on('exit', () => log.flush())
  sayProblems(document, log, terminal)
  const metrics = createMetrics({ version })
  const from = sourceAt(document.path, terminal)
  const auditing = createAuditing(demo === undefined ? document.path : undefined, { log, metrics }, terminal)
  const started = await startGateway(config, { log, metrics, auditing, secret: (reference) => resolveSecret(reference, from) })
  if (started.kind === 'refused') {
    log.flush()
    const problems = placed(started.problems, document)
    stderr.write(renderProblems(problems, document.text, { file: document.path, color }))
    // A port in use is not a fault of the document (docs/problems.md).
    return problems.every(({ code }) => code === 'port-in-use') ? exitCode.failed : exitCode.badConfiguration
  }
  const following = demo === undefined ? followFile(document, { started, log, metrics }, terminal) : undefined
  onReload(() => following?.reload())
  const file = demo === undefined ? document.path : undefined
  await sayReady(started, { file, note, output: options.output, stopped, log }, terminal)
  await stopped
  following?.close()
  await stopServing(started, options.drainDelayMs, log)
  return exitCode.good
}

/** Starts the demo, on the next free port where none is named. */
async function demoPlan(terminal: Terminal, overrides: NonNullable<ReadingOptions['overrides']>): Promise<Plan> {
  const demo = await startDemo()
  const port = (await freePort(demoPort)) ?? demoPort
  const admin = `127.0.0.1:${(await freePort(demoAdminPort)) ?? 0}`
  const text = JSON.stringify({ listen: `127.0.0.1:${port}`, servers: demo.urls, admin: { listen: admin } })
  const note = port === demoPort || overrides.listen !== undefined ? undefined : `port ${demoPort} is taken: using ${port}`
  return { document: parseDocument('demo', text, terminal, { overrides }), demo, note }
}

const demoPort = 8080
const demoAdminPort = 15000
