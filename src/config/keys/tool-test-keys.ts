import type { ToolTest } from '../model/model.ts'
import { choice, json, object } from '../schema/schema.ts'
import { qualified, words } from './texts.ts'

/** The keys of a test of the document. */
export const toolTest = object<ToolTest>('test', {
  agent: { schema: qualified, about: 'Who asks.', isRequired: true },
  claims: { schema: json, about: "The claims of the caller's token. Not written: no token." },
  apiKey: { schema: words, about: "The `id` of the caller's API key, in its place." },
  tool: { schema: words, about: 'The tool, by its exposed name.', isRequired: true },
  arguments: { schema: json, about: 'Its arguments.' },
  expect: {
    schema: choice(['allowed', 'refused', 'hidden', 'unknown']),
    about:
      'What must come of it: `allowed`: it is called. `refused`: the caller is not let in, or a rule refuses the arguments. `hidden`: a server has the tool, and the caller does not see it. `unknown`: no server has it.',
    isRequired: true,
  },
})
