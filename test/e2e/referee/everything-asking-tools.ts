import {
  acceptedContent,
  type ClientCapabilities,
  type ElicitRequestFormParams,
  type InputRequest,
  type InputRequests,
  inputRequired,
  inputResponse,
} from '@modelcontextprotocol/server'
import type { Arguments, EverythingTool, SealedState } from './everything-tools.ts'

type Form = ElicitRequestFormParams['requestedSchema']
type Answers = Readonly<Record<string, unknown>>

/** A tool that asks: again and again until `conclude` makes a text of the answers. */
interface AskingTool {
  readonly description: string
  readonly input?: EverythingTool['input']
  /** Its state goes through the client, and without it no answer counts. */
  readonly isSealed?: boolean
  readonly ask: (args: Arguments, declared: ClientCapabilities) => InputRequests
  readonly conclude: (answers: Answers) => string | undefined
}

/** A form to fill in; all of its `required` fields are texts or truth values. */
export function elicit(message: string, properties: Form['properties'], required: readonly string[] = []): InputRequest {
  return inputRequired.elicit({ message, requestedSchema: { type: 'object', properties, required: [...required] } })
}

function sample(prompt: string): InputRequest {
  return inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: prompt } }], maxTokens: 100 })
}

const askName = () => elicit('What is your name?', { name: { type: 'string' } }, ['name'])
const confirm = () => elicit('Please confirm.', { ok: { type: 'boolean' } }, ['ok'])
const options = ['option1', 'option2', 'option3']
const titled = (...titles: readonly string[]) => titles.map((title, index) => ({ const: `value${index + 1}`, title }))

const rows: Readonly<Record<string, AskingTool>> = {
  test_sampling: {
    description: 'Gives the prompt to the client’s model.',
    input: { type: 'object', properties: { prompt: { type: 'string' } }, required: ['prompt'] },
    ask: ({ prompt }) => ({ reply: sample(String(prompt)) }),
    conclude: (answers) => sampled(answers, 'reply'),
  },
  test_elicitation: {
    description: 'Shows the message to the user.',
    input: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
    ask: ({ message }) => ({ reply: elicit(String(message), { response: { type: 'string' } }, ['response']) }),
    conclude: (answers) => outcome(answers, 'reply'),
  },
  test_elicitation_sep1034_defaults: {
    description: 'Shows a form with a default for every kind of field.',
    ask: () => ({
      form: elicit('Is all of this right?', {
        name: { type: 'string', default: 'John Doe' },
        age: { type: 'integer', default: 30 },
        score: { type: 'number', default: 95.5 },
        status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
        verified: { type: 'boolean', default: true },
      }),
    }),
    conclude: (answers) => outcome(answers, 'form'),
  },
  test_elicitation_sep1330_enums: {
    description: 'Shows a form with every kind of choice.',
    ask: () => ({
      form: elicit('Which of these?', {
        untitledSingle: { type: 'string', enum: options },
        titledSingle: { type: 'string', oneOf: titled('One', 'Two', 'Three') },
        legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
        untitledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { type: 'string', enum: options } },
        titledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { anyOf: titled('One', 'Two', 'Three') } },
      }),
    }),
    conclude: (answers) => outcome(answers, 'form'),
  },
  test_missing_capability: {
    description: 'Needs a client with a model.',
    ask: () => ({ reply: sample('Say pong.') }),
    conclude: (answers) => sampled(answers, 'reply'),
  },
  test_input_required_result_elicitation: {
    description: 'Asks for a name.',
    ask: () => ({ user_name: askName() }),
    conclude: (answers) => filledIn(answers, 'user_name', 'name'),
  },
  test_input_required_result_sampling: {
    description: 'Asks the client’s model for a capital.',
    ask: () => ({ capital_question: sample('What is the capital of France?') }),
    conclude: (answers) => sampled(answers, 'capital_question'),
  },
  test_input_required_result_list_roots: {
    description: 'Asks for the roots.',
    ask: () => ({ client_roots: inputRequired.listRoots() }),
    conclude: (answers) => roots(answers, 'client_roots'),
  },
  test_input_required_result_request_state: {
    description: 'Asks for a confirmation, with a sealed state.',
    isSealed: true,
    ask: () => ({ confirm: confirm() }),
    conclude: (answers) => (filledIn(answers, 'confirm', 'ok') === undefined ? undefined : 'state-ok'),
  },
  test_input_required_result_tampered_state: {
    description: 'Asks for a confirmation, with a sealed state that must come back as it went.',
    isSealed: true,
    ask: () => ({ confirm: confirm() }),
    conclude: (answers) => filledIn(answers, 'confirm', 'ok'),
  },
  test_input_required_result_multiple_inputs: {
    description: 'Asks for a name, a greeting and the roots at once.',
    isSealed: true,
    ask: () => ({ user_name: askName(), greeting: sample('Greet the user.'), client_roots: inputRequired.listRoots() }),
    conclude: (answers) => {
      const parts = [sampled(answers, 'greeting'), filledIn(answers, 'user_name', 'name'), roots(answers, 'client_roots')]
      return parts.includes(undefined) ? undefined : parts.join(' ')
    },
  },
  test_input_required_result_capabilities: {
    description: 'Asks for all that the client can be asked.',
    ask: (_args, declared) => ({
      ...(declared.elicitation === undefined ? {} : { user_name: askName() }),
      ...(declared.sampling === undefined ? {} : { greeting: sample('Greet the user.') }),
      ...(declared.roots === undefined ? {} : { client_roots: inputRequired.listRoots() }),
    }),
    conclude: (answers) => (Object.keys(answers).length > 0 ? `Answered: ${Object.keys(answers).join(', ')}.` : undefined),
  },
}

