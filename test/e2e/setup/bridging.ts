import type { Answer, Json } from './script.ts'
import { settled } from './settled.ts'
import type { Step } from './steps.ts'

export type Era = 'legacy' | 'modern'

/** Who speaks what: a client, mcplex to the server, and the client whose direct answers are the measure. */
export interface Bridge {
  readonly client: Era
  readonly server: Era
  readonly direct: Era
}

/** The steps that this bridge can carry, with what they must give: the direct answers, but for what is said here by name. */
export function expectations(bridge: Bridge, steps: readonly Step[], direct: readonly Answer[]): readonly (readonly [Step, unknown])[] {
  const isToOld = bridge.client === 'modern' && bridge.server === 'legacy'
  return steps.flatMap((step, index) => {
    if (isToOld && step.beyondModernClient !== undefined) return []
    if (bridge.client !== bridge.server && step.differsByEra !== undefined) return []
    const answer = direct[index]
    const bridged = isToOld ? (withoutRoots(step, answer) ?? withUrlsAsked(step, answer, direct[index + 1], direct[index - 1])) : undefined
    return [[step, comparable(bridge, bridged ?? answer)]]
  })
}

/** The answer without what differs from one time to the next and without what only one of the eras knows, where the bridge has two. */
export function comparable(bridge: Bridge, answer: unknown): unknown {
  const { asked = [], result, ...rest } = settled(answer) as Answer
  const questions =
    bridge.client === bridge.server ? asked : asked.map(({ method, params }) => ({ method, params: eralessQuestion(params) }))
  if (result === undefined) return { ...rest, asked: questions }
  return { ...rest, asked: questions, result: bridge.client === bridge.direct ? result : eralessResult(result) }
}

/** The tool, prompt or resource as mcplex lists it: without `execution`, as it serves no tasks. */
export function listed({ execution: _, ...entry }: Record<string, unknown>): unknown {
  return settled(entry)
}

/** server-everything asks for the roots on the stream of its session. A modern client has none: the server gets an error and says that it knows of no roots. */
function withoutRoots(step: Step, answer: Answer | undefined): unknown {
  if (step.operation.do !== 'call' || step.operation.tool !== 'get-roots-list') return undefined
  const text = `The client supports roots but no roots are currently configured.

This could mean:
1. The client hasn't provided any roots yet
2. The client provided an empty roots list
3. The roots configuration is still being loaded`
  return { ...answer, result: { ...answer?.result, content: [{ type: 'text', text }] } }
}

/** Error -32042 is no error of the modern era: its URLs become questions, and the call is sent again. */
function withUrlsAsked(step: Step, ...[answer, next, before]: readonly (Answer | undefined)[]): unknown {
  if (step.operation.do !== 'call' || step.operation.arguments['errorPath'] !== true) return undefined
  const [failed, done] = step.fails === true ? [answer, next] : [before, answer]
  const { elicitations = [] } = { ...(failed?.error?.data as { readonly elicitations?: readonly Json[] }) }
  const first = elicitations.map((params) => ({ method: 'elicitation/create', params }))
  return { ...done, asked: [...first, ...(done?.asked ?? [])] }
}

function eralessResult({ resultType: _1, ttlMs: _2, cacheScope: _3, _meta: meta, ...result }: Json): Json {
  const { 'io.modelcontextprotocol/subscriptionId': _4, ...kept } = (meta ?? {}) as Json
  return Object.keys(kept).length === 0 ? result : { ...result, _meta: kept }
}

/** The modern era has no `elicitationId`, and towards a modern server mcplex makes it up; mcp 2.3 names and describes a whole form in the legacy era only. */
function eralessQuestion({ elicitationId: _, requestedSchema: schema, ...params }: Json): Json {
  if (schema === undefined) return params
  const { title: _1, description: _2, ...form } = schema as Json
  return { ...params, requestedSchema: form }
}
