import type { Match, PathMatch, Route, Rule, RuleBackend, RuleTimeouts, ValueMatch } from '../model/model.ts'
import { choice, integer, json, list, object, type Schema } from '../schema/schema.ts'
import { comesLater } from './later-keys.ts'
import { policiesHere } from './policy-keys.ts'
import { httpTarget } from './server-keys.ts'
import { duration, headerName, hostname, name, path, qualified, words } from './texts.ts'

const anyPath = { type: 'PathPrefix', value: '/' } as const
const valueMatch = (title: string, names: Schema<string>): Schema<ValueMatch> =>
  object<ValueMatch>(title, {
    type: { schema: choice(['Exact', 'RegularExpression'], ['RegularExpression']), about: 'How it is compared.', default: 'Exact' },
    name: { schema: names, about: 'Which one.', isRequired: true },
    value: { schema: words, about: 'What it must be.', isRequired: true },
  })

const match = object<Match>('match', {
  path: {
    schema: object<PathMatch>('pathMatch', {
      type: {
        schema: choice(['Exact', 'PathPrefix', 'RegularExpression'], ['RegularExpression']),
        about: 'How it is compared.',
        default: 'PathPrefix',
      },
      value: { schema: path, about: 'The path.', default: '/' },
    }),
    about: 'The path of the request.',
    default: anyPath,
  },
  headers: { schema: list(valueMatch('headerMatch', headerName)), about: 'Headers that the request must have.', default: [] },
  queryParams: { schema: list(valueMatch('queryMatch', words)), about: 'Query parameters that it must have.', default: [] },
  method: { schema: choice(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']), about: 'Its method.' },
})

const ruleBackend = object<RuleBackend>(
  'ruleBackend',
  {
    backend: { schema: qualified, about: 'A backend: all that its servers offer.' },
    agent: { schema: qualified, about: 'An agent: what it selects.' },
    refuse: {
      schema: object<NonNullable<RuleBackend['refuse']>>('refuse', {
        status: { schema: integer(400, 599), about: 'The HTTP status of the reply.', isRequired: true },
        reason: { schema: words, about: 'A sentence for the caller.' },
      }),
      about: 'Nothing: requests are answered with this.',
    },
    http: { schema: httpTarget, about: 'A plain HTTP service.', later: comesLater },
    weight: { schema: integer(0, 1_000_000), about: 'Its share of new sessions among its siblings.', default: 1 },
  },
  [{ kind: 'one-of', keys: ['backend', 'agent', 'refuse', 'http'] }],
)

const rule = object<Rule>('rule', {
  matches: { schema: list(match, { min: 1 }), about: 'Which requests: any of these.', default: [{ path: anyPath }] },
  filters: { schema: list(json), about: 'Changes to the request (HTTPRouteFilter).', later: comesLater },
  backends: {
    schema: list(ruleBackend, { min: 1, later: 'one backend for each rule; a later version brings weights' }),
    about: 'Where they go.',
    isRequired: true,
  },
  timeouts: {
    schema: object<RuleTimeouts>('ruleTimeouts', {
      request: { schema: duration, about: 'Of a whole request.' },
      backendRequest: { schema: duration, about: 'Of one try at a server.', later: 'use `timeouts.request` of the server' },
    }),
    about: 'Time limits.',
    default: {},
  },
  policies: policiesHere('what this rule matches'),
})

/** The keys of a route and of its rules. */
export const route = object<Route>('route', {
  name: { schema: qualified, about: 'Its name, for logs and metrics.', isRequired: true },
  listeners: { schema: list(name, { min: 1 }), about: 'Only on these listeners. Not written: on all.' },
  hostnames: { schema: list(hostname), about: 'Only for these hosts; none: for any.', default: [] },
  policies: policiesHere('this route'),
  rules: { schema: list(rule), about: 'What it does.', isRequired: true },
})
