import {
  type GetPromptResult,
  inputRequired,
  type McpServer,
  type PromptMessage,
  type RegisteredPrompt,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { elicit, filledIn } from './everything-asking-tools.ts'
import { image } from './everything-media.ts'

/** Registers every prompt that a server scenario of the referee gets, and one whose description tells the list's edition, which it gives. */
export function registerPrompts(server: McpServer, edition: string): RegisteredPrompt {
  server.registerPrompt('test_simple_prompt', { description: 'Takes no argument.' }, () => messages(says('Be brief.')))
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'Takes two arguments.', argsSchema: z.object({ arg1: z.string(), arg2: z.string() }) },
    ({ arg1, arg2 }) => messages(says(`First '${arg1}', then '${arg2}'.`)),
  )
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'Embeds a resource.', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) =>
      messages(
        { role: 'user', content: { type: 'resource', resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded.' } } },
        says('Read it.'),
      ),
  )
  server.registerPrompt('test_prompt_with_image', { description: 'Shows an image.' }, () =>
    messages({ role: 'user', content: { type: 'image', ...image } }, says('Look at it.')),
  )
  server.registerPrompt('test_input_required_result_prompt', { description: 'Asks for its context.' }, (context) => {
    const given = filledIn(context.mcpReq.inputResponses ?? {}, 'user_context', 'context')
    if (given !== undefined) return messages(says(`The context is ${given}.`))
    return inputRequired({ inputRequests: { user_context: elicit('In which context?', { context: { type: 'string' } }, ['context']) } })
  })
  return server.registerPrompt('test_changing_prompt', { description: edition }, () => messages(says('Changed.')))
}

function says(text: string): PromptMessage {
  return { role: 'user', content: { type: 'text', text } }
}

function messages(...all: PromptMessage[]): GetPromptResult {
  return { messages: all }
}
