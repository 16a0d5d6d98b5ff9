export {
  type Authenticator,
  createAuthenticator,
} from './authenticate/authenticate.ts'
export type { AuthenticateDeps } from './authenticate/deps.ts'
export { type MetadataReply, registrationPath } from './authenticate/metadata.ts'
export type { Asking } from './authorize/asked.ts'
export {
  type Access,
  createAccess,
  createJudge,
  type Judge,
  type LevelReading,
  type RuleReading,
} from './authorize/authorize.ts'
export type { AuthorizeLevel } from './authorize/settings.ts'
export type { DecidingRule, Verdict } from './authorize/verdict.ts'
export type { HeadVerdict, Policy } from './head-verdict.ts'
export { order } from './order.ts'
export { hostName } from './origin/host-name.ts'
export { createOriginPolicy } from './origin/origin.ts'
export type { PolicySettings } from './settings.ts'
