import type { Connector, Listen, Listening, Post, Reply } from './connector.ts'
import { createKnownEndpoints } from './known-endpoints.ts'

export interface EndpointsOptions {
  /** Opens a connector to the host's own address, or to one endpoint (`ip:port`) in its place. */
  readonly connect: (endpoint: string | undefined) => Connector
  /** performance.now() or alike, in ms. */
  readonly now: () => number
  /** In [0, 1). */
  readonly random: () => number
}

/** The host itself, or one endpoint behind it. */
interface Place {
  /** The prefix of ids of sessions at this place: `host`, or the endpoint. */
  readonly name: string
  readonly connector: Connector
  isListed: boolean
  /** How many posts are in flight. */
  posts: number
  /** How many times in a row it failed. A place that is being tried again counts as failed until it answers. */
  failures: number
  /** Whether it was reached when it last failed, and gave no answer. */
  isAiling: boolean
  /** Until when it is avoided, in ms by `now`. */
  restsUntil: number
}

const firstRestMs = 1000
const maxRestMs = 30_000
const hostName = 'host'
const sessionHeader = 'mcp-session-id'
/**
 * Matches the prefix of a session id that names the place that gave it. An id without a prefix was given by the host, before there were
 * endpoints.
 */
const placed = /^(host|[0-9.]+:[0-9]+|\[[0-9a-f:.]+\]:[0-9]+)\//i
/**
 * The reply for a session that a server does not know (2025-11-25, transports, Session Management); the session is then opened again at
 * another place.
 */
const sessionUnknown: Reply = { kind: 'http', status: 404, text: '' }
const nowhere: Reply = { kind: 'failed', failure: 'unreachable', text: 'has no address' }

/**
 * A connector to one server at several places. Until endpoints are set, it is the host's connector. From then on each session stays at the
 * place that gave it, in this process and in every other: the place's name is the prefix of the session id. If that place is no longer
 * listed or can't be reached, the session is unknown. Clients' requests without a session go to the endpoints in turn; the gateway's own
 * requests stay where they were last answered. Both avoid places that failed recently: next come those that gave no answer, then the host,
 * last those that could not be reached. A request goes to another place only where nothing was sent. If this process does not know a
 * session's place yet, it waits for it, since another process may know it. A prefix is ignored in a process that never had endpoints; the
 * server does not know such an id either.
 */
