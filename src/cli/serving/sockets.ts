import { type Address, type Config, formatAddress, headerLimit, type Listener, sizeBytes } from '../../config/config.ts'
import { socketOf } from '../../gateway/gateway.ts'
import {
  defaultEdgeLimits,
  type EdgeLimits,
  type EdgeRefusal,
  type OpenListener,
  openListener,
  planTls,
  type TlsListener,
  type TlsPlan,
} from '../../listen/listen.ts'
import type { Buffers, Exchange } from '../../mcp/mcp.ts'
import type { Log } from '../../observe/observe.ts'

export interface SocketsOptions {
  readonly onExchange: (exchange: Exchange) => void
  readonly onEdgeRefusal: (refusal: EdgeRefusal) => void
  /** Resolves a secret; throws where it can't be resolved any more. */
  readonly secret: (reference: string) => string
  readonly log: Pick<Log, 'warn'>
  /** Counts what clients have not taken. Default: without a bound. */
  readonly buffers?: Buffers
  /** Milliseconds since 1970. Default Date.now. */
  readonly wallNow?: () => number
}

export interface SocketFailure {
  readonly kind: 'port-in-use' | 'failed'
  readonly text: string
  /** What to do about it, if not to choose another address. */
  readonly hint?: string
}

/** The address and port that a listener of the configuration is bound to. */
export interface OpenPlace {
  readonly name: string
  readonly address: string
  readonly port: number
  readonly protocol: Listener['protocol']
}

/** The sockets of a configuration's listeners. Listeners of one address and port share a socket. */
export interface Sockets {
  /**
   * Opens new sockets, puts the new configuration in force with `activate`, then drains sockets that are no longer needed. New certificates
   * are used without reopening a socket. After a failure nothing has changed, unless a socket could not be reopened on its own address.
   */
  change(config: Config, activate: () => void): Promise<SocketFailure | undefined>
  places(): readonly OpenPlace[]
  /** Names of listeners that are not open, because they could not be reopened at their own address after a failed change. */
  closed(): readonly string[]
  /** From now on each reply closes its connection, so that clients move to another replica; nothing else changes. */
  letGo(): void
  drain(graceMs: number): Promise<void>
}

interface Open {
  /** Most bytes of headers that its parser accepts. The lower limit of the configuration is checked for each request. */
  readonly headRoom: number
  readonly speaks: Speech
  readonly listener: OpenListener
}

/** What can't be changed while a socket is open. */
type Speech = 'HTTP' | 'HTTPS' | 'HTTPS that asks clients for certificates'

const drainMs = 30_000

export function createSockets(options: SocketsOptions): Sockets {
  let open = new Map<string, Open>()
  let listeners: readonly Listener[] = []
  let limits = defaultEdgeLimits
  let inForce: ReadonlyMap<string, TlsPlan> = new Map()
  let isLettingGo = false
  const live = liveLimits(() => limits)

  return {
    async change(config, activate) {
      const plans = await plansOf(config, options)
      if ('kind' in plans) return plans
      const before = limits
      limits = limitsOf(config)
      const headRoom = headRoomOf(limits)
      const next = new Map<string, Open>()
      const opened: OpenListener[] = []
      const openAt = async (socket: string, { name, address, port }: Listener, tls: TlsPlan | undefined): Promise<Open | SocketFailure> => {
        const { onExchange, onEdgeRefusal } = options
        const result = await openListener({
          name: socket,
          address,
          port,
          limits: live,
          headRoomBytes: headRoom,
          tls,
          onExchange,
          onEdgeRefusal,
          ...(options.buffers === undefined ? {} : { buffers: options.buffers }),
        })
        if (result.kind !== 'open') {
          const failure = { kind: result.kind, text: `listener "${name}": ${result.text}` }
          return result.kind === 'port-in-use' ? { ...failure, hint: hintFor(config, { host: address, port }) } : failure
        }
        if (isLettingGo) result.letGo()
        return { headRoom, speaks: speechOf(tls), listener: result }
      }
      /** Sockets that were reopened, with what they spoke before. */
      const reopened = new Map<string, { readonly listener: Listener; readonly spoke: Speech }>()
      const undo = async () => {
        for (const one of opened) one.close()
        limits = before
        for (const [socket, { listener, spoke }] of reopened) {
          const now = open.get(socket)
          if (now?.speaks === spoke) continue
          now?.listener.close()
          open.delete(socket)
          const made = await openAt(socket, listener, inForce.get(socket))
          if (!('kind' in made)) open.set(socket, made)
        }
      }
      const unfit = new Map<string, Listener>()
      for (const listener of config.listeners) {
        const socket = socketOf(listener)
        if (next.has(socket) || unfit.has(socket)) continue
        const known = open.get(socket)
        if (known !== undefined && (known.headRoom < headRoom || known.speaks !== speechOf(plans.get(socket)))) {
          unfit.set(socket, listener)
          continue
        }
        const made = known ?? (await openAt(socket, listener, plans.get(socket)))
        if ('kind' in made) {
          await undo()
          return made
        }
        if (known === undefined) opened.push(made.listener)
        next.set(socket, made)
      }
      // An address can't be bound twice, so the old socket stops accepting first. As that can't be undone, it comes last.
      for (const [socket, listener] of unfit) {
        const known = open.get(socket)
        void known?.listener.drain(drainMs)
        open.delete(socket)
        if (known !== undefined) reopened.set(socket, { listener, spoke: known.speaks })
        const made = await openAt(socket, listener, plans.get(socket))
        if ('kind' in made) {
          await undo()
          return made
        }
        // It serves the configuration that is in force, whichever that is.
        open.set(socket, made)
        next.set(socket, made)
      }
      try {
        activate()
      } catch (error) {
        await undo()
        throw error
      }
      for (const [socket, { listener }] of open) if (next.get(socket)?.listener !== listener) void listener.drain(drainMs)
      for (const [socket, { listener }] of next) {
        listener.setConnections(limits.connections)
        const plan = plans.get(socket)
        if (plan === undefined) continue
        listener.setTls(plan)
        for (const warning of plan.warnings) options.log.warn({ ...warning }, 'clients will not take a certificate')
      }
      open = next
      inForce = plans
      listeners = config.listeners
      return undefined
    },
    places: () =>
      listeners.map((listener) => ({
        name: listener.name,
        address: listener.address,
        port: open.get(socketOf(listener))?.listener.port ?? listener.port,
        protocol: listener.protocol,
      })),
    closed: () => listeners.filter((listener) => !open.has(socketOf(listener))).map(({ name }) => name),
    letGo() {
      isLettingGo = true
      for (const { listener } of open.values()) listener.letGo()
    },
    async drain(graceMs) {
      await Promise.all([...open.values()].map(({ listener }) => listener.drain(graceMs)))
    },
  }
}

