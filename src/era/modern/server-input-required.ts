import {
  type Answer,
  type Call,
  type Capabilities,
  can,
  type Member,
  type Message,
  member,
  members,
  rebuildObject,
  refuse,
  stringOf,
  textOf,
} from '../../mcp/mcp.ts'
import { isAskMethod, requiredFor } from '../legacy/ask-of.ts'
import { hasRounds, maxInputRequests } from '../server-era.ts'

/** Whether the result of a modern server asks for input (2026-07-28, multi round-trip requests). */
export function isInputRequired({ text, result }: Message): boolean {
  const type = result === undefined ? undefined : member(result, 'resultType')
  return type !== undefined && stringOf(text, type) === 'input_required'
}

/**
 * Reads such a result: the `input-required` answer, or a refusal where the method allows none, or the client did not declare the
 * capability.
 */
export function readInputRequired({ text, result = [] }: Message, call: Call): Answer {
  if (!hasRounds(call.method)) return refuse('upstream-invalid', `asks for input in the midst of ${call.method}`)
  const requests = member(result, 'inputRequests')
  const state = member(result, 'requestState')
  if (requests === undefined && state === undefined) return refuse('upstream-invalid', 'asks for input without saying for what')
  if (state !== undefined && state.type !== 'string')
    return refuse('upstream-invalid', 'asks for input with a requestState that is no string')
  const fault = requests === undefined ? undefined : faultOf(text, requests, call.capabilities)
  if (fault !== undefined) return refuse('upstream-invalid', fault)
  return {
    kind: 'input-required',
    result: rebuildObject(text, result, ({ key }) => key !== 'resultType' && key !== 'requestState'),
    state: state && stringOf(text, state),
  }
}

function faultOf(text: string, requests: Member, capabilities: Capabilities): string | undefined {
  if (requests.type !== 'object') return 'asks for input with inputRequests that are no object'
  const list = members(text, requests.start, requests.end)
  if (list.length > maxInputRequests) return `asks for more than ${maxInputRequests} inputs at once`
  for (const request of list) {
    const parts = request.type === 'object' ? members(text, request.start, request.end) : []
    const named = member(parts, 'method')
    const method = named === undefined ? undefined : stringOf(text, named)
    const params = member(parts, 'params')
    const hasParams = params === undefined ? method === 'roots/list' : params.type === 'object'
    if (!isAskMethod(method) || !hasParams) return 'asks for input in a way that is not known here'
    if (!can(capabilities, requiredFor({ method, params: params === undefined ? '{}' : textOf(text, params) })))
      return 'asks for what the client has not offered'
  }
  return undefined
}
