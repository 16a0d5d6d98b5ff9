import type { Manifest } from '../kubernetes/manifests.ts'
import { agentgateway, agentsFor, gatewayApi, gatewayName, isOne, object, type Raw } from './objects.ts'
import { audience, issuer, type KeyProof, type Proof } from './proofs.ts'

/** The agents, and the Gateway's policy, for people who prove themselves so: what is asked of them, and which servers each may use at all. */
export function callersBy(proof: Proof, ...more: readonly string[]): readonly Manifest[] {
  const { sre, accountant, admin } = isOne[proof.kind]
  const allowed = [
    `${sre} && mcp.tool.server in ["github", "kubernetes"]`,
    `${accountant} && (mcp.tool.target == "ledger" || mcp.tool.target == "mail")`,
    admin,
    ...more,
  ]
  const targetRefs = [{ group: gatewayApi, kind: 'Gateway', name: gatewayName }]
  return [...agentsFor(proof), policy('callers', { targetRefs, traffic: trafficBy(proof), backend: rules('Allow', allowed) })]
}

/** What nobody may use who comes by an agent: a tool of each agent's selection, and more. */
export function denials(...more: readonly string[]): Manifest {
  const targetRefs = ['sre', 'accountant'].map((name) => ({ group: gatewayApi, kind: 'HTTPRoute', name }))
  const denied = ['mcp.tool.name == "scale_deployment"', 'mcp.tool.name == "approve_invoice"', ...more]
  return policy('denials', { targetRefs, backend: rules('Deny', denied) })
}

function policy(name: string, spec: Raw): Manifest {
  return object(`${agentgateway}/v1alpha1`, 'AgentgatewayPolicy', name, { spec })
}

function rules(action: 'Allow' | 'Deny', matchExpressions: readonly string[]): Raw {
  return { mcp: { authorization: { action, policy: { matchExpressions } } } }
}

function trafficBy(proof: Proof): Raw {
  if (proof.kind === 'key') return { apiKeyAuthentication: { mode: 'Strict', secretRef: { name: secretName } } }
  const jwks = { inline: JSON.stringify(proof.jwks) }
  return { jwtAuthentication: { mode: 'Strict', providers: [{ issuer, audiences: [audience], jwks }] } }
}

export const secretName = 'callers-keys'

/** An entry for each person: a key as it is, or beside what is known of its owner. */
export function keySecret({ keys }: KeyProof): Manifest {
  const stringData = {
    sre: keys.sre,
    accountant: JSON.stringify({ key: keys.accountant, metadata: { team: 'books' } }),
    admin: JSON.stringify({ key: keys.admin, metadata: { team: 'admins' } }),
  }
  return object('v1', 'Secret', secretName, { stringData })
}