/** The tools that ask. On a legacy session the SDK sends each question as a request of its own, so one row serves both eras. */
export const askingTools: Readonly<Record<string, EverythingTool>> = {
  ...Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, toolOf(name, row)])),
  test_input_required_result_multi_round: {
    description: 'Asks for a name, then for a colour.',
    run: async (_args, context, around) => {
      const state = context.mcpReq.requestState<SealedState>()
      const answers = context.mcpReq.inputResponses ?? {}
      const name = state?.round === 1 ? filledIn(answers, 'step1', 'name') : state?.name
      if (name === undefined) {
        const requestState = await around.seal({ round: 1 })
        return inputRequired({ inputRequests: { step1: askName() }, requestState })
      }
      const colour = state?.round === 2 ? filledIn(answers, 'step2', 'color') : undefined
      if (colour !== undefined) return { content: [{ type: 'text', text: `${name} likes ${colour}.` }] }
      const step2 = elicit('What is your favourite colour?', { color: { type: 'string' } }, ['color'])
      return inputRequired({ inputRequests: { step2 }, requestState: await around.seal({ round: 2, name }) })
    },
  },
}

function toolOf(name: string, { description, input, isSealed, ask, conclude }: AskingTool): EverythingTool {
  return {
    description,
    ...(input === undefined ? {} : { input }),
    run: async (args, context, around) => {
      const counts = isSealed !== true || context.mcpReq.requestState<SealedState>()?.name === name
      const said = counts ? conclude(context.mcpReq.inputResponses ?? {}) : undefined
      if (said !== undefined) return { content: [{ type: 'text', text: said }] }
      const inputRequests = ask(args, around.declared())
      if (Object.keys(inputRequests).length === 0)
        return { content: [{ type: 'text', text: 'There is nothing that the client can be asked.' }] }
      return inputRequired(isSealed === true ? { inputRequests, requestState: await around.seal({ round: 1, name }) } : { inputRequests })
    },
  }
}

/** A field of an accepted form, as text. */
export function filledIn(answers: Answers, key: string, field: string): string | undefined {
  const value = acceptedContent({ ...answers }, key)?.[field]
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : undefined
}

/** What became of a form, accepted or not. */
function outcome(answers: Answers, key: string): string | undefined {
  const answer = inputResponse({ ...answers }, key)
  return answer.kind === 'elicit' ? `action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}` : undefined
}

function sampled(answers: Answers, key: string): string | undefined {
  const answer = inputResponse({ ...answers }, key)
  return answer.kind === 'sampling' ? JSON.stringify(answer.result.content) : undefined
}

function roots(answers: Answers, key: string): string | undefined {
  const answer = inputResponse({ ...answers }, key)
  return answer.kind === 'roots' ? `roots: ${answer.roots.map(({ uri }) => uri).join(', ')}` : undefined
}
