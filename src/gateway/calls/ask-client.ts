import { askFor } from '../../era/era.ts'
import {
  type Answer,
  type AskMethod,
  type Cancellation,
  type Member,
  member,
  members,
  patienceMs,
  type Resume,
  stringOf,
  textOf,
} from '../../mcp/mcp.ts'
import type { ReplyStream } from '../request/request.ts'
import type { AskScope, Asks, Waiting } from '../sessions/sessions.ts'

/** How many times a server may ask for input in one call of a legacy client. */
export const maxRounds = 8

export interface RoundDeps {
  readonly asks: Asks
  /** Makes an id for an elicitation by URL; only the revisions with a handshake have such ids. */
  readonly elicitationId: () => string
}

/**
 * Sends a modern server's input requests to a legacy client, as requests on the stream of the client's call, and collects the answers.
 * Resolves with a text where there are no answers: it says why.
 */
export async function askClient(
  { asks, elicitationId }: RoundDeps,
  scope: AskScope,
  answer: Extract<Answer, { kind: 'input-required' }>,
  reply: ReplyStream,
  cancellation: Cancellation,
): Promise<Resume | string> {
  const { result } = answer
  const requested = member(members(result, 0, result.length), 'inputRequests')
  const questions = requested?.type === 'object' ? members(result, requested.start, requested.end) : []
  if (questions.length === 0) return { responses: undefined, state: answer.state }
  const waits: { readonly key: string; readonly waiting: Waiting; isAnswered: boolean }[] = []
  try {
    for (const question of questions) {
      const waiting = asks.waitFor(scope)
      if (waiting === undefined) return 'too many answers are waited for'
      const wait = { key: question.key, waiting, isAnswered: false }
      waits.push(wait)
      void waiting.answer.then(() => {
        wait.isAnswered = true
      })
      if (!reply.write(requestFor(result, question, waiting.id, elicitationId)))
        return 'the client takes no stream on which it could be asked'
    }
    const answers = await allWithin(
      waits.map(({ waiting }) => waiting.answer),
      cancellation,
      reply,
    )
    if (answers === undefined) return cancellation.isCancelled ? 'the caller gave up' : 'the client did not answer'
    if (typeof answers === 'string') {
      for (const { waiting, isAnswered } of waits)
        if (!isAnswered) reply.write(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${waiting.id}}}`)
      return `the client refused: ${errorText(answers)}`
    }
    const responses = answers.map((rest, i) => `${JSON.stringify(waits[i]?.key ?? '')}:${rest.slice('"result":'.length)}`)
    return { responses: `{${responses.join(',')}}`, state: answer.state }
  } finally {
    cancellation.listen(undefined)
    reply.onLeave(undefined)
    for (const { waiting } of waits) waiting.stop()
  }
}

function requestFor(text: string, question: Member, id: string, elicitationId: () => string): string {
  const list = members(text, question.start, question.end)
  const method = member(list, 'method')
  const params = member(list, 'params')
  const name = method === undefined ? '' : (stringOf(text, method) ?? '')
  const own = params === undefined ? '{}' : textOf(text, params)
  return `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(name)},"params":${askFor(name as AskMethod, own, elicitationId)}}`
}

/**
 * Resolves with all answers, or with the first that is an error; with undefined when `patienceMs` has passed, the call is cancelled, or
 * the client has closed the stream, to which it can't return.
 */
function allWithin(
  answers: readonly Promise<string>[],
  cancellation: Cancellation,
  reply: ReplyStream,
): Promise<readonly string[] | string | undefined> {
  return new Promise((resolve) => {
    const giveUp = () => {
      clearTimeout(patience)
      resolve(undefined)
    }
    const patience = setTimeout(giveUp, patienceMs).unref()
    cancellation.listen(giveUp)
    reply.onLeave(giveUp)
    for (const answer of answers)
      void answer.then((rest) => {
        if (!rest.startsWith('"error":')) return
        clearTimeout(patience)
        resolve(rest)
      })
    void Promise.all(answers).then((all) => {
      clearTimeout(patience)
      resolve(all)
    })
  })
}

const maxErrorChars = 300

function errorText(rest: string): string {
  const error = rest.slice('"error":'.length)
  const message = member(members(error, 0, error.length), 'message')
  return (message === undefined ? undefined : stringOf(error, message))?.slice(0, maxErrorChars) ?? 'without a word'
}
