import { type Answer, type Call, can, capability, elements, member, members, type RpcError, refuse, textOf } from '../../mcp/mcp.ts'
import { maxInputRequests } from '../server-era.ts'
import { inputRequestOf, isUrlMode } from './input-request.ts'

/**
 * The code of a legacy server's error that requires the user to visit URLs first (2025-11-25, elicitation, URL Elicitation Required
 * Error).
 */
export const urlRequiredCode = -32042

/** The state of a call whose next round sends the original request again, since its server keeps no state. */
export const resendState = 'resend'

const lacksUrl: RpcError = {
  code: -32021,
  message: 'the server wants the user to visit a URL, which this client has not offered',
  data: '{"requiredCapabilities":{"elicitation":{"url":{}}}}',
}

/**
 * Turns an error with `urlRequiredCode` into a modern answer: input requests for the same URLs, or a refusal that names the missing
 * capability.
 */
export function readUrlRequired({ data }: RpcError, call: Call): Answer {
  if (!can(call.capabilities, capability.elicitationUrl)) return { kind: 'failed', error: lacksUrl }
  const requests = data === undefined ? [] : urlRequests(data)
  if (requests.length === 0) return refuse('upstream-invalid', `answered error ${urlRequiredCode} without elicitations that can be used`)
  return { kind: 'input-required', result: `{"inputRequests":{${requests.join(',')}}}`, state: resendState }
}

/** The elicitations in the error; undefined where one is not by URL, or there are too many. */
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
