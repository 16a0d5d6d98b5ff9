import type { Backend, Prefix } from '../model/model.ts'
import { choice, map, object, type Schema } from '../schema/schema.ts'
import { policiesHere } from './policy-keys.ts'
import { server } from './server-keys.ts'
import { name, words } from './texts.ts'

/** The key `prefix` of backends and agents. */
export const prefix: Schema<Prefix> = choice(['always', 'conditional', 'never'])

/** The keys of a backend. */
export const backend = object<Backend>('backend', {
  servers: { schema: map(name, server), about: 'Its servers, by name; the order counts where names are equal.', isRequired: true },
  prefix: {
    schema: prefix,
    about:
      "When tools and prompts carry their server's name (`<server>_<tool>`), and URIs (`<server>+<uri>`): always, only where there are several servers, never.",
    default: 'always',
  },
  failure: { schema: choice(['open', 'closed']), about: 'When a server is down: go on without it, or fail.', default: 'open' },
  routing: {
    schema: choice(['stateful', 'stateless'], ['stateless']),
    about: 'Whether a session stays with its servers.',
    default: 'stateful',
  },
  instructions: { schema: words, about: 'What clients are told about it.' },
  policies: policiesHere('this backend'),
})
