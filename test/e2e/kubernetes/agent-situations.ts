import { away, backendAway, type Manifest, object, type Raw, to } from './manifests.ts'
import { lost, open, type Situation, thePost, when } from './situation.ts'

const agent = (spec: Raw): Manifest =>
  object('mcplex.dev/v1alpha1', 'Agent', 'sre', {
    spec: { backendRefs: [{ name: 'mcp-backend' }], tools: ['math-mcp-server_add'], ...spec },
  })
const toAgent = to({ group: 'mcplex.dev', kind: 'Agent', name: 'sre' })

/** An Agent between the route and its backend. */
export const agentSituations: readonly Situation[] = [
  {
    name: 'an Agent: made, barred, removed',
    stages: [
      {
        apply: [agent({}), toAgent],
        says: [
          ['Agent sre', 'Accepted True Accepted', 'serves 2 servers'],
          ['HTTPRoute mcp-route', 'ResolvedRefs True ResolvedRefs'],
        ],
        serves: [open, 'mcp-route on http: / → agent sre (math-mcp-server_add) of mcp-backend (math-mcp-server, date-mcp-server)'],
      },
      {
        apply: [agent({ access: '"sre" in jwt.' })],
        says: [
          ['Agent sre', 'Accepted False Invalid', 'spec.access'],
          ['HTTPRoute mcp-route', 'ResolvedRefs False Invalid', 'Agent kgateway-system/sre serves nothing'],
        ],
        serves: lost,
      },
      { remove: [agent({})], says: [['HTTPRoute mcp-route', 'ResolvedRefs False BackendNotFound', 'there is no Agent']], serves: lost },
    ],
  },
  when('an Agent with a backend of another namespace, without a grant', {
    apply: [backendAway, agent({ backendRefs: [{ name: 'mcp-backend', namespace: away }] }), toAgent],
    says: [
      ['Agent sre', 'Accepted False Invalid', `create a ReferenceGrant in ${away}`],
      ['Agent sre', 'ResolvedRefs False RefNotPermitted'],
    ],
    serves: lost,
  }),
  when('an Agent with the bare name of a tool', { apply: [agent({ tools: ['add'] })], refused: /write <server>_<name>/, serves: thePost }),
]
