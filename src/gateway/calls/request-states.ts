import { createHash } from 'node:crypto'
import type { Owner } from '../../catalog/catalog.ts'
import { type ClientRequest, resendState, type Sealer } from '../../era/era.ts'
import { type Answer, type EraName, type Message, member, type Refusal, type Resume, refuse, textOf } from '../../mcp/mcp.ts'
import type { Endpoint } from '../route/route.ts'

/** How the next round of a call goes on: by resuming a call that is suspended in this process, or by sending a request to the server. */
export type Round = { readonly kind: 'suspended'; readonly state: string } | { readonly kind: 'resume'; readonly resume: Resume }

/** Seals and opens the `requestState` that clients carry from one round of a call to the next (2026-07-28, multi round-trip requests). */
export interface RequestStates {
  /** The answer with its state sealed, if it has one. @param era the server's */
  seal(to: Endpoint, owner: Owner, request: ClientRequest, message: Message, answer: Answer, era: EraName | undefined): Answer
  /** Opens the state that a client sends in its next round. Refuses one that has expired or belongs to another call. */
  open(to: Endpoint, owner: Owner, request: ClientRequest, message: Message, resume: Resume): Round | Refusal
}

/** Bound of a server's own `requestState`, which travels inside the sealed one. */
const maxStateChars = 128 * 1024

export function createRequestStates(states: () => Sealer): RequestStates {
  /** What a state is bound to: it opens for this endpoint, caller and server only. The request that it belongs to is part of its text. */
  function boundTo(to: Endpoint, { upstream }: Owner, request: ClientRequest): readonly string[] {
    return [to.endpoint.route, to.caller.id, upstream.key, request.method]
  }

  function seal(to: Endpoint, owner: Owner, request: ClientRequest, message: Message, answer: Answer, era: EraName | undefined): Answer {
    if (answer.kind !== 'input-required' || answer.state === undefined) return answer
    if (answer.state.length > maxStateChars)
      return refuse('upstream-invalid', 'gave a requestState that is too long', { server: owner.server })
    const kind = era === 'modern' ? 'server' : answer.state === resendState ? 'resend' : 'suspended'
    return { ...answer, state: states().seal(`${kind} ${fingerprint(message)} ${answer.state}`, boundTo(to, owner, request)) }
  }

  function open(to: Endpoint, owner: Owner, request: ClientRequest, message: Message, resume: Resume): Round | Refusal {
    const isModern = owner.upstream.status().era === 'modern'
    if (resume.state === undefined) {
      if (isModern) return { kind: 'resume', resume }
      return refuse('invalid-params', 'requestState is missing: it came with the answer that asked for input')
    }
    const opened = states().open(resume.state, boundTo(to, owner, request)) ?? ''
    const [kind = '', print = '', ...words] = opened.split(' ')
    if (opened === '' || print !== fingerprint(message))
      return refuse('invalid-params', 'requestState is not good here: it is too old, altered, or of another request')
    const state = words.join(' ')
    if (kind === 'suspended') return { kind, state }
    // The server speaks another era than in the round before, so the call that it had begun is lost.
    if ((kind === 'server') !== isModern) return refuse('invalid-params', 'this call no longer waits for input: make it again')
    return { kind: 'resume', resume: { responses: resume.responses, state } }
  }

  return { seal, open }
}

/** Equal for two rounds of one call: a digest of the parameters without what rounds add, whatever the order of members. */
function fingerprint({ text, top }: Message): string {
  const params = member(top, 'params')
  const { _meta, inputResponses, requestState, ...own } =
    params === undefined ? {} : (JSON.parse(textOf(text, params), spelled) as Readonly<Record<string, unknown>>)
  return createHash('sha256').update(JSON.stringify(own, sortedKeys)).digest('base64url')
}

/** Keeps numbers as they are written, so that two that are equal as doubles still differ. */
function spelled(_key: string, value: unknown, { source }: { readonly source?: string } = {}): unknown {
  if (typeof value === 'number') return `n${source ?? value}`
  return typeof value === 'string' ? `s${value}` : value
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