export function createEndpoints({ connect, now, random }: EndpointsOptions): Connector {
  const host = placeOf(hostName, connect(undefined))
  /** All places, including those no longer listed that have requests in flight. */
  const places = new Map([[hostName, host]])
  let listed: readonly Place[] = []
  let turn = Math.floor(random() * 1024)
  /** The place to which the gateway's own requests go next; it does not follow the requests of clients. */
  let view = host
  /** The place to which the gateway's own requests went last. */
  let viewed = host
  const knownEndpoints = createKnownEndpoints()

  function inOrder(isView: boolean): readonly Place[] {
    const first = isView ? listed.indexOf(view) : turn++ % listed.length
    const turned = first > 0 ? [...listed.slice(first), ...listed.slice(0, first)] : listed
    const at = now()
    const isResting = ({ restsUntil }: Place) => restsUntil > at
    const resting = turned.filter(isResting)
    return [
      ...turned.filter((place) => !isResting(place)),
      ...resting.filter(({ isAiling }) => isAiling),
      host,
      ...resting.filter(({ isAiling }) => !isAiling),
    ]
  }

  function after(place: Place): Place {
    return listed[(listed.indexOf(place) + 1) % listed.length] ?? host
  }

  /** A session's place and its id there. The place is undefined where it is not listed any more, or not yet. */
  function find(session: string): { readonly place: Place | undefined; readonly id: string; readonly name: string } {
    const [prefix, name] = placed.exec(session) ?? []
    if (prefix === undefined || name === undefined) return { place: host, id: session, name: hostName }
    return { place: places.get(name), id: session.slice(prefix.length), name }
  }

  async function postAt(place: Place, request: Post, isInSession: boolean): Promise<Reply> {
    const isView = isForView(request)
    const isResting = place.restsUntil > now()
    // Only one request at a time tries a place that failed.
    if (!isResting && place.failures > 0 && !isInSession) {
      place.failures++
      rest(place)
    }
    place.posts++
    const reply = await place.connector.post(request)
    place.posts--
    const isLost = isUnreachable(reply)
    const isSick = isLost || isAilment(reply)
    if (isView) {
      viewed = place
      view = isSick ? after(place) : place
    }
    // A failure in a client's session says nothing about other sessions at that place, and a success does not show that a new one could
    // be opened.
    if (isLost || (isSick && (isView || !isInSession))) {
      if (!isResting) fail(place, !isLost)
    } else if (!isSick && reply.kind !== 'failed' && !(isInSession && place.isAiling)) welcome(place)
    closeUnused(place)
    return reply.kind === 'message' && reply.session !== undefined ? { ...reply, session: `${place.name}/${reply.session}` } : reply
  }

  /** Counts a failure once, however many requests notice it at the same time. */
  function fail(place: Place, isAiling: boolean): void {
    place.failures = Math.max(1, place.failures)
    place.isAiling = isAiling
    rest(place)
  }

  function rest(place: Place): void {
    place.restsUntil = now() + Math.min(maxRestMs, firstRestMs * 2 ** (place.failures - 1)) * (0.8 + 0.4 * random())
  }

  async function postInTurn(request: Post): Promise<Reply> {
    const startedAt = now()
    let spentMs = 0
    let reply: Reply = nowhere
    for (const place of inOrder(isForView(request))) {
      if (!place.isListed) continue
      reply = await postAt(place, spentMs === 0 ? request : shortened(request, spentMs), false)
      spentMs = now() - startedAt
      if (!isUnreachable(reply) || spentMs >= Math.min(request.timeoutMs, request.maxMs ?? request.timeoutMs)) break
    }
    return reply
  }

  async function postInSession(request: Post, at: number): Promise<Reply> {
    const session = request.headers[at] ?? ''
    const { id, name } = find(session)
    let ready = request
    if (!knownEndpoints.isKnown(name)) {
      const startedAt = now()
      await knownEndpoints.wait(name, Math.min(request.timeoutMs, request.maxMs ?? request.timeoutMs))
      ready = shortened(request, now() - startedAt)
    }
    const place = places.get(name)
    // A call in flight at a place that is no longer listed still gets responses and cancellation there.
    if (place === undefined || (!place.isListed && request.id !== undefined)) return sessionUnknown
    const reply = await postAt(place, copyOf(ready, { headers: request.headers.with(at, id) }), true)
    return isUnreachable(reply) && (place !== host || listed.length > 0) ? sessionUnknown : reply
  }

  function listenInSession(request: Listen, at: number): Listening {
    const { place, id } = find(request.headers[at] ?? '')
    if (!place?.isListed) return refused(request)
    return place.connector.listen({
      ...request,
      headers: request.headers.with(at, id),
      onEnd: (status, retryMs, lastEventId) => request.onEnd(place.isListed ? status : 404, retryMs, lastEventId),
    })
  }

  const several: Pick<Connector, 'post' | 'listen' | 'delete'> = {
    post(request) {
      const at = sessionAt(request.headers)
      return at === undefined ? postInTurn(request) : postInSession(request, at)
    },
    listen(request) {
      const at = sessionAt(request.headers)
      if (at === undefined) return (inOrder(true)[0] ?? host).connector.listen(request)
      const { name } = find(request.headers[at] ?? '')
      if (knownEndpoints.isKnown(name)) return listenInSession(request, at)
      let isClosed = false
      let listening: Listening | undefined
      void knownEndpoints.wait(name).then(() => {
        if (!isClosed) listening = listenInSession(request, at)
      })
      return {
        close() {
          isClosed = true
          listening?.close()
        },
      }
    },
    async delete(headers, cause) {
      const at = sessionAt(headers)
      if (at === undefined) return host.connector.delete(headers, cause)
      const { place, id } = find(headers[at] ?? '')
      await place?.connector.delete(headers.with(at, id), cause)
    },
  }

  function open(name: string): Place {
    const place = placeOf(name, connect(name))
    places.set(name, place)
    return place
  }

  /**
   * Closes a place that is no longer listed, once no post is in flight there. This also ends its streams, whose sessions are lost already.
   */
  function closeUnused(place: Place): void {
    if (place.isListed || place.posts > 0) return
    places.delete(place.name)
    void place.connector.close()
  }

  const connector: Connector = {
    ...host.connector,
    setEndpoints(endpoints) {
      const names = new Set(endpoints)
      for (const place of listed) {
        place.isListed = names.has(place.name)
        closeUnused(place)
      }
      const before = new Set(listed)
      listed = [...names].map((name) => places.get(name) ?? open(name))
      for (const place of listed) {
        place.isListed = true
        if (!before.has(place)) welcome(place)
      }
      if (!listed.includes(view)) view = listed[(turn + 1) % listed.length] ?? host
      knownEndpoints.add([hostName, ...names])
      // Without endpoints every request goes straight to the host's connector.
      if (listed.length > 0) Object.assign(connector, several)
    },
    hasOlderTransport: async () => (await view.connector.hasOlderTransport?.()) ?? false,
    moveOn() {
      if (view === viewed) view = after(view)
      return Math.max(1, listed.length)
    },
    async close() {
      knownEndpoints.close()
      await Promise.all([...places.values()].map((place) => place.connector.close()))
    },
  }
  return connector
}

