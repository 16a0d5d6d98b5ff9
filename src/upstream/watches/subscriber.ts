import { legacyRequest } from '../../era/era.ts'
import { member } from '../../mcp/mcp.ts'
import { isSessionLost, type MeetOptions, type Met } from '../server/server.ts'
import type { Connector } from '../wire/wire.ts'
import { maxUris, type Watches } from './resource-watches.ts'

/**
 * Subscribes the session with a legacy server to the watched URIs, and unsubscribes it from all others (2025-11-25, resources,
 * Subscriptions).
 */
export interface Subscriber {
  /** Takes note that a URI is watched from now on, or no longer; the next flush acts on it. */
  mark(uri: string): void
  flush(): void
  /** Subscribes to all watched URIs again, since the server may have forgotten them. */
  again(): void
  close(): void
}

export interface SubscriberOptions {
  readonly connector: Connector
  readonly meet: MeetOptions
  readonly watches: Watches
  /** Whether a stream is open on which updates could arrive; without one nothing is subscribed to. */
  readonly isHeard: () => boolean
  readonly onSessionLost: () => void
}

/** Bound of the requests in flight; each has the time-out of a meeting. */
const maxPosts = 4

export function createSubscriber(options: SubscriberOptions, { facts, session }: Met): Subscriber {
  const { connector, meet, watches, isHeard } = options
  /** The URIs that the session is subscribed to, at most `maxUris`; false where the server may have forgotten the subscription. */
  const subscribed = new Map<string, boolean>()
  /** URIs for the next flush; only those that are watched, subscribed to or busy. */
  const marked = new Set<string>()
  const busy = new Set<string>()
  let isClosed = false

  function mark(uri: string): void {
    if (watches.has(uri) || subscribed.has(uri) || busy.has(uri)) marked.add(uri)
    else marked.delete(uri)
  }

  function flush(): void {
    if (isClosed) return
    for (const uri of marked) {
      if (busy.size === maxPosts) return
      const isWatched = watches.has(uri)
      if (busy.has(uri) || (isWatched && !isHeard())) continue
      marked.delete(uri)
      if (!isWatched && subscribed.has(uri)) void unsubscribe(uri)
      else if (isWatched && subscribed.get(uri) === true) watches.settle(uri, true)
      else if (isWatched && (subscribed.has(uri) || subscribed.size + busy.size < maxUris)) void subscribe(uri)
      else if (isWatched) watches.giveUp(uri)
    }
  }

  async function post(method: string, uri: string) {
    busy.add(uri)
    const id = meet.nextId()
    const reply = await connector.post({
      ...legacyRequest(id, method, { uri }, facts.version, session),
      id,
      timeoutMs: meet.timeoutMs,
    })
    busy.delete(uri)
    return reply
  }

  async function subscribe(uri: string): Promise<void> {
    const reply = await post('resources/subscribe', uri)
    if (isClosed) return
    if (isSessionLost(reply, session)) {
      isClosed = true
      return options.onSessionLost()
    }
    if (reply.kind === 'message' && member(reply.message.top, 'error') === undefined) {
      subscribed.set(uri, true)
      if (isHeard()) watches.settle(uri, true)
    } else {
      subscribed.delete(uri)
      watches.settle(uri, false)
    }
    if (!watches.has(uri)) mark(uri)
    flush()
  }

  async function unsubscribe(uri: string): Promise<void> {
    await post('resources/unsubscribe', uri)
    if (isClosed) return
    subscribed.delete(uri)
    mark(uri)
    flush()
  }

  return {
    mark,
    flush,
    again() {
      for (const uri of subscribed.keys()) subscribed.set(uri, false)
      for (const uri of [...subscribed.keys(), ...watches.uris()]) mark(uri)
      flush()
    },
    close() {
      isClosed = true
    },
  }
}
