import { headersFor, type Implementation, legacyNotification, listenRequest, readAnswer, replyToServer } from '../era/era.ts'
import { type Answer, type Call, type EraName, type Message, member, type Refusal, refuse, stringOf } from '../mcp/mcp.ts'
import type { Connector, Listening, Reply } from './connector.ts'
import { listTools, type ToolList } from './list-tools.ts'
import { failed, type Met, meet, shakeHands } from './meet.ts'
import { createSessionPool, type OwnSession } from './session-pool.ts'
import type { ToolEntry } from './tool-entry.ts'

/** How one server is to be treated. Times in ms. */
export interface UpstreamSettings {
  readonly backend: string
  readonly name: string
  readonly era: 'auto' | 'legacy' | 'modern'
  readonly requestMs: number
  readonly listMs: number
  /** How long a list of its tools is used before it is asked again. */
  readonly ttlMs: number
  readonly pages: number
  readonly toolsPerServer: number
}

export interface UpstreamDeps {
  readonly clientInfo: Implementation
  /** performance.now() or alike, in ms. */
  readonly now: () => number
  /** In [0, 1). */
  readonly random: () => number
  readonly events: UpstreamEvents
}

/** What the rest of the house hears of a server. */
export interface UpstreamEvents {
  /** Its list of tools has become another one. */
  toolsChanged(status: UpstreamStatus): void
  stateChanged(status: UpstreamStatus, before: UpstreamStatus['state']): void
  /** Tools of its list were left out. */
  dropped(reasons: readonly string[]): void
  repaired(tool: string): void
}

export interface UpstreamStatus {
  readonly backend: string
  readonly name: string
  readonly state: 'connecting' | 'ready' | 'down'
  readonly era: EraName | undefined
  readonly version: string | undefined
  /** What the server calls itself: not to be relied on. */
  readonly serverName: string | undefined
  readonly tools: number
  readonly lastError: string | undefined
  /** When it came into this state: milliseconds since the epoch. */
  readonly since: number
}

export interface Sent {
  readonly answer: Answer
  readonly upstreamMs: number
  readonly era: EraName | undefined
}

/** One server behind us: met, kept in view, asked. It never throws and never waits longer than its time-outs. */
export interface Upstream {
  readonly settings: UpstreamSettings
  status(): UpstreamStatus
  /** The last known tools; they stay while the server is down. */
  tools(): readonly ToolEntry[]
  instructions(): string | undefined
  /** How long from now on the list holds, and for whom. */
  cacheHint(): { readonly ttlMs: number; readonly isPublic: boolean }
  /** Undefined where the list is fresh or the server is known to be down; else resolves when either is so. */
  ensureFresh(): Promise<void> | undefined
  /** Sends a call under the server's own name of its subject. */
  send(call: Call, ownName: string | undefined): Promise<Sent>
  /** A client's session is over. */
  endSession(client: string): void
  /** Lets calls in flight finish, for `graceMs` at most, then ends sessions and connections. */
  close(graceMs: number): Promise<void>
}

const firstRetryMs = 100
const maxRetryMs = 2000
const maxStreamRetryMs = 30_000
/** Requests of the server's that are answered at a time; what comes above it stays without an answer. */
const maxAnswering = 16
/** Change notices within this time are one. */
const noticeMs = 100
/** A list is asked for at most this often, whatever notices come. */
const minRefreshMs = 500
const minTtlMs = 5000
const noTools: ToolList = { kind: 'tools', tools: [], ttlMs: undefined, isPublic: true, dropped: [] }

