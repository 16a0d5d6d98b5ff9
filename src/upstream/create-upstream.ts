import { type Addressed, headersFor, isNotification, readAnswer } from '../era/era.ts'
import { type Answer, type Call, type ClientSession, type Message, type Refusal, refuse, within } from '../mcp/mcp.ts'
import { createPostedCalls, createServerRequests } from './calls/calls.ts'
import type { Upstream } from './model.ts'
import { createPostCall } from './post-call.ts'
import { createPresence } from './presence/presence.ts'
import { failed, type Met, type UpstreamDeps, type UpstreamSettings } from './server/server.ts'
import { createRootsNotices, createServerSessions } from './sessions/sessions.ts'
import { type Follower, follow, openSharedStream } from './streams/streams.ts'
import type { Connector, Failure, Reply } from './wire/wire.ts'

/** Bound of the streams for single clients that are kept open; further ones are not opened. */
const maxFollowed = 2000

/** Failures that are not the server's. */
const harmless: ReadonlySet<Failure['failure']> = new Set(['cancelled', 'busy', 'slow-client', 'memory'])

export function createUpstream(settings: UpstreamSettings, connector: Connector, deps: UpstreamDeps): Upstream {
  const { now, events } = deps
  const key = `${settings.backend}/${settings.name} ${settings.identity}`
  let ids = 0
  let isClosed = false
  let inFlight = 0
  let keeps = false
  let onIdle: (() => void) | undefined
  let closing: Promise<void> | undefined
  const followed = new Set<() => void>()
  /** The newest follower of each client, by the client's key; bounded by `maxFollowed`. */
  const followers = new Map<string, Follower>()
  const nextId = () => ++ids
  const meet = { era: settings.era, clientInfo: deps.clientInfo, timeoutMs: settings.listMs, nextId }
  const requests = createServerRequests(key, connector, settings.listMs)
  const calls = createPostedCalls(settings, connector, requests, nextId, heardInCall)
  const presence = createPresence(settings, connector, deps, meet, (met, message, method) => {
    if (method === 'notifications/progress') calls.takeProgress(message)
    else requests.takeOwn(met, message, method)
  })
  const live = () => (presence.isReady() ? presence.met() : undefined)
  const withSessions = () => {
    const met = live()
    return met?.era.name === 'legacy' && met.session !== undefined ? met : undefined
  }
  const streams = { connector, requests, onProgress: calls.takeProgress }
  const openStream = (met: Met, id: string) => openSharedStream(met, id, streams)
  const sessions = createServerSessions({ key, settings, connector, meet, met: live, openStream })
  const post = createPostCall(calls, sessions, presence)
  const tellRoots = createRootsNotices({ connector, sessions, met: withSessions, timeoutMs: settings.listMs })

  /**
   * Takes a notification of a change on a call's stream. An update goes to the client alone if it follows its own session with this
   * server.
   */
  function heardInCall(message: Message, method: string, client: ClientSession | undefined): boolean {
    const follower = client === undefined || method !== 'notifications/resources/updated' ? undefined : followers.get(client.key)
    if (follower === undefined) return presence.hear(message, method)
    if (isNotification(message)) follower.onNotice(message.text, method)
    return true
  }

  function judge(met: Met, reply: Reply | Refusal, call: Call, addressed: Addressed): Answer {
    if (reply.kind === 'message') {
      const { answer, isRepaired } = met.era.readAnswer(reply.message, call)
      if (isRepaired) events.repaired(addressed.name)
      return answer
    }
    const refusal = reply.kind === 'refused' ? reply : failed(reply, call.method)
    if (refusal.reason === 'upstream-down') presence.goDown(refusal)
    else if (reply.kind !== 'failed' || !harmless.has(reply.failure)) void presence.refresh()
    return refusal
  }

  function isDown(): Refusal {
    const { lastError } = presence.status()
    return named(refuse('upstream-down', lastError === undefined ? 'is not there yet' : `is down: it ${lastError}`))
  }

  function named<T extends Answer>(answer: T): T {
    const isNameless = (answer.kind === 'refused' || answer.kind === 'failed') && answer.server === undefined
    return isNameless ? { ...answer, server: settings.name } : answer
  }

  function left(): void {
    inFlight--
    if (inFlight === 0) onIdle?.()
  }

  /** Resolves when no call is in flight, or after `graceMs`. */
  async function idle(graceMs: number): Promise<void> {
    if (inFlight === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs)
      onIdle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async function end(graceMs: number, isLast: boolean): Promise<void> {
    isClosed = true
    for (const stop of followed) stop()
    followed.clear()
    followers.clear()
    await idle(graceMs)
    const met = withSessions()
    const own = met === undefined ? undefined : connector.delete(headersFor(met.facts.version, met.session))
    await Promise.all([sessions.endAll(isLast), own])
    presence.close()
    await connector.close()
  }

  return {
    settings,
    key,
    status: presence.status,
    entries: presence.entries,
    offers: presence.offers,
    instructions: () => presence.met()?.facts.instructions,
    cacheHint: presence.cacheHint,
    ensureFresh: presence.ensureFresh,
    hold() {
      inFlight++
      let isHeld = true
      return () => {
        if (isHeld) left()
        isHeld = false
      }
    },
    setEndpoints: (endpoints) => connector.setEndpoints?.(endpoints),
    async send(call, addressed) {
      // Ready without `met`: the session was lost and is being opened again.
      if (presence.met() === undefined && presence.isReady()) await presence.connect()
      const met = live()
      // A call between two rounds may finish although the upstream is closing.
      if ((isClosed && call.resume === undefined) || met === undefined)
        return { answer: isDown(), upstreamMs: 0, era: presence.met()?.era.name }
      inFlight++
      const startedAt = now()
      try {
        const answer = named(judge(met, await post(met, call, addressed), call, addressed))
        return { answer, upstreamMs: now() - startedAt, era: met.era.name }
      } finally {
        left()
      }
    },

    hasSessions() {
      const met = presence.met()
      // While a lost session is opened again, the last known answer counts.
      if (met !== undefined) keeps = met.era.name === 'legacy' && met.session !== undefined
      return keeps
    },
    async openSession(client) {
      if (isClosed || withSessions() === undefined) return undefined
      const session = await within(settings.listMs, sessions.own(client))
      if (session?.kind !== 'session') return undefined
      if (session.id !== undefined) session.isHandedOut = true
      return session.id
    },
    endSession: sessions.end,
    respond(client, id, rest) {
      const met = live()
      if (met?.era.name !== 'legacy') return
      if (met.session === undefined) return requests.reply(met, undefined, id, rest)
      void Promise.resolve(sessions.find(client)).then((session) => {
        if (session?.kind === 'session') requests.reply(met, session.id, id, rest)
      })
    },
    rootsChanged: (client) => void tellRoots(client),
    async setLevel(client, level) {
      sessions.keepLevel(client, level)
      // An error of the server, such as for an unknown method, has no consequence.
      if (withSessions()?.facts.offers.logging) await sessions.request(client, 'logging/setLevel', { level })
    },
    async subscribe(client, uri, isOn) {
      if (withSessions() === undefined) return isDown()
      const method = isOn ? 'resources/subscribe' : 'resources/unsubscribe'
      const reply = await sessions.request(client, method, { uri })
      if (reply.kind === 'refused') return named(reply)
      if (reply.kind !== 'message') return named(failed(reply, method))
      const { answer } = readAnswer(reply.message, method, 'legacy')
      if (answer.kind !== 'complete') return named(answer)
      sessions.keepUri(client, uri, isOn)
      return { kind: 'complete', result: '{}', isError: false, hasMeta: false }
    },
    follow(client, follower) {
      if (isClosed || followed.size === maxFollowed) return () => {}
      const stop = follow(client, follower, { ...streams, sessions, now, met: withSessions })
      followed.add(stop)
      followers.set(client.key, follower)
      return () => {
        followed.delete(stop)
        if (followers.get(client.key) === follower) followers.delete(client.key)
        stop()
      }
    },
    watch: presence.watch,

    close(graceMs, isLast) {
      // When it is called a second time, the shorter grace counts.
      if (closing !== undefined) setTimeout(() => onIdle?.(), graceMs).unref()
      closing ??= end(graceMs, isLast)
      return closing
    },
  }
}