function placeOf(name: string, connector: Connector): Place {
  return { name, connector, isListed: true, posts: 0, failures: 0, isAiling: false, restsUntil: Number.NEGATIVE_INFINITY }
}

/** Takes note that a place is well, as far as is known. */
function welcome(place: Place): void {
  place.failures = 0
  place.isAiling = false
  place.restsUntil = Number.NEGATIVE_INFINITY
}

function isUnreachable(reply: Reply): boolean {
  return reply.kind === 'failed' && reply.failure === 'unreachable'
}

/** Whether a place was reached and failed; it is not known whether it acted on the request. */
function isAilment(reply: Reply): boolean {
  return reply.kind === 'failed' ? reply.failure === 'broken' || reply.failure === 'timeout' : reply.status >= 500
}

/** Whether a request is the gateway's own, and not made for a client. */
function isForView({ isCall, cause }: Post): boolean {
  return !isCall && cause === undefined
}

/** The index of the session id's value among alternating names and values. */
function sessionAt(headers: readonly string[]): number | undefined {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === sessionHeader) return i + 1
  return undefined
}

function shortened(request: Post, ms: number): Post {
  const { timeoutMs, maxMs } = request
  return copyOf(request, { timeoutMs: timeoutMs - ms, maxMs: maxMs === undefined ? undefined : maxMs - ms })
}

/** A request with some members changed. Members are copied one by one, since a spread would lose the methods of a class. */
function copyOf(request: Post, changes: Partial<Pick<Post, 'headers' | 'timeoutMs' | 'maxMs'>>): Post {
  const { isCall, cause, headers, body, id, timeoutMs, maxMs, cancellation, isResumable } = request
  return {
    ...({ isCall, cause, headers, body, id, timeoutMs, maxMs, cancellation, isResumable } satisfies {
      [K in keyof Omit<Required<Post>, 'onMessage' | 'drained' | 'onWaiting'>]: Post[K]
    }),
    onMessage: (message, method) => request.onMessage?.(message, method),
    drained: () => request.drained?.(),
    onWaiting: (waiting) => request.onWaiting?.(waiting),
    ...changes,
  }
}

function refused(request: Listen): { close(): void } {
  const timer = setImmediate(() => request.onEnd(404, undefined, request.lastEventId))
  return { close: () => clearImmediate(timer) }
}
