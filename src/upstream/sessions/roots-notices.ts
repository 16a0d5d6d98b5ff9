import { legacyNotification } from '../../era/era.ts'
import type { ClientSession } from '../../mcp/mcp.ts'
import type { Met } from '../server/server.ts'
import type { Connector } from '../wire/wire.ts'
import type { ServerSessions } from './server-sessions.ts'

export interface RootsNoticesOptions {
  readonly connector: Connector
  readonly sessions: ServerSessions
  /** The server as it was met; undefined where it is down or gives no sessions. */
  readonly met: () => Met | undefined
  readonly timeoutMs: number
}

/**
 * Makes the function that tells one server that a client's roots changed, in the client's own session where it has one. However often
 * they change, at most one notification of a client is in flight, and at most one follows it.
 */
export function createRootsNotices(options: RootsNoticesOptions): (client: ClientSession) => Promise<void> {
  /**
   * Notifications in flight by their clients' keys; the value is true where the roots have changed again since. There are at most as many
   * as clients with sessions.
   */
  const underWay = new Map<string, boolean>()

  async function tell(client: ClientSession): Promise<void> {
    const session = await options.sessions.find(client)
    const met = options.met()
    if (session?.kind !== 'session' || met === undefined) return
    const notice = legacyNotification('notifications/roots/list_changed', {}, met.facts.version, session.id)
    await options.connector.post({ ...notice, cause: 'client', id: undefined, timeoutMs: options.timeoutMs })
  }

  return async (client) => {
    const { key } = client
    if (underWay.has(key)) return void underWay.set(key, true)
    do {
      underWay.set(key, false)
      await tell(client)
    } while (underWay.get(key))
    underWay.delete(key)
  }
}
