export { createAccessPolicy } from './access/access.ts'
export {
  type Authenticator,
  createAuthenticator,
} from './authenticate/authenticate.ts'
export type { AuthenticateDeps } from './authenticate/deps.ts'
export { type MetadataReply, registrationPath } from './authenticate/metadata.ts'
export { createAuthorizePolicy, createJudge, type Judge } from './authorize/authorize.ts'
export type { AuthorizeLevel } from './authorize/settings.ts'
export { type ListenerPolicyName, listenerOrder, type WayPolicyName, wayOrder } from './order.ts'
export { hostName } from './origin/host-name.ts'
export { createOriginPolicy } from './origin/origin.ts'
export type { Asking, DecidingRule, Decision, Denied, ListenerPolicy, Policy, PolicySight, RuleReading, Verdict } from './seam.ts'
export type { PolicySettings } from './settings.ts'
export { askTogether, type Policies } from './together.ts'
