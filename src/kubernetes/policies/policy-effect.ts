import type { RuleSet, ServerSettings } from '../fields/fields.ts'
import type { DesiredStatus, ObjectRef, Raw } from '../objects/objects.ts'

/** Where in a cluster a policy can hold. Keys are `ns/name`. */
export type PolicyPlace =
  | { readonly kind: 'gateway'; readonly key: string; readonly listener?: string }
  | { readonly kind: 'route'; readonly key: string; readonly rule?: string }
  | { readonly kind: 'backend'; readonly key: string; readonly target?: string }
  | { readonly kind: 'service'; readonly key: string }

/** What policies come to at one place; those of wider places are asked for by themselves. */
export interface PolicyEffect {
  /** A policy that restricts can't be enforced here, so nothing may pass: which one, and why. For statuses, not for callers. */
  readonly closed: string | undefined
  /** GEP-2257; of a whole request. */
  readonly requestTimeout: string | undefined
  readonly server: ServerSettings
  /** Who callers must prove to be: members of a document's `authenticate`, by the field that says so. Absent: nobody says it. */
  readonly tokens?: Raw
  readonly keys?: Raw
  /** The same of `backend.mcp.authentication`. */
  readonly login?: Raw
  /** Rules for requests as such, and for what they ask of MCP servers: both must let one through. Absent: none. */
  readonly requestRules?: RuleSet
  readonly itemRules?: RuleSet
  /** Secrets and ConfigMaps that it depends on. Absent: none. */
  readonly wanted?: readonly ObjectRef[]
}

export interface Policies {
  at(place: PolicyPlace): PolicyEffect
  /** Services, by `ns/name`, that some policy is for. */
  readonly policed: ReadonlySet<string>
  readonly statuses: readonly DesiredStatus[]
  readonly wanted: readonly ObjectRef[]
}
