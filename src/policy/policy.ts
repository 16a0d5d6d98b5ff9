import type { Head, Refusal } from '../mcp/mcp.ts'

export {
  type AuthenticateDeps,
  type Authenticator,
  createAuthenticator,
  type MetadataReply,
} from './authenticate/authenticate.ts'
export { registrationPath } from './authenticate/metadata.ts'
export {
  type Access,
  type Asking,
  createAccess,
  createJudge,
  type DecidingRule,
  type Judge,
  type LevelReading,
  type RuleReading,
  type Verdict,
} from './authorize/authorize.ts'
export type { AuthorizeLevel } from './authorize/settings.ts'
export { order } from './order.ts'
export { hostName } from './origin/host-name.ts'
export { createOriginPolicy } from './origin/origin.ts'
export type { PolicySettings } from './settings.ts'

/** What a policy says of a request's head: a refusal, or headers that go with the reply. */
export type HeadVerdict = Refusal | { readonly kind: 'pass'; readonly headers: Readonly<Record<string, string>> }

/** One rule of the house. Hooks run from flat arrays in the order of `order.ts`; a hook that is missing costs nothing. */
export interface Policy {
  readonly name: string
  /** Before the body is read. */
  onHead?(head: Head): HeadVerdict
}
