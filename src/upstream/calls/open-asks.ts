import type { Asked } from '../../era/era.ts'
import { type Ask, type Capabilities, capability } from '../../mcp/mcp.ts'

export interface OpenAsksOptions {
  /** The server's key. */
  readonly server: string
  /** The server's id of the session in which it asks. */
  readonly session: string | undefined
  /** How many may be open at a time. */
  readonly max: number
  /** What happens beyond `max`: true drops the oldest request, false refuses the newest. */
  readonly isRolling: boolean
  /** How many more characters the open requests of the server may hold, all together. */
  readonly room: { chars: number }
  readonly post: (id: string, rest: string) => void
  /** Called with the number of open requests whenever it changes. */
  readonly onCount: (count: number) => void
}

/** A server's requests that wait for the response of one client: those made during one call, or on one stream. */
export class OpenAsks {
  readonly #options: OpenAsksOptions
  readonly #open = new Map<string, OpenAsk>()

  constructor(options: OpenAsksOptions) {
    this.#options = options
  }

  get session(): string | undefined {
    return this.#options.session
  }

  get count(): number {
    return this.#open.size
  }

  has(id: string): boolean {
    return this.#open.has(sameId(id))
  }

  /** Opens a request; undefined where there is no room. */
  add(asked: Asked): Ask | undefined {
    const { max, isRolling, server, room, post } = this.#options
    const key = sameId(asked.id)
    if (asked.params.length > room.chars) return undefined
    if (this.#open.size === max) {
      if (!isRolling) return undefined
      const [oldest] = this.#open
      if (oldest !== undefined) this.#forget(...oldest)
    }
    const ask = new OpenAsk(asked, server, (rest) => {
      if (this.#open.get(key) !== ask) return
      this.#remove(key, ask)
      post(asked.id, rest)
    })
    this.#open.set(key, ask)
    room.chars -= asked.params.length
    this.#options.onCount(this.#open.size)
    return ask
  }

  /** Responds to a request that is open here; false where it isn't. */
  reply(id: string, rest: string): boolean {
    const ask = this.#open.get(sameId(id))
    ask?.reply(rest)
    return ask !== undefined
  }

  /** The server cancels a request. */
  withdraw(id: string): void {
    const key = sameId(id)
    const ask = this.#open.get(key)
    if (ask === undefined) return
    this.#remove(key, ask)
    ask.withdraw()
  }

  /** Drops all requests, whose responses nobody waits for any more. */
  close(): void {
    if (this.#open.size === 0) return
    for (const [key, ask] of this.#open) this.#forget(key, ask)
    this.#options.onCount(0)
  }

  #remove(key: string, ask: OpenAsk): void {
    this.#forget(key, ask)
    this.#options.onCount(this.#open.size)
  }

  #forget(key: string, ask: OpenAsk): void {
    this.#open.delete(key)
    this.#options.room.chars += ask.params.length
  }
}

class OpenAsk implements Ask {
  readonly method: Ask['method']
  readonly params: string
  readonly id: string
  readonly server: string
  readonly #onReply: (rest: string) => void
  #onWithdrawn: (() => void) | undefined

  constructor({ method, params, id }: Asked, server: string, onReply: (rest: string) => void) {
    this.method = method
    this.params = params
    this.id = id
    this.server = server
    this.#onReply = onReply
  }

  reply(rest: string): void {
    this.#onReply(rest)
  }

  onWithdrawn(listener: () => void): void {
    this.#onWithdrawn = listener
  }

  withdraw(): void {
    this.#onWithdrawn?.()
  }
}

/** The same text for equal ids, however their JSON is spelled. */
function sameId(id: string): string {
  return JSON.stringify(JSON.parse(id))
}

export const tooManyAsks = '"error":{"code":-32000,"message":"Too many requests wait for an answer"}'
export const unknownMethod = '"error":{"code":-32601,"message":"Method not found"}'

const methodFlags = {
  'sampling/createMessage': capability.sampling,
  'elicitation/create': capability.elicitationForm | capability.elicitationUrl,
  'roots/list': capability.roots,
} as const satisfies Record<Ask['method'], number>

/**
 * The error of a client that can't do what a server requests: without the method -32601, without its mode -32602 (2025-11-25,
 * elicitation, Error Handling).
 */
export function notCapable({ method }: Asked, capabilities: Capabilities): string {
  if ((capabilities & methodFlags[method]) === 0) return unknownMethod
  return '"error":{"code":-32602,"message":"Invalid params: not among the capabilities that the client declared"}'
}
