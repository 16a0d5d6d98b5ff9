import type { Owner } from '../../catalog/catalog.ts'
import { type ClientEra, type ClientRequest, checkParamHeaders } from '../../era/era.ts'
import { type Head, type Message, member, type Refusal, textOf } from '../../mcp/mcp.ts'
import { noteDenial, noteRule, type Trace } from '../request/request.ts'
import type { Endpoint } from '../route/route.ts'

/**
 * Refuses a call before it is sent to the server that owns what it names: because of a policy, or because its headers contradict its
 * body.
 */
export function checkCall(
  to: Endpoint,
  owner: Owner,
  client: ClientEra,
  request: ClientRequest,
  message: Message,
  head: Head,
  trace: Trace,
): Refusal | undefined {
  const denied = deniedByPolicy(to, owner, request.method, message, trace)
  if (denied !== undefined) return denied
  return client.name === 'modern' ? checkParamHeaders(owner.addressed.paramHeaders, head, message) : undefined
}

/** Asks the policies about the call and its arguments. A call of something hidden has been refused as unknown before. */
function deniedByPolicy({ caller, entry }: Endpoint, { item }: Owner, method: string, message: Message, trace: Trace): Refusal | undefined {
  const call = entry?.gate.policies.call
  if (entry === undefined || call === undefined) return undefined
  const said = call({ caller, head: entry.head }, item, method, argumentsOf(message))
  if (said.kind === 'pass') {
    noteRule(trace, said.by)
    return undefined
  }
  noteDenial(trace, said.by)
  return said
}

/** JSON text of a call's arguments. */
export function argumentsOf({ text, params }: Message): string | undefined {
  const found = member(params ?? [], 'arguments')
  return found === undefined ? undefined : textOf(text, found)
}
