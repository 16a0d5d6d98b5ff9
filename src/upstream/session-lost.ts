import { member, stringOf } from '../mcp/mcp.ts'
import type { Reply } from './connector.ts'

/** 404 says that a session is gone (2025-11-25, transports, Session Management); some servers say it with 400 and a word about it. */
export function isSessionLost(reply: Reply, session: string | undefined): boolean {
  if (session === undefined || reply.kind === 'failed') return false
  if (reply.status === 404) return true
  if (reply.status !== 400 || reply.kind !== 'message') return false
  const error = member(reply.message.top, 'error')
  return error !== undefined && /session/i.test(stringOf(reply.message.text, error) ?? reply.message.text.slice(error.start, error.end))
}
