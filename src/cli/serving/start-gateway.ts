import { randomBytes } from 'node:crypto'
import { type DocumentSource, type OpenAdmin, openAdmin } from '../../admin/admin.ts'
import { type Config, formatAddress, type Problem, parseAddress } from '../../config/config.ts'
import { createGateway, type Gateway } from '../../gateway/gateway.ts'
import { Buffers } from '../../mcp/mcp.ts'
import type { Log, Metrics } from '../../observe/observe.ts'
import { version } from '../terminal/terminal.ts'
import { bufferBytes } from './buffer-bytes.ts'
import { describeChange } from './describe-change.ts'
import type { Auditing } from './open-audit.ts'
import { createSockets, type OpenPlace, type SocketFailure } from './sockets.ts'

export interface StartDeps {
  readonly log: Log
  readonly metrics: Metrics
  /** Resolves a secret; throws where it can't be resolved any more. */
  readonly secret: (reference: string) => string
  readonly auditing: Auditing
  /** Where the configuration in force came from, for `/status`. */
  readonly source?: () => DocumentSource | undefined
}

export interface StopOptions {
  /** Until it resolves, everything is still served, but nothing is ready, and each reply closes its connection. */
  readonly delay: Promise<void>
  /** How long requests in progress may take after that. */
  readonly graceMs: number
}

/** A gateway with its sockets open. */
export interface Started {
  readonly kind: 'started'
  readonly gateway: Gateway
  places(): readonly OpenPlace[]
  /** Puts a new configuration in force. After a failure the previous one goes on. */
  reload(config: Config): Promise<Applied | Refused>
  /** Is no longer ready at once; requests in progress may finish after the delay. */
  stop(options: StopOptions): Promise<void>
}

/** A configuration that can't be put in force, with at least one error that says why. */
export interface Refused {
  readonly kind: 'refused'
  readonly problems: readonly Problem[]
}

/** The result of a reload that has put the new configuration in force. */
export interface Applied {
  readonly kind: 'applied'
  /** What has changed, on one line. */
  readonly changes: string
  /** How many listening clients were told that their lists have changed; without those of servers that have not answered yet. */
  readonly clientsTold: Promise<number>
}

/** Connects the gateway, the sockets of its listeners, and the admin and health listeners. */
export async function startGateway(first: Config, deps: StartDeps): Promise<Started | Refused> {
  const { log, metrics } = deps
  const unwritable = deps.auditing.problemsOf(first, undefined)
  if (unwritable.length > 0) return { kind: 'refused', problems: unwritable }
  const buffers = new Buffers(bufferBytes(first))
  const gateway = createGateway(first, {
    buffers,
    info: { name: 'mcplex', version },
    log,
    metrics,
    now: () => performance.now(),
    random: randomBytes,
    secret: deps.secret,
    openAudit: deps.auditing.open,
    closedListeners: () => sockets.closed(),
  })
  const sockets = createSockets({
    buffers,
    secret: deps.secret,
    log,
    onExchange: (exchange) => void gateway.serve(exchange),
    onEdgeRefusal(refusal) {
      metrics.countEdgeRefusal(refusal.reason)
      gateway.recordEdgeRefusal(refusal)
      log.info({ ...refusal }, 'refused at the edge')
    },
  })
  const views = createViews(gateway, deps, () => sockets.places())

  const failure = (await sockets.change(first, () => {})) ?? (await views.change(first))
  if (failure !== undefined) {
    await Promise.all([sockets.drain(0), gateway.close(0)])
    views.close()
    return refusedFor(failure)
  }
  metrics.configure(first.observe.metrics ?? {})
  metrics.show({
    isReady: () => gateway.readiness().isReady,
    closedWays: () => gateway.readiness().closedWays,
    buffers: () => buffers,
  })
  metrics.noteStart()
  return {
    kind: 'started',
    gateway,
    places: () => sockets.places(),
    async reload(config) {
      const before = gateway.config()
      const unwritable = deps.auditing.problemsOf(config, before)
      if (unwritable.length > 0) return { kind: 'refused', problems: unwritable }
      const tools = new Map(gateway.status().servers.map((server) => [`${server.backend}/${server.name}`, server.tools]))
      let clientsTold = Promise.resolve(0)
      const activate = () => {
        clientsTold = gateway.apply(config)
        buffers.limitBytes = bufferBytes(config)
      }
      try {
        const failure = (await views.change(config)) ?? (await sockets.change(config, activate))
        if (failure === undefined) {
          metrics.configure(config.observe.metrics ?? {})
          return { kind: 'applied', changes: describeChange(before, config, (server) => tools.get(server)), clientsTold }
        }
        // All or nothing: sockets that were opened for a configuration that is refused are closed again.
        await views.change(gateway.config())
        return refusedFor(failure)
      } catch (error) {
        await views.change(gateway.config())
        return refusedFor({ kind: 'failed', text: error instanceof Error ? error.message : String(error) })
      }
    },
    async stop({ delay, graceMs }) {
      gateway.becomeUnready()
      sockets.letGo()
      await delay
      const startedAt = performance.now()
      gateway.startDraining()
      await sockets.drain(graceMs)
      // Calls whose clients have disconnected are in progress without a connection.
      await gateway.close(Math.max(0, graceMs - (performance.now() - startedAt)))
      views.close()
    },
  }
}

function refusedFor(failure: SocketFailure): Refused {
  return { kind: 'refused', problems: [problemOf(failure)] }
}

/** A socket that can't be opened, as a problem of the document. */
function problemOf({ kind, text, hint }: SocketFailure): Problem {
  const about = { path: '', severity: 'error', text } as const
  if (kind === 'port-in-use') return { ...about, code: 'port-in-use', hint: hint ?? 'choose another port, or end the program that has it' }
  return { ...about, code: 'bad-value', hint: hint ?? 'choose an address of this machine, and a port that you may open' }
}

interface View {
  readonly settings: string
  readonly open: OpenAdmin
}

/** The admin and health listeners, which are reopened when their settings change. */
function createViews(gateway: Gateway, deps: StartDeps, listeners: () => readonly OpenPlace[]) {
  const views = new Map<string, View>()
  const open = async (name: string, listen: string, token: string | undefined): Promise<SocketFailure | undefined> => {
    const known = views.get(name)
    const settings = JSON.stringify([listen, token])
    if (known?.settings === settings) return undefined
    const address = listen === 'off' ? undefined : parseAddress(listen)
    if (address === undefined) {
      known?.open.close()
      views.delete(name)
      return undefined
    }
    if (known !== undefined && JSON.parse(known.settings)[0] === listen) known.open.close()
    const options = { ...address, token, isHealthOnly: name === 'health', gateway, metrics: deps.metrics, listeners, source: deps.source }
    const result = await openAdmin(options)
    if (result.kind !== 'open') {
      const other = `${name}: { listen: "${formatAddress({ ...address, port: (address.port % 65_535) + 1 })}" }`
      const hint = `end the program that has it, or choose another port: \`${other}\` in the file`
      return { kind: result.kind, text: `${name} listener: ${result.text}`, ...(result.kind === 'port-in-use' ? { hint } : {}) }
    }
    known?.open.close()
    views.set(name, { settings, open: result })
    return undefined
  }
  return {
    async change(config: Config): Promise<SocketFailure | undefined> {
      const { token } = config.admin
      const admin = await open('admin', config.admin.listen, token === undefined ? undefined : deps.secret(token))
      return admin ?? open('health', config.health.listen, undefined)
    },
    close() {
      for (const view of views.values()) view.open.close()
    },
  }
}
