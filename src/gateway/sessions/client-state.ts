import type { ClientSession, EventStream, LogLevel } from '../../mcp/mcp.ts'
import type { Endpoint } from '../route/route.ts'
import type { LastingWatch } from './resource-watch.ts'

/**
 * What this process knows of a legacy client's session beyond what its sealed id holds. It is lost with the process; the client's
 * next `logging/setLevel` or `resources/subscribe` restores it.
 */
export interface ClientState {
  readonly session: ClientSession
  level: LogLevel | undefined
  /** Its part in shared subscriptions, by the URI that the client knows. */
  readonly watches: Map<string, LastingWatch>
  /**
   * The endpoint with the newest credential of the session, once it has subscribed or opened a stream: clients renew credentials during a
   * session.
   */
  endpoint: Endpoint | undefined
  /** The client's newest event stream, if it has one in this process. */
  events: EventStream | undefined
}

export interface ClientStates {
  find(session: ClientSession): ClientState | undefined
  get(session: ClientSession): ClientState
  end(key: string): void
}

/** Bound of the sessions; beyond it, the least recently used one without an open stream is forgotten. */
const maxStates = 20_000
/** Bound of the resources that one session is subscribed to. */
export const maxWatches = 256

export function createClientStates(): ClientStates {
  const states = new Map<string, ClientState>()
  const end = (key: string) => {
    for (const watch of states.get(key)?.watches.values() ?? []) watch.stop()
    states.delete(key)
  }
  const makeRoom = () => {
    for (const [key, { events }] of states) if (events === undefined) return end(key)
  }
  return {
    find: (session) => states.get(session.key),
    get(session) {
      const known = states.get(session.key)
      if (known !== undefined) {
        states.delete(session.key)
        states.set(session.key, known)
        return known
      }
      const state: ClientState = { session, level: undefined, watches: new Map(), endpoint: undefined, events: undefined }
      states.set(session.key, state)
      if (states.size > maxStates) makeRoom()
      return state
    },
    end,
  }
}
