import { type Ask, type AskMethod, type Member, member, members, rebuildObject, stringOf } from '../../mcp/mcp.ts'

/**
 * The params of a modern server's input request as a legacy client gets them: those for a URL have an id there by which the server
 * may speak of it later (2025-11-25, elicitation, URL Mode), all others are the same text.
 */
export function askFor(method: AskMethod, params: string, mintElicitationId: () => string): string {
  if (method !== 'elicitation/create') return params
  const list = members(params, 0, params.length)
  if (!isUrlMode(params, list)) return params
  return rebuildObject(params, list, ({ key }) => key !== 'elicitationId', [`"elicitationId":${JSON.stringify(mintElicitationId())}`])
}

/** A legacy server's request as the input request (JSON text) of a modern client, where an elicitation has no id. */
export function inputRequestOf({ method, params }: Pick<Ask, 'method' | 'params'>): string {
  if (method === 'roots/list' && params === '{}') return '{"method":"roots/list"}'
  const list = method === 'elicitation/create' ? members(params, 0, params.length) : []
  const own = isUrlMode(params, list) ? rebuildObject(params, list, ({ key }) => key !== 'elicitationId') : params
  return `{"method":"${method}","params":${own}}`
}

/** Whether an elicitation sends the user to a URL; without a mode it is a form. */
export function isUrlMode(text: string, params: readonly Member[]): boolean {
  const mode = member(params, 'mode')
  return mode !== undefined && stringOf(text, mode) === 'url'
}
