import { legacyNotification } from '../../era/era.ts'
import type { ClientSession } from '../../mcp/mcp.ts'
import type { Met } from '../server/server.ts'
import type { Connector } from '../wire/wire.ts'
import type { Sessions } from './server-sessions.ts'

export interface RootsNoticesOptions {
  readonly connector: Connector
  readonly sessions: Sessions
  /** The server, where it is there and gives sessions. */
  readonly met: () => Met | undefined
  readonly timeoutMs: number
}

/**
 * What tells one server that a client's roots changed, on the client's own session where it has one. However often they change, one
 * notice of a client's is on its way at a time, and one follows.
 */
export function createRootsNotices(options: RootsNoticesOptions): (client: ClientSession) => Promise<void> {
  /** By the keys of clients, at most as many as have sessions; true where they have changed again since. */
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