export function createUpstream(settings: UpstreamSettings, connector: Connector, deps: UpstreamDeps): Upstream {
  const { now, events } = deps
  let state: UpstreamStatus['state'] = 'connecting'
  let since = Date.now()
  let lastError: string | undefined
  let met: Met | undefined
  let list = noTools
  let listedAt = Number.NEGATIVE_INFINITY
  /** The meeting that `list` is of. */
  let listed: Met | undefined
  let listing: { readonly of: Met; readonly done: Promise<void> } | undefined
  let isClosed = false
  let failures = 0
  let streamFailures = 0
  let changes: Listening | undefined
  let inFlight = 0
  let answering = 0
  let idle: (() => void) | undefined
  let ids = 0
  const timers = new Map<string, NodeJS.Timeout>()
  const nextId = () => ++ids
  const meetOptions = { era: settings.era, clientInfo: deps.clientInfo, timeoutMs: settings.listMs, nextId }

  const later = (name: string, ms: number, run: () => void) => {
    if (isClosed || timers.has(name)) return
    timers.set(
      name,
      setTimeout(() => {
        timers.delete(name)
        run()
      }, ms).unref(),
    )
  }
  const cancelTimer = (name: string) => {
    clearTimeout(timers.get(name))
    timers.delete(name)
  }

  const status = (): UpstreamStatus => ({
    backend: settings.backend,
    name: settings.name,
    state,
    era: met?.era.name,
    version: met?.facts.version,
    serverName: met?.facts.serverName,
    tools: list.tools.length,
    lastError,
    since,
  })
  const enter = (next: UpstreamStatus['state'], error: string | undefined) => {
    if (isClosed) return
    const isNews = state !== next || lastError !== error
    const before = state
    if (before !== next) since = Date.now()
    state = next
    lastError = error
    if (isNews) events.stateChanged(status(), before)
  }

  const goDown = (refusal: Refusal) => {
    if (isClosed) return
    changes?.close()
    changes = undefined
    cancelTimer('refresh')
    enter('down', refusal.text)
    const wait = Math.min(maxRetryMs, firstRetryMs * 2 ** failures++)
    later('connect', wait * (0.8 + 0.4 * deps.random()), () => void connect())
  }

  const connect = singleFlight(async () => {
    cancelTimer('connect')
    const found = await meet(connector, meetOptions)
    if (isClosed) return
    if (found.kind === 'refused') return goDown(found)
    met = found
    await refresh()
  })

  /** Asks for the list, and with it whether the server is there at all; what is asked of one meeting is asked once at a time. */
  const refresh = async (): Promise<void> => {
    const current = met
    if (current === undefined || isClosed) return
    if (listing?.of !== current) listing = { of: current, done: relist(current) }
    const own = listing
    await own.done
    if (listing === own) listing = undefined
  }

  const relist = async (current: Met): Promise<void> => {
    cancelTimer('refresh')
    const until = now() + settings.listMs
    const found = current.facts.hasTools ? await listTools((cursor) => page(current, cursor, until - now()), bounds) : noTools
    if (isClosed || met !== current) return
    if (found.kind === 'refused') {
      // A session that was good once is opened again at once; one that never was is a failure.
      if (found.reason !== 'session-unknown' || listed !== current) return goDown(found)
      met = undefined
      void connect()
      return
    }
    listed = current
    take(found)
  }
  const bounds = { pages: settings.pages, tools: settings.toolsPerServer }

  const page = async (current: Met, cursor: string | undefined, timeoutMs: number): Promise<Message | Refusal> => {
    const id = nextId()
    const reply = await connector.post({ ...current.era.listTools(cursor, id, current.session), id, timeoutMs: Math.max(1, timeoutMs) })
    if (isSessionLost(reply, current.session)) return refuse('session-unknown', 'no longer knows its session')
    if (reply.kind !== 'message') return failed(reply, 'tools/list')
    if (member(reply.message.top, 'error') === undefined) return reply.message
    const { answer } = readAnswer(reply.message, 'tools/list')
    return refuse('upstream-invalid', `answered tools/list with ${answer.kind === 'failed' ? `error ${answer.error.code}` : 'an error'}`)
  }

  const take = (found: ToolList) => {
    const isChanged = !isSameList(list.tools, found.tools)
    list = found
    listedAt = now()
    failures = 0
    if (isChanged && found.dropped.length > 0) events.dropped(found.dropped)
    enter('ready', undefined)
    if (isChanged) events.toolsChanged(status())
    openChanges()
    later('refresh', Math.max(settings.ttlMs, minTtlMs), () => void refresh())
  }

  const noticed = () => {
    const wait = Math.max(noticeMs, minRefreshMs - (now() - listedAt))
    // A list that is under way may have been read before the change.
    later('notice', wait, () => (listing === undefined ? void refresh() : noticed()))
  }

  const openChanges = () => {
    const current = met
    if (changes !== undefined || current === undefined || !current.facts.toolsChange || timers.has('changes')) return
    const openedAt = now()
    const outbound =
      current.era.name === 'modern'
        ? { method: 'POST' as const, ...listenRequest(nextId(), deps.clientInfo) }
        : { method: 'GET' as const, headers: headersFor(current.facts.version, current.session) }
    changes = connector.listen({
      ...outbound,
      onMessage(message, method) {
        if (method === 'notifications/tools/list_changed') noticed()
        else if (method !== undefined) answerServer(current, current.session, message, method)
      },
      onEnd(ended, retryMs) {
        changes = undefined
        if (ended >= 400 && ended !== 404) return
        if (now() - openedAt > maxStreamRetryMs) streamFailures = 0
        // A stream that ends may mean a server that is gone, and may have lost notices: the list tells both.
        void refresh()
        later('changes', retryMs ?? Math.min(maxStreamRetryMs, 1000 * 2 ** streamFailures++), openChanges)
      },
    })
  }

  const answerServer = (current: Met, session: string | undefined, message: Message, method: string) => {
    if (current.era.name === 'modern' || member(message.top, 'id') === undefined || answering === maxAnswering) return
    answering++
    const outbound = replyToServer(message, method, current.facts.version, session)
    void connector.post({ ...outbound, id: undefined, timeoutMs: settings.listMs }).finally(() => answering--)
  }

  const openSession = async (): Promise<OwnSession | Refusal> => {
    const found = await shakeHands(connector, meetOptions)
    return found.kind === 'refused' ? found : { kind: 'session', id: found.session }
  }
  const endUpstream = async (session: string | undefined) => {
    if (session !== undefined && met !== undefined && state === 'ready') await connector.delete(headersFor(met.facts.version, session))
  }
  const clients = createSessionPool(openSession, (session) => endUpstream(session.id))

  const post = async (current: Met, call: Call, ownName: string | undefined, session: string | undefined): Promise<Reply> => {
    const id = nextId()
    const reply = await connector.post({
      ...current.era.call(call, ownName, id, session),
      id,
      timeoutMs: Math.min(settings.requestMs, call.timeoutMs ?? settings.requestMs),
      cancellation: call.cancellation,
      onMessage(message, method) {
        if (current.era.passesNotice(call, method)) call.onNotice(message.text)
        else answerServer(current, session, message, method)
      },
    })
    if (current.era.name === 'legacy' && reply.kind === 'failed' && reply.failure !== 'unreachable') {
      const notice = legacyNotification('notifications/cancelled', { requestId: id, reason: reply.text }, current.facts.version, session)
      if (reply.failure !== 'broken') void connector.post({ ...notice, id: undefined, timeoutMs: settings.listMs })
    }
    return reply
  }

  /** Posts in the client's own session where the server keeps sessions; one that was lost is opened again, once. */
  const postInSession = async (current: Met, call: Call, ownName: string | undefined): Promise<Reply | Refusal> => {
    const client = call.session
    if (current.session === undefined || client === undefined) {
      const reply = await post(current, call, ownName, current.session)
      if (!isSessionLost(reply, current.session)) return reply
      // Another call may have opened it again in the meantime.
      if (met === undefined || met === current) await connect()
      return met === undefined || state !== 'ready' ? refuse('upstream-down', 'lost its session') : post(met, call, ownName, met.session)
    }
    const session = await clients.get(client)
    if (session.kind === 'refused') return session
    const reply = await post(current, call, ownName, session.id)
    if (!isSessionLost(reply, session.id)) return reply
    clients.lost(client, session)
    const again = await clients.get(client)
    return again.kind === 'refused' ? again : post(current, call, ownName, again.id)
  }

  const judge = (reply: Reply | Refusal, method: string, ownName: string | undefined): Answer => {
    if (reply.kind === 'message') {
      const { answer, isRepaired } = readAnswer(reply.message, method)
      if (isRepaired && ownName !== undefined) events.repaired(ownName)
      return answer
    }
    if (reply.kind === 'refused') return reply
    const refusal = failed(reply, method)
    if (refusal.reason === 'upstream-down') goDown(refusal)
    else if (reply.kind === 'failed' && reply.failure !== 'cancelled') void refresh()
    return refusal
  }

  void connect()

  return {
    settings,
    status,
    tools: () => list.tools,
    instructions: () => met?.facts.instructions,
    cacheHint() {
      const age = now() - listedAt
      const stated = Math.min(list.ttlMs ?? settings.ttlMs, settings.ttlMs)
      return { ttlMs: state === 'ready' ? Math.max(0, Math.round(stated - age)) : 0, isPublic: list.isPublic && met?.era.name === 'modern' }
    },
    ensureFresh() {
      if (state === 'connecting') return connect()
      return state === 'ready' && now() - listedAt > settings.ttlMs ? refresh() : undefined
    },
    async send(call, ownName) {
      // Ready without a meeting: the session was lost and is being opened again.
      if (state === 'ready' && met === undefined) await connect()
      const current = met
      if (isClosed || state !== 'ready' || current === undefined) {
        const text = lastError === undefined ? 'is not there yet' : `is down: ${lastError}`
        return { answer: refuse('upstream-down', text, { server: settings.name }), upstreamMs: 0, era: current?.era.name }
      }
      inFlight++
      const startedAt = now()
      try {
        const answer = judge(await postInSession(current, call, ownName), call.method, ownName)
        const named = answer.kind === 'refused' ? { ...answer, server: settings.name } : answer
        return { answer: named, upstreamMs: now() - startedAt, era: current.era.name }
      } finally {
        inFlight--
        if (inFlight === 0) idle?.()
      }
    },
    endSession: (client) => clients.end(client),
    async close(graceMs) {
      if (isClosed) return
      isClosed = true
      changes?.close()
      for (const name of [...timers.keys()]) cancelTimer(name)
      if (inFlight > 0) {
        let timer: NodeJS.Timeout | undefined
        const cut = new Promise<void>((resolve) => {
          timer = setTimeout(resolve, graceMs)
        })
        const done = new Promise<void>((resolve) => {
          idle = resolve
        })
        await Promise.race([cut, done])
        clearTimeout(timer)
      }
      await Promise.all([clients.endAll(), endUpstream(met?.session)])
      await connector.close()
    },
  }
}

/** Calls made while one is under way share it. */
function singleFlight(run: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined
  return () => {
    current ??= run().finally(() => {
      current = undefined
    })
    return current
  }
}

function isSameList(a: readonly ToolEntry[], b: readonly ToolEntry[]): boolean {
  return a.length === b.length && a.every((tool, i) => tool.text === b[i]?.text)
}

/** 404 says that a session is gone (2025-11-25, transports, Session Management); some servers say it with 400 and a word about it. */
function isSessionLost(reply: Reply, session: string | undefined): boolean {
  if (session === undefined || reply.kind === 'failed') return false
  if (reply.status === 404) return true
  if (reply.status !== 400 || reply.kind !== 'message') return false
  const error = member(reply.message.top, 'error')
  return error !== undefined && /session/i.test(stringOf(reply.message.text, error) ?? reply.message.text.slice(error.start, error.end))
}
