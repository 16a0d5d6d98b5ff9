import type { ClientRequest } from '../../era/era.ts'
import { isAtLeast, type Message, member, members, splice, stringOf, textOf } from '../../mcp/mcp.ts'
import type { ReplyStream } from '../request/request.ts'

/** In a later round progress goes under this round's token and log messages by this round's level; without them its client wants none. */
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