/** The TLS plan of each socket that speaks TLS; a failure where one can't be made. */
async function plansOf(
  config: Config,
  { secret, wallNow = Date.now }: SocketsOptions,
): Promise<ReadonlyMap<string, TlsPlan> | SocketFailure> {
  const bySocket = new Map<string, TlsListener[]>()
  for (const listener of config.listeners) {
    const { name, hostname, tls } = listener
    if (listener.protocol !== 'HTTPS' || tls === undefined) continue
    const socket = socketOf(listener)
    const certificates = []
    for (const [index, { cert, key }] of tls.certificates.entries()) {
      try {
        certificates.push({ cert, key: secret(key) })
      } catch (error) {
        const text = error instanceof Error ? error.message : 'the secret is gone'
        return { kind: 'failed', text: `listener "${name}": tls.certificates[${index}]: ${text}`, hint: tlsHint }
      }
    }
    bySocket.set(socket, [...(bySocket.get(socket) ?? []), { name, hostname, certificates, clientCa: tls.clientCa }])
  }
  const plans = new Map<string, TlsPlan>()
  for (const [socket, listeners] of bySocket) {
    const plan = await planTls(listeners, wallNow())
    if (plan.kind === 'fault') return { kind: 'failed', text: plan.text, hint: tlsHint }
    plans.set(socket, plan)
  }
  return plans
}

/** The remedy for a port in use. Where there is one listener, the key `listen` and the command line can say its port. */
function hintFor({ listeners }: Config, { host, port }: Address): string {
  const free = { host, port: (port % 65_535) + 1 }
  const next = host === '127.0.0.1' ? free.port : formatAddress(free)
  const other = listeners.length === 1 ? `\`listen: ${next}\` in the file, or --listen ${next}` : 'its `port` in `listeners`'
  return `end the program that has it, or choose another port: ${other}`
}

const tlsHint = 'put the certificate with its chain into `cert`, and its own key, unencrypted, into `key`'

function speechOf(plan: TlsPlan | undefined): Speech {
  return plan === undefined ? 'HTTP' : plan.asksClients ? 'HTTPS that asks clients for certificates' : 'HTTPS'
}

/** Headers that a parser should accept so that the limit can be raised, within reason, without reopening the socket. */
function headRoomOf(limits: EdgeLimits): number {
  return Math.max(64 * 1024, limits.headerBytes)
}

function limitsOf(config: Config): EdgeLimits {
  const { bytes, count } = headerLimit(config.limits.headers)
  return {
    ...defaultEdgeLimits,
    bodyBytes: sizeBytes(config.limits.body),
    headerBytes: bytes,
    headerCount: count,
    connections: config.limits.connections,
  }
}

/** Limits that are read from the current configuration for each request. */
function liveLimits(current: () => EdgeLimits): EdgeLimits {
  return {
    get bodyBytes() {
      return current().bodyBytes
    },
    get headerBytes() {
      return current().headerBytes
    },
    get headerCount() {
      return current().headerCount
    },
    get connections() {
      return current().connections
    },
    headTimeoutMs: defaultEdgeLimits.headTimeoutMs,
    bodyTimeoutMs: defaultEdgeLimits.bodyTimeoutMs,
    idleTimeoutMs: defaultEdgeLimits.idleTimeoutMs,
    writeBufferBytes: defaultEdgeLimits.writeBufferBytes,
  }
}
