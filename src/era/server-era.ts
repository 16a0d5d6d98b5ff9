import {
  type Answer,
  type Call,
  type Edit,
  type EraName,
  type Member,
  type Message,
  member,
  members,
  type Refusal,
  type RpcError,
  rebuildObject,
  refuse,
  removeMember,
  splice,
  stringOf,
  textOf,
} from '../mcp/mcp.ts'
import type { ParamHeader } from './modern/param-headers.ts'
import { repairToolResult, saysError } from './repair.ts'

/** What goes to a server: headers as a flat list of names and values, and the body. */
export interface Outbound {
  readonly headers: readonly string[]
  readonly body: string
}

/** What a server said of itself when it was met. `capabilities` is what of them the gateway uses. */
export interface ServerFacts {
  readonly version: string
  readonly hasTools: boolean
  readonly toolsChange: boolean
  readonly serverName: string | undefined
  readonly instructions: string | undefined
}

/** The tool that is called, as its server knows it. */
export interface CalledTool {
  readonly name: string
  readonly paramHeaders: readonly ParamHeader[]
}

/** How servers of one era are spoken to. `session` is the server's own session id, where it gave one. */
export interface ServerEra {
  readonly name: EraName
  /** A call under the server's own name for its subject; every other character of `params` but `_meta` stays as the client sent it. */
  call(call: Call, tool: CalledTool, id: number, session: string | undefined): Outbound
  listTools(cursor: string | undefined, id: number, session: string | undefined): Outbound
  /** Whether a notification that came before the answer may reach the caller. */
  passesNotice(call: Call, notice: Message, method: string): boolean
}

/** Whether a message is a notification about this very call's progress: of the token that the client chose for it. */
export function isOwnProgress(call: Call, notice: Message, method: string): boolean {
  if (method !== 'notifications/progress' || !isNotification(notice)) return false
  const chosen = member(call.message.meta ?? [], 'progressToken')
  const sent = member(notice.params ?? [], 'progressToken')
  if (chosen === undefined || sent === undefined || chosen.type !== sent.type) return false
  const [a, b] = [textOf(call.message.text, chosen), textOf(notice.text, sent)]
  return a === b || (chosen.type === 'number' && Number(a) === Number(b)) || (chosen.type === 'string' && JSON.parse(a) === JSON.parse(b))
}

/** A log message, and nothing that a client could take for a request or a response. */
export function isLogMessage(notice: Message, method: string): boolean {
  return method === 'notifications/message' && isNotification(notice)
}

function isNotification({ top }: Message): boolean {
  return top.every(({ key }) => key !== 'id' && key !== 'result' && key !== 'error')
}

/** The reply to a request as an Answer; `isRepaired` where a tool's result had to be made valid. */
export function readAnswer(message: Message, method: string): { readonly answer: Answer; readonly isRepaired: boolean } {
  const { text, result } = message
  const error = member(message.top, 'error')
  if (error !== undefined) return { answer: readError(text, error), isRepaired: false }
  if (result === undefined) return { answer: refuse('upstream-invalid', 'answered without a result object'), isRepaired: false }
  const typeMember = member(result, 'resultType')
  const hasMeta = member(result, '_meta') !== undefined
  const type = typeMember === undefined ? 'complete' : stringOf(text, typeMember)
  const kept = () => rebuildObject(text, result, (m) => m !== typeMember)
  if (type === 'input_required') return { answer: { kind: 'input-required', result: kept() }, isRepaired: false }
  if (type !== 'complete')
    return { answer: refuse('upstream-invalid', 'answered with a resultType that is not known here'), isRepaired: false }
  if (method === 'tools/call') {
    const repaired = repairToolResult(text, typeMember === undefined ? result : result.filter((m) => m !== typeMember))
    const isError = saysError(text, result)
    if (repaired !== undefined) return { answer: { kind: 'complete', result: repaired, isError, hasMeta }, isRepaired: true }
    const whole = member(message.top, 'result')
    const own = typeMember === undefined && whole !== undefined ? textOf(text, whole) : kept()
    return { answer: { kind: 'complete', result: own, isError, hasMeta }, isRepaired: false }
  }
  return { answer: { kind: 'complete', result: kept(), isError: false, hasMeta }, isRepaired: false }
}

/** Whether a server of 2026-07-28 refused a request for its headers, and so before it did anything. */
export function isHeaderMismatch(message: Message): boolean {
  const error = member(message.top, 'error')
  if (error?.type !== 'object') return false
  const code = member(members(message.text, error.start, error.end), 'code')
  return code !== undefined && textOf(message.text, code) === '-32020'
}

/** A JSON-RPC error object. Codes by which a server faults the gateway's own request are the gateway's failure, not the caller's. */
function readError(text: string, error: Member): RpcAnswer | Refusal {
  if (error.type !== 'object') return refuse('upstream-invalid', 'answered with an error that is no object')
  const list = members(text, error.start, error.end)
  const [codeMember, messageMember, data] = [member(list, 'code'), member(list, 'message'), member(list, 'data')]
  const sent = codeMember?.type === 'number' ? Number(textOf(text, codeMember)) : Number.NaN
  const code = Number.isSafeInteger(sent) ? sent : -32603
  const message = (messageMember && stringOf(text, messageMember)) ?? 'error without a message'
  if (code === -32020 || code === -32022) return refuse('upstream-invalid', `refused the gateway's request with error ${code}`)
  const rpc: RpcError = { code, message, data: data && textOf(text, data) }
  return { kind: 'failed', error: rpc }
}

type RpcAnswer = Extract<Answer, { kind: 'failed' }>

/** What `initialize` and `server/discover` results have in common. */
export function readFacts(message: Message, version: string): ServerFacts {
  const { text } = message
  const result = message.result ?? []
  const capabilities = member(result, 'capabilities')
  const offered = capabilities?.type === 'object' ? members(text, capabilities.start, capabilities.end) : []
  const tools = member(offered, 'tools')
  const toolFlags = tools?.type === 'object' ? members(text, tools.start, tools.end) : []
  const instructions = member(result, 'instructions')
  const info = member(result, 'serverInfo')
  const name = info?.type === 'object' ? member(members(text, info.start, info.end), 'name') : undefined
  return {
    version,
    hasTools: tools?.type === 'object',
    toolsChange: member(toolFlags, 'listChanged')?.type === 'true',
    serverName: name === undefined ? undefined : stringOf(text, name),
    instructions: instructions === undefined ? undefined : stringOf(text, instructions),
  }
}

/** What every server's `params` are changed by: the tool's own name, and no `task`, which is not offered to clients. */
export function ownEdits(text: string, params: readonly Member[], ownName: string): Edit[] {
  const edits: Edit[] = []
  const name = member(params, 'name')
  if (name !== undefined) edits.push({ start: name.start, end: name.end, text: JSON.stringify(ownName) })
  const task = member(params, 'task')
  if (task !== undefined) edits.push(removeMember(text, params, task))
  return edits
}

/** The value of `whole` with edits made inside it. */
export function spliceWithin(text: string, whole: Member, edits: readonly Edit[]): string {
  const sorted = edits.toSorted((a, b) => a.start - b.start)
  return splice(text, [{ start: 0, end: whole.start, text: '' }, ...sorted, { start: whole.end, end: text.length, text: '' }])
}
