import {
  type AskMethod,
  capability,
  isRequestId,
  isWithinIdBound,
  type Message,
  member,
  members,
  rebuildObject,
  textOf,
} from '../../mcp/mcp.ts'
import { isUrlMode } from './input-request.ts'

/** A server's request to its client. */
export interface Asked {
  readonly method: AskMethod
  /** JSON text of an object. */
  readonly params: string
  /** The server's own id: JSON text. */
  readonly id: string
}

/**
 * A legacy server's request to the client; undefined for every other message. Removes from its params what is valid only on one
 * connection (`_meta.progressToken`), and `task`, which is not offered to servers.
 */
export function askOf({ text, top, params, meta }: Message, method: string): Asked | undefined {
  const id = member(top, 'id')
  if (id === undefined || !isAskMethod(method) || member(top, 'result') !== undefined || member(top, 'error') !== undefined)
    return undefined
  const idText = textOf(text, id)
  if (!isRequestId(text, id) || !isWithinIdBound(text, id)) return undefined
  const whole = member(top, 'params')
  if (whole === undefined) return { method, params: '{}', id: idText }
  if (params === undefined) return undefined
  const ownMeta = meta?.some(({ key }) => key === 'progressToken')
    ? [`"_meta":${rebuildObject(text, meta, ({ key }) => key !== 'progressToken')}`]
    : undefined
  if (ownMeta === undefined && member(params, 'task') === undefined) return { method, params: textOf(text, whole), id: idText }
  const own = rebuildObject(text, params, ({ key }) => key !== 'task' && !(key === '_meta' && ownMeta !== undefined), ownMeta)
  return { method, params: own, id: idText }
}

/** Whether a method is one of the three that servers request of clients. */
export function isAskMethod(method: string | undefined): method is AskMethod {
  return method === 'sampling/createMessage' || method === 'elicitation/create' || method === 'roots/list'
}

/** The capability flags that a client needs for a server's request. `includeContext` needs none: clients may ignore it. */
export function requiredFor({ method, params }: { readonly method: AskMethod; readonly params: string }): number {
  if (method === 'roots/list') return capability.roots
  const list = members(params, 0, params.length)
  if (method === 'elicitation/create') return isUrlMode(params, list) ? capability.elicitationUrl : capability.elicitationForm
  const hasTools = member(list, 'tools') !== undefined || member(list, 'toolChoice') !== undefined
  return hasTools ? capability.sampling | capability.samplingTools : capability.sampling
}
