import { createSecretCopy, parseSecretName } from '../../config/config.ts'
import { createApiClient } from '../../kube/kube.ts'
import { createLog, createMetrics } from '../../observe/observe.ts'
import { kubeIdentity } from '../cluster/cluster.ts'
import { exitCode, hasColor, printLine, type Terminal, version, watchSignals } from '../terminal/terminal.ts'
import { followSecret } from './follow-secret.ts'
import { createAuditing } from './open-audit.ts'
import { sayProblems } from './say-problems.ts'
import { sayReady } from './say-ready.ts'
import { stopServing } from './stop-serving.ts'

export interface ServeSecretOptions {
  readonly output: 'text' | 'json'
  /** How long everything is still served after a signal, before the drain. */
  readonly drainDelayMs: number
  /** The folder for the copy of the last configuration in force. */
  readonly lastGood?: string
  readonly kubeconfig?: string
  readonly context?: string
}

/**
 * `mcplex run` with the name of a Secret, as pods of a Gateway run it. It waits for as long as there is nothing to serve, since a restart
 * would not help.
 */
export async function serveSecret(named: string, options: ServeSecretOptions, terminal: Terminal): Promise<number> {
  const { stderr } = terminal
  const name = parseSecretName(named)
  if (name === undefined) {
    printLine(stderr, `error: ${named} names no Secret: write it as secret:NAMESPACE/NAME`)
    return exitCode.wrongArguments
  }
  const found = await kubeIdentity({ kubeconfig: options.kubeconfig, context: options.context }, terminal)
  if (found.kind === 'missing') {
    printLine(stderr, `error: no Kubernetes cluster: ${found.text}`)
    return exitCode.badConfiguration
  }
  const { stopped, onReload } = watchSignals(terminal)
  const log = createLog({ level: 'info', format: 'auto', stream: stderr, color: hasColor(terminal, stderr) })
  terminal.on('exit', () => log.flush())
  const client = createApiClient(found.identity, { userAgent: `mcplex/${version}` })
  const lastGood = options.lastGood === undefined ? undefined : createSecretCopy(options.lastGood)
  const metrics = createMetrics({ version })
  const auditing = createAuditing(undefined, { log, metrics }, terminal)
  const following = followSecret(name, {
    client,
    log,
    metrics,
    auditing,
    lastGood,
    random: Math.random,
    say: (document) => sayProblems(document, log, terminal),
  })
  onReload(() => following.reload())

  const first = await Promise.race([following.first, stopped.then(() => undefined)])
  if (first !== undefined) {
    await sayReady(first, { file: named, note: undefined, output: options.output, stopped, log }, terminal)
    await stopped
  }
  following.current()?.gateway.becomeUnready()
  // Waits for a version that is being put in force, so that no socket opens during the drain.
  await following.close()
  const started = following.current()
  if (started !== undefined) await stopServing(started, options.drainDelayMs, log)
  await client.close()
  log.flush()
  return exitCode.good
}
