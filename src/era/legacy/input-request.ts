import { type Ask, type AskMethod, type Member, member, members, rebuildObject, stringOf } from '../../mcp/mcp.ts'

/**
 * The params of a modern server's input request for a legacy client. An elicitation by URL gets an id, by which the server
 * can refer to it later (2025-11-25, elicitation, URL Mode); all others stay the same.
 */
export function askFor(method: AskMethod, params: string, mintElicitationId: () => string): string {
  if (method !== 'elicitation/create') return params
  const list = members(params, 0, params.length)
  if (!isUrlMode(params, list)) return params
  return rebuildObject(params, list, ({ key }) => key !== 'elicitationId', [`"elicitationId":${JSON.stringify(mintElicitationId())}`])
}

/** A legacy server's request as an input request (JSON text) for a modern client. It loses the id of an elicitation. */
export function inputRequestOf({ method, params }: Pick<Ask, 'method' | 'params'>): string {
  if (method === 'roots/list' && params === '{}') return '{"method":"roots/list"}'
  const list = method === 'elicitation/create' ? members(params, 0, params.length) : []
  const own = isUrlMode(params, list) ? rebuildObject(params, list, ({ key }) => key !== 'elicitationId') : params
  return `{"method":"${method}","params":${own}}`
}

/** Whether an elicitation is by URL; without a mode it is a form. */
export function isUrlMode(text: string, params: readonly Member[]): boolean {
  const mode = member(params, 'mode')
  return mode !== undefined && stringOf(text, mode) === 'url'
}
