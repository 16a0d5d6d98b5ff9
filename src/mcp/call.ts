import type { Capabilities } from './capabilities.ts'
import type { Message } from './json.ts'
import type { LogLevel } from './log-level.ts'
import type { Method } from './methods.ts'
import type { Refusal } from './refusal.ts'
import type { Subject } from './subject.ts'

/**
 * Who calls. Anonymous is a caller too. One credential is one object as long as it is known, so what is found out about a caller may
 * be remembered by it.
 */
export interface Caller {
  readonly kind: 'anonymous' | 'jwt' | 'apiKey' | 'certificate'
  /** Stable for one identity, safe to log. */
  readonly id: string
  /** Of a token its `sub`, of a key its id, of a certificate its name. */
  readonly subject: string | undefined
  readonly issuer: string | undefined
  /** Who acts for the subject, the nearest first (RFC 8693, section 4.1). */
  readonly actors: readonly string[]
  readonly claims: Claims
  /** Milliseconds since 1970; Infinity where the credential doesn't expire. */
  readonly expiresAtMs: number
}

/** JSON as `readJson` gives it: objects are Maps, so that no key of a caller's means anything to JavaScript. */
export type Claims = ReadonlyMap<string, unknown>

export const anonymous: Caller = {
  kind: 'anonymous',
  id: 'anonymous',
  subject: undefined,
  issuer: undefined,
  actors: [],
  claims: new Map(),
  expiresAtMs: Number.POSITIVE_INFINITY,
}

/** The protocol revisions' two families: with a handshake and sessions, or stateless with an envelope in `_meta`. */
export type EraName = 'legacy' | 'modern'

/** How a client reads lists and results: `early` are the revisions before 2025-06-18, which know no structured results. */
export type Dialect = EraName | 'early'

/** A legacy client's session, opaque to everything but `era` and the upstreams' session pools. */
export interface ClientSession {
  /** Names it on every replica. */
  readonly key: string
  readonly capabilities: Capabilities
  /** The session that a server (by its upstream's key) gave for this client when it was opened. */
  upstreamSession(server: string): string | undefined
}

/**
 * A request in 2026-07-28 terms, whoever sent it. `message` is the request as received and already checked:
 * what is not rewritten reaches the upstream as the same characters.
 */
export interface Call {
  readonly method: Method
  /** What it is about, as the client calls it; undefined where the method names nothing. */
  readonly subject: Subject | undefined
  readonly message: Message
  readonly caller: Caller
  readonly session: ClientSession | undefined
  readonly clientEra: EraName
  /** What the client can do for the server in the midst of this call; nothing where there is no way to ask it. */
  readonly capabilities: Capabilities
  /** The least severe log messages that the client wants of this call; undefined: none (modern), as the server does it (legacy). */
  readonly logLevel: LogLevel | undefined
  /** What an earlier round of this call asked for, now answered (2026-07-28, multi round-trip requests). */
  readonly resume: Resume | undefined
  readonly cancellation: Cancellation
  /** The route's bound of the whole request, which progress does not put off. */
  readonly timeoutMs: number | undefined
  /** Takes a notification (JSON text of the whole message, in the client's own terms) that the upstream sent before its answer. */
  readonly onNotice: (message: string) => void
  /** Takes what a legacy server asks in the midst of the call. Only what `capabilities` allow comes here. */
  readonly onAsk: (ask: Ask) => void
}

/** The next round of a call. */
export interface Resume {
  /** JSON text of `inputResponses`. */
  readonly responses: string | undefined
  /** The server's own `requestState`. */
  readonly state: string | undefined
}

/** How long a client may take to answer what a server asks in the midst of a call, in ms: a person may have to. */
export const patienceMs = 10 * 60 * 1000

/** The requests that servers may make of clients. */
export type AskMethod = 'sampling/createMessage' | 'elicitation/create' | 'roots/list'

/** A request of a legacy server's to the client. */
export interface Ask {
  readonly method: AskMethod
  /** JSON text of its params object. */
  readonly params: string
  /** The key of its upstream. */
  readonly server: string
  /** The server's own id for it: JSON text. */
  readonly id: string
  /** Answers it, once. @param rest a member's JSON text: `"result":…` or `"error":…` */
  reply(rest: string): void
  /** The server takes it back. */
  onWithdrawn(listener: () => void): void
}

/**
 * What came of a Call. `result` is the JSON text of the result object without `resultType`;
 * `cache` is for how long and for whom it holds, where the method has such hints (2026-07-28, caching).
 */
export type Answer =
  | {
      readonly kind: 'complete'
      readonly result: string
      readonly isError: boolean
      /** Whether the result has a `_meta` of its own. */
      readonly hasMeta: boolean
      readonly cache?: CacheHint
    }
  /** `result` is without `requestState` too, which is `state`: the server's own, until `gateway` seals it. */
  | { readonly kind: 'input-required'; readonly result: string; readonly state: string | undefined }
  | { readonly kind: 'failed'; readonly error: RpcError; readonly server?: string }
  | Refusal

/** A JSON-RPC error object; `data` is JSON text. */
export interface RpcError {
  readonly code: number
  readonly message: string
  readonly data: string | undefined
}

export interface CacheHint {
  readonly ttlMs: number
  readonly scope: 'public' | 'private'
}

/** Whether a call has been given up, by a message or by the client's leaving. An AbortController for this costs a tenth of a call. */
export class Cancellation {
  #isCancelled = false
  #listener: (() => void) | undefined

  get isCancelled(): boolean {
    return this.#isCancelled
  }

  cancel(): void {
    if (this.#isCancelled) return
    this.#isCancelled = true
    this.#listener?.()
  }

  /** The client has gone without giving up: nobody waits for the answer. */
  isAbandoned = false

  /** The one listener; undefined takes it away. Called at once where the call has been given up already. */
  listen(listener: (() => void) | undefined): void {
    this.#listener = listener
    if (this.#isCancelled) listener?.()
  }
}
