import { away, grant, type Manifest, math, object, type Raw, to } from './manifests.ts'
import { lost, open, type Situation, when } from './situation.ts'

const secured = object('agentgateway.dev/v1alpha1', 'AgentgatewayBackend', 'secured', {
  spec: { mcp: { targets: [{ ...math, static: { ...math.static, policies: { auth: { secretRef: { name: 'token' } } } } }] } },
})
const toSecured = to({ group: 'agentgateway.dev', kind: 'AgentgatewayBackend', name: 'secured' })
const token = (text: string): Manifest => object('v1', 'Secret', 'token', { stringData: { Authorization: text } })

/** An AgentgatewayBackend in the Backend's place, with a token for its server in a Secret. */
export const tokenSituations: readonly Situation[] = [
  {
    name: 'a token for a server: missing, made, changed, removed',
    stages: [
      {
        apply: [secured, toSecured],
        says: [
          ['AgentgatewayBackend secured', 'Accepted False Invalid', 'Secret kgateway-system/token, which does not exist: create it'],
          ['HTTPRoute mcp-route', 'ResolvedRefs False Invalid', 'AgentgatewayBackend kgateway-system/secured serves nothing'],
        ],
        serves: lost,
      },
      {
        apply: [token('one')],
        says: [
          ['AgentgatewayBackend secured', 'Accepted True Accepted', 'serves 1 server'],
          ['HTTPRoute mcp-route', 'ResolvedRefs True ResolvedRefs'],
        ],
        serves: [open, 'mcp-route on http: / → secured (math with Authorization: Bearer one)'],
      },
      { apply: [token('two')], serves: [open, 'mcp-route on http: / → secured (math with Authorization: Bearer two)'] },
      { remove: [token('two')], says: [['AgentgatewayBackend secured', 'Accepted False Invalid']], serves: lost },
    ],
  },
  when('a token in a namespace that the controller may not read', {
    apply: [
      { ...secured, metadata: { name: 'secured', namespace: away } },
      { ...token('three'), metadata: { name: 'token', namespace: away } },
      { ...grant, spec: { ...(grant['spec'] as Raw), to: [{ group: 'agentgateway.dev', kind: 'AgentgatewayBackend' }] } },
      to({ group: 'agentgateway.dev', kind: 'AgentgatewayBackend', name: 'secured', namespace: away }),
    ],
    says: [
      [`AgentgatewayBackend ${away}/secured`, 'Accepted False Invalid', `kubectl create rolebinding mcplex-provisioner -n ${away}`],
      ['HTTPRoute mcp-route', 'ResolvedRefs False Invalid'],
    ],
    serves: lost,
  }),
]
