import type { Raw } from '../objects/objects.ts'
import { agent } from './agent.ts'
import { agentgatewayBackend } from './agentgateway-backend.ts'
import { agentgatewayPolicy } from './agentgateway-policy.ts'
import { backend } from './backend.ts'
import { gatewayParameters } from './gateway-parameters.ts'

/**
 * The CustomResourceDefinitions that mcplex brings, by the name of their file in `deploy/crds`. Objects that are valid for kgateway's
 * and agentgateway's own definitions of these kinds are valid for ours. Not loaded by the controller.
 */
export const crds = {
  'gateway.kgateway.dev_backends.yaml': backend,
  'agentgateway.dev_agentgatewaybackends.yaml': agentgatewayBackend,
  'agentgateway.dev_agentgatewaypolicies.yaml': agentgatewayPolicy,
  'mcplex.dev_agents.yaml': agent,
  'mcplex.dev_gatewayparameters.yaml': gatewayParameters,
} as const satisfies Readonly<Record<string, Raw>>
