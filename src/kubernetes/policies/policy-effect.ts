import type { RuleSet, ServerSettings } from '../fields/fields.ts'
import type { DesiredStatus, ObjectRef, Raw } from '../objects/objects.ts'

/** A place where a policy can hold: an object or a part of it. Keys are `ns/name`. */
export type PolicyPlace =
  | { readonly kind: 'gateway'; readonly key: string; readonly listener?: string }
  | { readonly kind: 'route'; readonly key: string; readonly rule?: string }
  | { readonly kind: 'backend'; readonly key: string; readonly target?: string }
  | { readonly kind: 'service'; readonly key: string }

/** What the policies for one place come to. Those for a wider place, such as the Gateway of a listener, are an effect of their own. */
export interface PolicyEffect {
  /**
   * Which policy closes the place, and why: it restricts something and can't be enforced, so nothing may pass. A text for statuses, not for
   * callers. Undefined: none does.
   */
  readonly closed: string | undefined
  /** The time limit of a whole request, as GEP-2257 writes it. */
  readonly requestTimeout: string | undefined
  /** How servers are reached. */
  readonly server: ServerSettings
  /** How callers must authenticate by `traffic.jwtAuthentication`, as the document's `authenticate`. Absent: no policy asks for it. */
  readonly tokens?: Raw
  /** The same of `traffic.apiKeyAuthentication`. */
  readonly keys?: Raw
  /** The same of `backend.mcp.authentication`. */
  readonly login?: Raw
  /** Rules of `traffic.authorization`, for requests as such. Both these and `itemRules` must let a request through. Absent: none. */
  readonly requestRules?: RuleSet
  /** Rules of `backend.mcp.authorization`, for the tools, prompts and resources that are asked for. Absent: none. */
  readonly itemRules?: RuleSet
  /** Secrets and ConfigMaps that the policies need. Absent: none. */
  readonly wanted?: readonly ObjectRef[]
}

/** What all policies come to. */
export interface Policies {
  at(place: PolicyPlace): PolicyEffect
  /** Services, by `ns/name`, that a policy targets. */
  readonly policed: ReadonlySet<string>
  readonly statuses: readonly DesiredStatus[]
  readonly wanted: readonly ObjectRef[]
}
