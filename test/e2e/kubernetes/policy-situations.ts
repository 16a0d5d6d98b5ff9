import { type Manifest, object, type Raw } from './manifests.ts'
import { allIsWell, broken, open, type Situation, served, thePost, when } from './situation.ts'

const policy = (target: Raw, spec: Raw): Manifest =>
  object('agentgateway.dev/v1alpha1', 'AgentgatewayPolicy', 'policy', {
    spec: { targetRefs: [{ group: 'gateway.networking.k8s.io', ...target }], ...spec },
  })
const ofGateway = { kind: 'Gateway', name: 'agentgateway' }
const ofRoute = { kind: 'HTTPRoute', name: 'mcp-route' }
const jwt = {
  traffic: { jwtAuthentication: { mode: 'Strict', providers: [{ issuer: 'https://id.example', jwks: { inline: '{"keys":[]}' } }] } },
}

/** Policies beside the post's objects. */
export const policySituations: readonly Situation[] = [
  {
    name: 'a policy that asks for tokens, on the Gateway: all is closed, and opened by its removal',
    stages: [
      {
        apply: [policy(ofGateway, jwt)],
        says: [
          ['AgentgatewayPolicy policy', 'Accepted False Invalid', 'spec.traffic.jwtAuthentication.providers[0].audiences is missing'],
          ['Gateway agentgateway http', 'Programmed False Invalid', 'AgentgatewayPolicy kgateway-system/policy'],
          ['HTTPRoute mcp-route', 'Accepted True Accepted', 'listener http is closed'],
        ],
        serves: [open, 'agentgateway.closed on http: / → 500: this listener is closed'],
      },
      { remove: [policy(ofGateway, jwt)], says: allIsWell, serves: thePost },
    ],
  },
  {
    name: 'the same on the route',
    stages: [
      {
        apply: [policy(ofRoute, jwt)],
        says: [
          ['AgentgatewayPolicy policy', 'Accepted False Invalid', 'nothing passes there: HTTPRoute kgateway-system/mcp-route'],
          ['HTTPRoute mcp-route', 'Accepted True Accepted', 'spec.rules[0] is closed'],
        ],
        serves: broken('this route is closed'),
      },
      {
        apply: [policy({ ...ofRoute, name: 'other' }, jwt)],
        says: [['AgentgatewayPolicy policy', 'Accepted False TargetNotFound', 'there is no HTTPRoute kgateway-system/other: create it']],
        serves: thePost,
      },
    ],
  },
  when('a policy with a timeout and what has no effect yet', {
    apply: [policy(ofGateway, { traffic: { timeouts: { request: '7s' }, retry: { codes: [503], attempts: 1 } } })],
    says: [
      ['AgentgatewayPolicy policy', 'Accepted True Accepted'],
      ['AgentgatewayPolicy policy', 'Attached True Attached', 'Gateway kgateway-system/agentgateway'],
      ['AgentgatewayPolicy policy', 'PartiallyInvalid True Unsupported', 'spec.traffic.retry has no effect yet'],
    ],
    serves: [open, `${served} within 7s`],
  }),
]
