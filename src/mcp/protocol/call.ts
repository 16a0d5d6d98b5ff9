import type { Message } from '../json/json.ts'
import type { Cancellation } from '../work/work.ts'
import type { Ask } from './ask.ts'
import type { Caller } from './caller.ts'
import type { Capabilities } from './capabilities.ts'
import type { EraName } from './era-name.ts'
import type { LogLevel } from './log-level.ts'
import type { Method } from './methods.ts'
import type { Subject } from './subject.ts'

/** A legacy client's session, opaque to everything but `era` and the upstreams' session pools. */
export interface ClientSession {
  /** The same on every replica. */
  readonly key: string
  readonly capabilities: Capabilities
  /** The id of the session that a server, named by its upstream's key, opened for this client. */
  upstreamSession(server: string): string | undefined
}

/**
 * A request in the terms of 2026-07-28, whichever revision its client speaks. `message` is the request as received and already checked:
 * what is not rewritten reaches the upstream character for character.
 */
export interface Call {
  readonly method: Method
  /** The tool, prompt or resource that the request names, by its exposed name; undefined where its method names none. */
  readonly subject: Subject | undefined
  readonly message: Message
  readonly caller: Caller
  readonly session: ClientSession | undefined
  readonly clientEra: EraName
  /** What a server may ask of the client during this call; empty where there is no way to ask the client. */
  readonly capabilities: Capabilities
  /**
   * The lowest severity of log messages that the client wants of this call; undefined: none (modern), or whatever the server sends
   * (legacy).
   */
  readonly logLevel: LogLevel | undefined
  /** What an earlier round of this call asked for, now answered (2026-07-28, multi round-trip requests). */
  readonly resume: Resume | undefined
  readonly cancellation: Cancellation
  /** The route's time limit for the whole request, which progress notifications do not extend. */
  readonly timeoutMs: number | undefined
  /** Takes a notification (JSON text of the whole message, in the client's own terms) that the upstream sent before its answer. */
  readonly onNotice: (message: string) => void
  /** Undefined while the client takes the notifications; else resolves when it has taken them, or is gone: until then no more are to be read. */
  drained(): Promise<void> | undefined
  /** Takes a request that a legacy server makes in the middle of the call. Only requests that `capabilities` allow come here. */
  readonly onAsk: (ask: Ask) => void
}

/** The next round of a call. */
export interface Resume {
  /** JSON text of `inputResponses`. */
  readonly responses: string | undefined
  /** The server's own `requestState`. */
  readonly state: string | undefined
}
