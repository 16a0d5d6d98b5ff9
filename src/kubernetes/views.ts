import type { DesiredStatus, Fault, KubeObject, ObjectRef, Raw } from './model.ts'

/**
 * What the steps of a translation hand to each other. Fragments of a Config's document are plain, in the long form, without defaults and
 * with texts as they are meant: `assembleGateways` escapes their dollars at the end.
 */

export interface GatewayView {
  readonly object: KubeObject
  /** `ns/name`. */
  readonly key: string
  readonly listeners: readonly ListenerView[]
  /** What its GatewayParameters say, over those of its class: members of a GatewayParameters' spec. */
  readonly parameters: Raw
  /** Why it is not Accepted. */
  readonly faults: readonly Fault[]
  /** What of it has no effect and restricts nothing: to be said, no more. */
  readonly remarks: readonly Fault[]
}

export interface ListenerView {
  readonly name: string
  readonly port: number
  readonly protocol: string
  readonly hostname: string | undefined
  /** The listener of the document; absent where it isn't served. Routes may attach to it all the same. */
  readonly fragment: Raw | undefined
  /** Why routes of this namespace may not attach; undefined: they may. */
  refusal(namespace: string): Fault | undefined
  readonly supportedKinds: readonly Raw[]
  readonly isAcceptingRoutes: boolean
  /** By condition. What conflicts isn't among those of Accepted. */
  readonly faults: {
    readonly Accepted: readonly Fault[]
    readonly ResolvedRefs: readonly Fault[]
    readonly Conflicted: readonly Fault[]
  }
}

/** An HTTPRoute of which a parent is a Gateway of ours, or was: its status still has an entry of ours. */
export interface RouteView {
  readonly object: KubeObject
  /** `ns/name`. */
  readonly key: string
  readonly parents: readonly ParentView[]
  readonly rules: readonly RuleView[]
  /** What of it has no effect and restricts nothing: to be said, no more. */
  readonly remarks: readonly Fault[]
}

/** One parentRef that names a Gateway of ours. */
export interface ParentView {
  /** As it was written. */
  readonly parentRef: Raw
  readonly gateway: GatewayView
  /** Names of the listeners it attaches to, those that aren't served among them. */
  readonly listeners: readonly string[]
  /** The route's hostnames that some of these listeners take; empty: any. */
  readonly hostnames: readonly string[]
  /** Why it attaches to none: then there are neither listeners nor hostnames. */
  readonly faults: readonly Fault[]
}

export interface RuleView {
  /** Such as `spec.rules[0]`. */
  readonly place: string
  readonly name: string | undefined
  /** HTTPRouteMatch fragments. */
  readonly matches: readonly Raw[]
  /** Those of its matches of which a part can't be carried. */
  readonly uncarried: readonly UncarriedMatch[]
  /** As they were written; a `request` of zero is no limit, whatever policies say. */
  readonly timeouts: Raw
  readonly backendRefs: readonly BackendRefView[]
  /** What of it can't be done: then its requests are refused. */
  readonly faults: readonly Fault[]
}

export interface UncarriedMatch {
  /** Such as `spec.rules[0].matches[1]`. */
  readonly place: string
  /** The rest of it, which is wider: what that matches is refused. Undefined where nothing is left that says which requests. */
  readonly refusal: Raw | undefined
  readonly faults: readonly Fault[]
}

export interface BackendRefView {
  /** Such as `spec.rules[0].backendRefs[1]`. */
  readonly place: string
  readonly ref: ObjectRef
  readonly weight: number
  /** What it says that can't be done, such as filters of its own. */
  readonly faults: readonly Fault[]
}

/** A Backend of type MCP, or an AgentgatewayBackend with `mcp`. */
export interface BackendView {
  readonly ref: ObjectRef
  /** In documents. */
  readonly name: string
  /** The backend of the document; absent where it serves nothing. */
  readonly fragment: Raw | undefined
  /** Names of all servers that it asks for, those that are left out among them. */
  readonly servers: readonly string[]
  /** Of these the ones that got another name than they lay claim to: theirs, by the name that they have. */
  readonly renamed: ReadonlyMap<string, string>
  /** Why it serves nothing, as a sentence for those that name it. */
  readonly unusable: string | undefined
  /** Who its callers must prove to be: `authenticate` of the document, which the fragment holds too. */
  readonly authenticate: Raw | undefined
  /**
   * Rules some of which must hold, and that the fragment leaves out: a rule of a route that leads here has them beside its own. None where
   * Agents select from the backend, as these have no place to join them.
   */
  readonly allow: readonly string[]
  /** Secrets and ConfigMaps that it depends on, by itself and by policies. */
  readonly wanted: readonly ObjectRef[]
  readonly status: DesiredStatus
}

export interface AgentView {
  readonly ref: ObjectRef
  readonly name: string
  readonly fragment: Raw | undefined
  readonly unusable: string | undefined
  /** Those that it selects from. */
  readonly backends: readonly BackendView[]
  readonly status: DesiredStatus
}

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

/** CEL expressions of several policies together: none of `deny` may hold, all of `require` must, and one of `allow` if there are any. */
export interface RuleSet {
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  readonly require: readonly string[]
}

/** How a server is reached: members of a document's server. */
export interface ServerSettings {
  readonly tls?: Raw
  readonly credentials?: Raw
  /** GEP-2257. */
  readonly connectTimeout?: string
  readonly requestTimeout?: string
}

/** What a policy's `backend`, a backend's `policies` or a target's `policies` come to. */
export interface ServerSettingsReading {
  readonly settings: ServerSettings
  readonly faults: readonly PolicyFault[]
  readonly wanted: readonly ObjectRef[]
}

export interface PolicyFault extends Fault {
  /** Leaving it out would let more through than its author wants. */
  readonly closes: boolean
}

export interface Policies {
  at(place: PolicyPlace): PolicyEffect
  /** Services, by `ns/name`, that some policy is for. */
  readonly policed: ReadonlySet<string>
  readonly statuses: readonly DesiredStatus[]
  readonly wanted: readonly ObjectRef[]
}
