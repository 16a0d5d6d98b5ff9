import { randomBytes, randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { parseAddress } from '../../config/config.ts'
import { createApiClient } from '../../kube/kube.ts'
import {
  type ControllerSettings,
  createControllerMetrics,
  defaultSettings,
  ownAccount,
  startController,
} from '../../kubernetes/kubernetes.ts'
import { createLog, type LogLevel } from '../../observe/observe.ts'
import { kubeIdentity } from '../cluster/cluster.ts'
import { openControllerListener } from '../kubernetes/kubernetes.ts'
import { exitCode, hasColor, printLine, type Terminal, version, watchSignals } from '../terminal/terminal.ts'

/** The options as they are written on the command line. */
export interface ControllerOptions {
  readonly kubeconfig?: string
  readonly context?: string
  readonly namespace?: string
  readonly controllerName?: string
  readonly class?: readonly string[]
  readonly image?: string
  readonly imagePullSecret?: readonly string[]
  readonly clusterDomain?: string
  readonly listen: string
  readonly logLevel: LogLevel
}

/**
 * Flags of V8's garbage collector. Each translation is garbage soon after it is made; without these V8 would let the heap grow to twice
 * what a large cluster needs before it collects.
 */
const heapFlags = ['--heap-growing-percent=30', '--semi-space-growth-factor=1']

/**
 * `mcplex controller`: serves a cluster's Gateways of our classes until SIGTERM or SIGINT; then it gives up the lease of the leader and
 * ends. A second signal ends it at once. While the API server can't be reached, it waits. The log goes to stderr.
 */
export async function controller(options: ControllerOptions, terminal: Terminal): Promise<number> {
  const { stderr } = terminal
  const address = parseAddress(options.listen)
  if (address === undefined) {
    printLine(stderr, `error: --listen ${options.listen} is no address: write host:port, such as 127.0.0.1:8081`)
    return exitCode.wrongArguments
  }
  if (options.controllerName !== undefined && !isControllerName(options.controllerName)) {
    printLine(stderr, `error: --controller-name ${options.controllerName} is no domain with a path: write it such as example.com/gateways`)
    return exitCode.wrongArguments
  }
  if (options.namespace !== undefined && !/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(options.namespace)) {
    printLine(stderr, `error: --namespace ${options.namespace} is no name of a namespace: write it such as ${usualNamespace}`)
    return exitCode.wrongArguments
  }
  const found = await kubeIdentity({ kubeconfig: options.kubeconfig, context: options.context }, terminal)
  if (found.kind === 'missing') {
    printLine(stderr, `error: no Kubernetes cluster: ${found.text}`)
    return exitCode.badConfiguration
  }
  const { identity } = found
  const { stopped } = watchSignals(terminal)
  for (const flag of heapFlags) setFlagsFromString(flag)
  const log = createLog({ level: options.logLevel, format: 'auto', stream: stderr, color: hasColor(terminal, stderr) })
  terminal.on('exit', () => log.flush())
  const metrics = createControllerMetrics()
  const client = createApiClient(identity, { userAgent: `mcplex/${version}` })
  const settings = {
    ...settingsOf(options, options.namespace ?? (found.isPod ? identity.namespace : usualNamespace)),
    account: await ownAccount(client),
  }
  const running = startController(client, settings, {
    log,
    metrics,
    now: () => performance.now(),
    wallClock: Date.now,
    random: Math.random,
    randomBytes,
  })
  const listener = await openControllerListener(address, running, metrics)
  if (listener.kind === 'failed') printLine(stderr, `error: ${listener.text}`)
  else {
    const { controllerName, classes, namespace } = settings
    log.info(
      { version, server: identity.server, controllerName, classes, namespace, listen: `${address.host}:${listener.port}` },
      'controller started',
    )
    await stopped
    log.info({}, 'stopping')
  }
  await running.stop()
  await client.close()
  if (listener.kind === 'open') listener.close()
  log.flush()
  return listener.kind === 'open' ? exitCode.good : exitCode.failed
}

/**
 * The lease's namespace outside of a pod. It is not that of the kubeconfig's context, so that two controllers don't both lead. The same as
 * in `deploy/rbac.yaml`.
 */
const usualNamespace = 'mcplex-system'

/** Whether a text is a GatewayController name of the Gateway API: a domain, a slash and a path. */
function isControllerName(text: string): boolean {
  const label = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?'
  return text.length <= 253 && new RegExp(`^${label}(?:\\.${label})*/[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+$`).test(text)
}

function settingsOf(options: ControllerOptions, namespace: string): ControllerSettings {
  const defaults = defaultSettings(version)
  return {
    ...defaults,
    controllerName: options.controllerName ?? defaults.controllerName,
    classes: options.class ?? defaults.classes,
    image: options.image ?? defaults.image,
    imagePullSecrets: options.imagePullSecret ?? defaults.imagePullSecrets,
    clusterDomain: options.clusterDomain ?? defaults.clusterDomain,
    namespace,
    holder: `${hostname()}_${randomUUID()}`,
  }
}
