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
  /**
   * Opens what is new, by `activate` lets the new configuration in, then drains what is gone. On a failure nothing has changed, unless it is
   * that a socket could not be opened anew at its own address.
   */
  change(config: Config, activate: () => void): Promise<SocketFailure | undefined>
  places(): readonly OpenPlace[]
  /** From now on each reply closes its connection; all else goes on. */
  letGo(): void
  drain(graceMs: number): Promise<void>
}

interface Open {
  /** Bytes of headers that its parser takes; the limit below that is looked at anew for each request. */
  readonly headRoom: number
  readonly listener: OpenListener
}

const drainMs = 30_000

export function createSockets(options: SocketsOptions): Sockets {
  let open = new Map<string, Open>()
  let listeners: readonly Listener[] = []
  let limits = defaultEdgeLimits
  let isLettingGo = false
  const live = liveLimits(() => limits)

  return {
    async change(config, activate) {
      const before = limits
      limits = limitsOf(config)
      const headRoom = headRoomOf(limits)
      const next = new Map<string, Open>()
      const opened: OpenListener[] = []
      const undo = () => {
        for (const one of opened) one.close()
        limits = before
      }
      const openAt = async (socket: string, { name, address, port }: Listener): Promise<Open | SocketFailure> => {
        const result = await openListener({ ...options, name: socket, address, port, limits: live, headRoomBytes: headRoom })
        if (result.kind !== 'open') return { kind: result.kind, text: `listener "${name}": ${result.text}` }
        if (isLettingGo) result.letGo()
        return { headRoom, listener: result }
      }
      const tooSmall = new Map<string, Listener>()
      for (const listener of config.listeners) {
        const socket = socketOf(listener)
        if (next.has(socket) || tooSmall.has(socket)) continue
        const known = open.get(socket)
        if (known !== undefined && known.headRoom < headRoom) {
          tooSmall.set(socket, listener)
          continue
        }
        const made = known ?? (await openAt(socket, listener))
        if ('kind' in made) {
          undo()
          return made
        }
        if (known === undefined) opened.push(made.listener)
        next.set(socket, made)
      }
      // The same address can't be open twice: the old socket stops accepting first. As that can't be undone, it comes last.
      for (const [socket, listener] of tooSmall) {
        void open.get(socket)?.listener.drain(drainMs)
        open.delete(socket)
        const made = await openAt(socket, listener)
        if ('kind' in made) {
          undo()
          return made
        }
        // It serves whichever configuration is in force.
        open.set(socket, made)
        next.set(socket, made)
      }
      try {
        activate()
      } catch (error) {
        undo()
        throw error
      }
      for (const [socket, { listener }] of open) if (next.get(socket)?.listener !== listener) void listener.drain(drainMs)
      for (const { listener } of next.values()) listener.setConnections(limits.connections)
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
    letGo() {
      isLettingGo = true
      for (const { listener } of open.values()) listener.letGo()
    },
    async drain(graceMs) {
      await Promise.all([...open.values()].map(({ listener }) => listener.drain(graceMs)))
    },
  }
}

/** Enough that a limit within reason can be raised without opening the socket anew. */
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
