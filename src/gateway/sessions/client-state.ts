import type { ClientSession, EventStream, LogLevel } from '../../mcp/mcp.ts'
import type { Endpoint } from '../route/route.ts'
import type { LastingWatch } from './resource-watch.ts'

/**
 * What this process knows of a legacy client's session beyond its sealed id: it is lost with the process, and the client's
 * next `logging/setLevel` or `resources/subscribe` brings it back.
 */
export interface ClientState {
  readonly session: ClientSession
  level: LogLevel | undefined
  /** Shared subscriptions by exposed URI. */
  readonly watches: Map<string, LastingWatch>
  /** As its client found it last, once it has subscribed or opened a stream: credentials are renewed in the midst of a session. */
  endpoint: Endpoint | undefined
  /** The client's newest event stream, where it has one here. */
  events: EventStream | undefined
}

export interface ClientStates {
  find(session: ClientSession): ClientState | undefined
  get(session: ClientSession): ClientState
  end(key: string): void
}

/** Sessions known at a time; the longest unused that has no stream open makes room. */
const maxStates = 20_000
/** Resources that one session is subscribed to at a time. */
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
