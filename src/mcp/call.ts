import type { Ask } from './ask.ts'
import type { Caller } from './caller.ts'
import type { Cancellation } from './cancellation.ts'
import type { Capabilities } from './capabilities.ts'
import type { EraName } from './era-name.ts'
import type { Message } from './json.ts'
import type { LogLevel } from './log-level.ts'
import type { Method } from './methods.ts'
import type { Subject } from './subject.ts'

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
