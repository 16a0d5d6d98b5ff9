import { agentSituations } from './agent-situations.ts'
import { backendSituations } from './backend-situations.ts'
import { gatewaySituations } from './gateway-situations.ts'
import { gateway } from './manifests.ts'
import { policySituations } from './policy-situations.ts'
import { routeSituations } from './route-situations.ts'
import { type Situation, when } from './situation.ts'
import { tokenSituations } from './token-situations.ts'

/** What a user may do to the post's objects, one thing at a time. */
export const situations: readonly Situation[] = [
  ...gatewaySituations,
  ...routeSituations,
  ...backendSituations,
  ...policySituations,
  ...agentSituations,
  ...tokenSituations,
  // Kubernetes takes away what a removed Gateway owned once it has noticed the new kinds, half a minute after they were installed.
  when('the Gateway is removed', { remove: [gateway()], says: [['HTTPRoute mcp-route', 'no entry']], serves: 'none' }),
]
