import { member } from '../mcp/mcp.ts'
import type { Reply } from './connector.ts'

/**
 * 404 says that a session is gone (2025-11-25, transports, Session Management); some servers say it with 400 and a word about it.
 * An error under the request's own id comes from behind the session: the request was taken, and is not sent again.
 */
export function isSessionLost(reply: Reply, session: string | undefined): boolean {
  if (session === undefined || reply.kind === 'failed') return false
  if (reply.kind === 'http') return reply.status === 404
  const { text, top } = reply.message
  const id = member(top, 'id')
  const error = member(top, 'error')
  if (error === undefined || (id !== undefined && id.type !== 'null')) return false
  return reply.status === 404 || (reply.status === 400 && /session/i.test(text.slice(error.start, error.end)))
}
