import { type Config, headerLimit, type Listener, sizeBytes } from '../config/config.ts'
import { socketOf } from '../gateway/gateway.ts'
import { defaultEdgeLimits, type EdgeLimits, type EdgeRefusal, type OpenListener, openListener } from '../listen/listen.ts'
import type { Exchange } from '../mcp/mcp.ts'

export interface SocketsOptions {
  readonly onExchange: (exchange: Exchange) => void
  readonly onEdgeRefusal: (refusal: EdgeRefusal) => void
}

export interface SocketFailure {
  readonly kind: 'port-in-use' | 'failed'
  readonly text: string
}

/** Where a listener of the configuration is open. */
export interface OpenPlace {
  readonly name: string
  readonly address: string
  readonly port: number
}

/** The sockets of a configuration's listeners; listeners of one address and port share theirs. */
export interface Sockets {
  /** Opens what is new, by `activate` lets the new configuration in, then drains what is gone. On a failure nothing has changed. */
  change(config: Config, activate: () => void): Promise<SocketFailure | undefined>
  places(): readonly OpenPlace[]
  drain(graceMs: number): Promise<void>
}

interface Open {
  /** What can't be changed while it is open. */
  readonly fixed: string
  readonly listener: OpenListener
}

const drainMs = 30_000

export function createSockets(options: SocketsOptions): Sockets {
  let open = new Map<string, Open>()
  let listeners: readonly Listener[] = []
  let limits = defaultEdgeLimits
  const live = liveLimits(() => limits)

  const openOne = async (socket: string, listener: Listener): Promise<OpenListener | SocketFailure> =>
    openListener({ ...options, name: socket, address: listener.address, port: listener.port, limits: live })

  return {
    async change(config, activate) {
      const before = limits
      limits = limitsOf(config)
      const fixed = `${limits.headerBytes} ${limits.connections}`
      const next = new Map<string, Open>()
      const opened: OpenListener[] = []
      for (const listener of config.listeners) {
        const socket = socketOf(listener)
        if (next.has(socket)) continue
        const known = open.get(socket)
        if (known?.fixed === fixed) {
          next.set(socket, known)
          continue
        }
        // The same address can't be open twice: the old socket stops accepting first.
        if (known !== undefined) void known.listener.drain(drainMs)
        const result = await openOne(socket, listener)
        if (result.kind !== 'open') {
          for (const one of opened) one.close()
          limits = before
          return { kind: result.kind, text: `listener "${listener.name}": ${result.text}` }
        }
        opened.push(result)
        next.set(socket, { fixed, listener: result })
      }
      activate()
      for (const [socket, { listener }] of open) if (next.get(socket)?.listener !== listener) void listener.drain(drainMs)
      open = next
      listeners = config.listeners
      return undefined
    },
    places: () =>
      listeners.map((listener) => ({
        name: listener.name,
        address: listener.address,
        port: open.get(socketOf(listener))?.listener.port ?? listener.port,
      })),
    async drain(graceMs) {
      await Promise.all([...open.values()].map(({ listener }) => listener.drain(graceMs)))
    },
  }
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

/** Limits that open sockets read anew for each request. */
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
