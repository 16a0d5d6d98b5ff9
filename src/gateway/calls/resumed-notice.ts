import type { ClientRequest } from '../../era/era.ts'
import { isAtLeast, type Message, member, members, splice, stringOf, textOf } from '../../mcp/mcp.ts'
import type { ReplyStream } from '../request/request.ts'

/**
 * Writes a notice that arrives in a later round of a call: progress under the token of this round, log messages by its level. Without
 * token or level the client wants none.
 */
export function writeNotice(reply: ReplyStream, { logLevel }: ClientRequest, { text, meta }: Message, notice: string): void {
  const params = member(members(notice, 0, notice.length), 'params')
  const list = params?.type === 'object' ? members(notice, params.start, params.end) : []
  const [token, level] = [member(list, 'progressToken'), member(list, 'level')]
  if (token !== undefined) {
    const own = member(meta ?? [], 'progressToken')
    if (own !== undefined) reply.write(splice(notice, [{ start: token.start, end: token.end, text: textOf(text, own) }]))
  } else if (level !== undefined) {
    if (logLevel !== undefined && isAtLeast(stringOf(notice, level), logLevel)) reply.write(notice)
  } else reply.write(notice)
}
