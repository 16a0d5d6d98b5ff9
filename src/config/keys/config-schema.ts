import type { Config } from '../model/model.ts'
import { list, map, object } from '../schema/schema.ts'
import { agent } from './agent-keys.ts'
import { backend } from './backend-keys.ts'
import { comesLater, peers, store } from './later-keys.ts'
import { listener } from './listener-keys.ts'
import { policiesHere } from './policy-keys.ts'
import { admin, health, limits, observe, sessions } from './process-keys.ts'
import { route } from './route-keys.ts'
import { qualified, words } from './texts.ts'
import { toolTest } from './tool-test-keys.ts'

/** The key that marks a document as written by the Kubernetes controller. */
export const writtenBy = 'mcplex.dev/version'

/** The schema of the long form, with every key in the order in which it is printed. */
export const configSchema = object<Config>('config', {
  [writtenBy]: {
    schema: words,
    about: 'The version that wrote the document for Kubernetes: routes, backends and agents are then called `namespace/name`.',
  },
  listeners: {
    schema: list(listener),
    about: 'Where clients connect.',
    default: [{ name: 'default', port: 8080 }],
    examples: [[{ name: 'lan', address: '10.0.0.7', port: 8080, hosts: ['mcp.lan'], insecure: true }]],
  },
  routes: { schema: list(route), about: 'Which request goes where. Not written: see `agents`.', default: [] },
  backends: { schema: map(qualified, backend), about: 'Groups of servers, by name.', default: {} },
  agents: {
    schema: map(qualified, agent),
    about: 'What each kind of client may see. Where there are any, `/mcp` is not served unless one has it as its `path`.',
    examples: [{ sre: { tools: ['github_list_*', 'kubernetes_*', '!kubernetes_delete_*'] }, all: { path: '/mcp', tools: ['*'] } }],
    default: {},
  },
  policies: policiesHere('all traffic'),
  sessions: { schema: sessions, about: 'How long sessions live and what seals them.', default: {} },
  peers: { schema: peers, about: 'The other replicas.', later: comesLater },
  store: { schema: store, about: 'State that replicas share.', later: comesLater },
  admin: { schema: admin, about: 'The admin listener.', default: {} },
  health: { schema: health, about: 'The health listener.', default: {} },
  limits: { schema: limits, about: 'Bounds of the edge.', default: {} },
  observe: { schema: observe, about: 'What is seen from outside.', default: {} },
  tests: {
    schema: list(toolTest),
    about: 'Who must be able to call what, for `mcplex test`.',
    default: [],
    examples: [[{ agent: 'sre', tool: 'kubernetes_delete_pod', expect: 'hidden' }]],
  },
})
