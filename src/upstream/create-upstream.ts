import { type CalledTool, headersFor, isHeaderMismatch, legacyNotification, readAnswer, replyToServer } from '../era/era.ts'
import { type Answer, type Call, type Message, member, type Refusal, refuse } from '../mcp/mcp.ts'
import type { Connector, Reply } from './connector.ts'
import { failed, type Met, shakeHands } from './meet.ts'
import type { Upstream, UpstreamDeps, UpstreamSettings } from './model.ts'
import { createPresence } from './presence.ts'
import { isSessionLost } from './session-lost.ts'
import { createSessionPool, type OwnSession } from './session-pool.ts'

/** Requests of the server's that are answered at a time; what comes above it stays without an answer. */
const maxAnswering = 16

export function createUpstream(settings: UpstreamSettings, connector: Connector, deps: UpstreamDeps): Upstream {
  const { now, events } = deps
  let ids = 0
  let isClosed = false
  let inFlight = 0
  let answering = 0
  let onIdle: (() => void) | undefined
  const nextId = () => ++ids
  const meetOptions = { era: settings.era, clientInfo: deps.clientInfo, timeoutMs: settings.listMs, nextId }
  const presence = createPresence(settings, connector, deps, meetOptions, (met, message, method) =>
    answerServer(met, met.session, message, method),
  )
  const clients = createSessionPool(openSession, (session) => endSession(session.id))

  /** What a server asks of its own accord: only `ping` is served, and only legacy servers ask. */
  function answerServer(met: Met, session: string | undefined, message: Message, method: string): void {
    if (met.era.name === 'modern' || member(message.top, 'id') === undefined || answering === maxAnswering) return
    answering++
    const outbound = replyToServer(message, method, met.facts.version, session)
    void connector.post({ ...outbound, id: undefined, timeoutMs: settings.listMs }).finally(() => answering--)
  }

  async function openSession(): Promise<OwnSession | Refusal> {
    const found = await shakeHands(connector, meetOptions)
    return found.kind === 'refused' ? found : { kind: 'session', id: found.session }
  }

  async function endSession(session: string | undefined): Promise<void> {
    const met = presence.met()
    if (session !== undefined && met !== undefined && presence.isReady()) await connector.delete(headersFor(met.facts.version, session))
  }

  async function post(met: Met, call: Call, tool: CalledTool, session: string | undefined): Promise<Reply> {
    const id = nextId()
    const reply = await connector.post({
      ...met.era.call(call, tool, id, session),
      id,
      isCall: true,
      timeoutMs: settings.requestMs,
      maxMs: call.timeoutMs,
      cancellation: call.cancellation,
      onMessage(message, method) {
        if (met.era.passesNotice(call, message, method)) call.onNotice(message.text)
        else answerServer(met, session, message, method)
      },
    })
    const isGivenUp = reply.kind === 'failed' && (reply.failure === 'timeout' || reply.failure === 'cancelled')
    if (isGivenUp && met.era.name === 'legacy') {
      const notice = legacyNotification('notifications/cancelled', { requestId: id, reason: reply.text }, met.facts.version, session)
      void connector.post({ ...notice, id: undefined, timeoutMs: settings.listMs })
    }
    return reply
  }

  /** A modern server that misses a header has changed its schema: the list is asked again and the refused call sent once more. */
  async function postWithHeaders(met: Met, call: Call, tool: CalledTool): Promise<Reply> {
    const reply = await post(met, call, tool, undefined)
    if (reply.kind !== 'message' || !isHeaderMismatch(reply.message)) return reply
    await presence.refresh()
    const fresh = presence.tools().find(({ name }) => name === tool.name)
    const isNews = fresh !== undefined && JSON.stringify(fresh.paramHeaders) !== JSON.stringify(tool.paramHeaders)
    return isNews ? post(met, call, fresh, undefined) : reply
  }

  /** Posts in the client's own session where the server keeps sessions; one that was lost is opened again, once. */
  async function postInSession(met: Met, call: Call, tool: CalledTool): Promise<Reply | Refusal> {
    const client = call.session
    if (met.era.name === 'modern') return postWithHeaders(met, call, tool)
    if (met.session === undefined || client === undefined) {
      const reply = await post(met, call, tool, met.session)
      if (!isSessionLost(reply, met.session)) return reply
      // Another call may have opened it again in the meantime.
      if ((presence.met() ?? met) === met) await presence.connect()
      const again = presence.met()
      return again === undefined || !presence.isReady()
        ? refuse('upstream-down', 'lost its session')
        : post(again, call, tool, again.session)
    }
    const session = await clients.get(client)
    if (session.kind === 'refused') return session
    const reply = await post(met, call, tool, session.id)
    if (!isSessionLost(reply, session.id)) return reply
    clients.lost(client, session)
    const again = await clients.get(client)
    return again.kind === 'refused' ? again : post(met, call, tool, again.id)
  }

  function judge(reply: Reply | Refusal, method: string, ownName: string): Answer {
    if (reply.kind === 'message') {
      const { answer, isRepaired } = readAnswer(reply.message, method)
      if (isRepaired) events.repaired(ownName)
      return answer
    }
    if (reply.kind === 'refused') return reply
    const refusal = failed(reply, method)
    if (refusal.reason === 'upstream-down') presence.goDown(refusal)
    else if (reply.kind === 'failed' && reply.failure !== 'cancelled' && reply.failure !== 'busy') void presence.refresh()
    return refusal
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

  return {
    settings,
    status: presence.status,
    tools: presence.tools,
    instructions: () => presence.met()?.facts.instructions,
    cacheHint: presence.cacheHint,
    ensureFresh: presence.ensureFresh,
    async send(call, tool) {
      // Ready without a meeting: the session was lost and is being opened again.
      if (presence.met() === undefined && presence.isReady()) await presence.connect()
      const met = presence.met()
      if (isClosed || met === undefined || !presence.isReady()) {
        const { lastError } = presence.status()
        const text = lastError === undefined ? 'is not there yet' : `is down: ${lastError}`
        return { answer: refuse('upstream-down', text, { server: settings.name }), upstreamMs: 0, era: met?.era.name }
      }
      inFlight++
      const startedAt = now()
      try {
        const answer = judge(await postInSession(met, call, tool), call.method, tool.name)
        const named = answer.kind === 'refused' ? { ...answer, server: settings.name } : answer
        return { answer: named, upstreamMs: now() - startedAt, era: met.era.name }
      } finally {
        inFlight--
        if (inFlight === 0) onIdle?.()
      }
    },
    endSession: (client) => clients.end(client),
    async close(graceMs) {
      if (isClosed) return
      isClosed = true
      await idle(graceMs)
      await Promise.all([clients.endAll(), endSession(presence.met()?.session)])
      presence.close()
      await connector.close()
    },
  }
}
