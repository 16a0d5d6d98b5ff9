import type { Agent } from '../model/model.ts'
import { list, object } from '../schema/schema.ts'
import { prefix } from './backend-keys.ts'
import { access, policiesHere } from './policy-keys.ts'
import { path, qualified, resourcePattern, toolPattern, words } from './texts.ts'

/** The keys of an agent. */
export const agent = object<Agent>('agent', {
  from: { schema: list(qualified, { min: 1 }), about: 'The backends whose servers it may use.', default: ['default'] },
  tools: {
    schema: list(toolPattern),
    about: 'Patterns over `<server>_<tool>`: `*` is anything, a leading `!` takes away. None: no tool.',
    default: [],
  },
  prompts: { schema: list(toolPattern), about: 'Patterns over `<server>_<prompt>`, likewise. None: no prompt.', default: [] },
  resources: {
    schema: list(resourcePattern),
    about: 'Patterns over `<server>+<uri>`, likewise; templates by their own text, such as `docs+file:///{path}`. None: no resource.',
    default: [],
  },
  path: { schema: path, about: 'Makes a route for it. Not written: `/mcp/<agent>` where the document has no `routes`, else none.' },
  prefix: { schema: prefix, about: "As a backend's. Not written: its backend's; with several backends: always." },
  instructions: { schema: words, about: 'What its clients are told.' },
  access: { schema: access, about: 'Who may use it at all (CEL); others get 403.' },
  policies: policiesHere('this agent'),
})
