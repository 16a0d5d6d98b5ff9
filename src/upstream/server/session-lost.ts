import { member } from '../../mcp/mcp.ts'
import type { Reply } from '../wire/wire.ts'

/**
 * How a reply shows that a session is lost.
 * - `untaken`: the server has not acted on the request, so it may be sent again.
 * - `said`: the error has the request's id and its text mentions the session; the server may have acted on the request.
 * - `unsure`: the error has the request's id and only the HTTP status indicates a lost session; the server may have acted on the request.
 */
export type SessionLoss = 'untaken' | 'said' | 'unsure'

/**
 * A lost session is answered with 404 (2025-11-25, transports, Session Management); some servers answer 400 with an error that mentions
 * the session.
 */
export function sessionLoss(reply: Reply, session: string | undefined): SessionLoss | undefined {
  if (session === undefined || reply.kind === 'failed' || (reply.status !== 404 && reply.status !== 400)) return undefined
  if (reply.kind === 'http') return reply.status === 404 ? 'untaken' : undefined
  const { text, top } = reply.message
  const id = member(top, 'id')
  const error = member(top, 'error')
  if (error === undefined) return undefined
  const isSaid = /session/i.test(text.slice(error.start, error.end))
  if (!isSaid && reply.status === 400) return undefined
  if (id === undefined || id.type === 'null') return 'untaken'
  return isSaid ? 'said' : 'unsure'
}

/** Whether a session is lost, for requests that may be sent twice. */
export function isSessionLost(reply: Reply, session: string | undefined): boolean {
  const loss = sessionLoss(reply, session)
  return loss === 'untaken' || loss === 'said'
}
