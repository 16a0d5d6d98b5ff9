import { type Addressed, isHeaderMismatch } from '../era/era.ts'
import type { Call, Refusal } from '../mcp/mcp.ts'
import type { PostedCalls } from './calls/calls.ts'
import type { Presence } from './presence/presence.ts'
import { type Met, type SessionLoss, sessionLoss } from './server/server.ts'
import type { OpenSession, ServerSessions } from './sessions/sessions.ts'
import type { Reply } from './wire/wire.ts'

/** Posts a call in the session that it belongs to. Posts it a second time only where the server has certainly not acted on the first. */
export type PostCall = (met: Met, call: Call, addressed: Addressed) => Promise<Reply | Refusal>

export function createPostCall(calls: PostedCalls, sessions: ServerSessions, presence: Presence): PostCall {
  return (met, call, addressed) => {
    if (met.era.name === 'modern') return postWithHeaders(met, call, addressed)
    return met.session === undefined ? calls.post(met, call, addressed, undefined) : postInSession(met, call, addressed)
  }

  /**
   * A modern server that refuses a call for a missing header has changed the tool's schema: the list is requested again, then the call is
   * sent once more.
   */
  async function postWithHeaders(met: Met, call: Call, addressed: Addressed): Promise<Reply> {
    const reply = await calls.post(met, call, addressed, undefined)
    if (reply.kind !== 'message' || call.method !== 'tools/call' || !isHeaderMismatch(reply.message)) return reply
    await presence.refresh()
    const fresh = presence.entries('tools').find((entry) => entry.key === addressed.name)
    if (fresh === undefined || JSON.stringify(fresh.paramHeaders) === JSON.stringify(addressed.paramHeaders)) return reply
    return calls.post(met, call, { name: fresh.key, paramHeaders: fresh.paramHeaders }, undefined)
  }

  /** A lost session is opened again once. The call is then sent once more, unless the server may have acted on it. */
  async function postInSession(met: Met, call: Call, addressed: Addressed): Promise<Reply | Refusal> {
    const session = await sessions.of(call)
    if (session.kind === 'refused') return session
    session.users++
    const reply = await calls.post(met, call, addressed, session.id)
    sessions.release(session)
    const loss = sessionLoss(reply, session.id)
    if (loss !== 'untaken') {
      if (loss !== undefined && (await isGone(met, session, loss))) sessions.lose(call, session)
      return reply
    }
    const again = await sessions.againOf(call, session)
    if (again.kind === 'refused') return again
    again.users++
    const second = await calls.post(met, call, addressed, again.id)
    sessions.release(again)
    return second
  }

  async function isGone(met: Met, session: OpenSession, loss: SessionLoss): Promise<boolean> {
    return loss === 'said' || sessionLoss(await sessions.ping(met, session), session.id) !== undefined
  }
}
