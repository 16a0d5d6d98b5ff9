import assert from 'node:assert/strict'
import { allOf, modernPost, send, type WireMessage } from './mcp-post.ts'

/** What a client of the multi-round calls in these tests can do. */
export const askable = { elicitation: { form: {} }, sampling: {} }

/** A tool and its arguments. */
export interface Called {
  readonly name: string
  readonly arguments?: Readonly<Record<string, unknown>>
}

/** What a call wants to know before it goes on (2026-07-28, multi-round-trip requests). */
export interface Round {
  /** The one question's key and method. */
  readonly key: string
  readonly method: string
  /** Absent where the server has given none and the gateway needs none. */
  readonly state: string | undefined
}

let ids = 0

/** Makes a call, or goes on with it by the answers to a round, and gives the response; throws where none comes. */
export async function callAt(url: string, call: Called, round?: Round, answer?: object): Promise<WireMessage> {
  const state = round?.state === undefined ? {} : { requestState: round.state }
  const more = round === undefined ? {} : { ...state, inputResponses: { [round.key]: answer } }
  const reply = await send(url, modernPost(++ids, 'tools/call', { ...call, ...more }, askable))
  const response = (await allOf(reply)).find(({ method }) => method === undefined)
  assert.ok(response !== undefined, `HTTP ${reply.status} without a response`)
  return response
}

/** The round that a response asks for; throws where it asks for none, or for several things. */
export function roundOf({ result, error }: WireMessage): Round {
  assert.equal(result?.['resultType'], 'input_required', JSON.stringify(result ?? error))
  const requests = Object.entries((result?.['inputRequests'] ?? {}) as Record<string, { readonly method: string }>)
  const [[key, request] = []] = requests
  const state = result?.['requestState']
  assert.ok(requests.length === 1 && key !== undefined && request !== undefined, JSON.stringify(result))
  return { key, method: request.method, state: typeof state === 'string' ? state : undefined }
}

/** The answer to a form with one text. */
export const filled = (key: string, value: string) => ({ action: 'accept', content: { [key]: value } })

/** The answer to a request for sampling. */
export const sampled = (text: string) => ({ role: 'assistant', model: 'test', content: { type: 'text', text } })
