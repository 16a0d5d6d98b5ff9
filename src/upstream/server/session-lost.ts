import { member } from '../../mcp/mcp.ts'
import type { Reply } from '../wire/wire.ts'

/**
 * That a session is gone. `untaken`: so is the request, which may be sent again. `said`: an error under the request's own id says so, which
 * may come from behind the session, where the request may have been taken. `unsure`: such an error has the status for it, and no word.
 */
export type SessionLoss = 'untaken' | 'said' | 'unsure'

/** 404 says that a session is gone (2025-11-25, transports, Session Management); some servers say it with 400 and a word about it. */
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

/** Whether a session is gone, for requests that may be taken twice. */
export function isSessionLost(reply: Reply, session: string | undefined): boolean {
  const loss = sessionLoss(reply, session)
  return loss === 'untaken' || loss === 'said'
}
