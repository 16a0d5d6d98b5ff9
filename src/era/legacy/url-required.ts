import { type Answer, type Call, can, capability, elements, member, members, type RpcError, refuse, textOf } from '../../mcp/mcp.ts'
import { maxInputRequests } from '../server-era.ts'
import { inputRequestOf, isUrlMode } from './input-request.ts'

/** The error by which a legacy server says that the user must visit URLs first (2025-11-25, elicitation, URL Elicitation Required Error). */
export const urlRequiredCode = -32042

/** The state of a call whose next round is the original request sent again: its server has kept nothing of it. */
export const resendState = 'resend'

const lacksUrl: RpcError = {
  code: -32021,
  message: 'the server wants the user to visit a URL, which this client has not offered',
  data: '{"requiredCapabilities":{"elicitation":{"url":{}}}}',
}

/** What a modern client gets for that error: the same URLs as input requests, or the capability that it would need. */
export function readUrlRequired({ data }: RpcError, call: Call): Answer {
  if (!can(call.capabilities, capability.elicitationUrl)) return { kind: 'failed', error: lacksUrl }
  const requests = data === undefined ? [] : urlRequests(data)
  if (requests.length === 0) return refuse('upstream-invalid', `answered error ${urlRequiredCode} without elicitations that can be used`)
  return { kind: 'input-required', result: `{"inputRequests":{${requests.join(',')}}}`, state: resendState }
}

/** None where one of them is no elicitation for a URL, or where there are too many. */
function urlRequests(data: string): readonly string[] {
  const list = data.startsWith('{') ? member(members(data, 0, data.length), 'elicitations') : undefined
  const items = list?.type === 'array' ? elements(data, list.start, list.end) : []
  if (items.length > maxInputRequests) return []
  const requests: string[] = []
  for (const item of items) {
    const params = textOf(data, item)
    if (item.type !== 'object' || !isUrlMode(params, members(params, 0, params.length))) return []
    requests.push(`"url-${requests.length + 1}":${inputRequestOf({ method: 'elicitation/create', params })}`)
  }
  return requests
}
