import type { GatewayView } from '../gateways/gateways.ts'
import type { Fault, KubeObject, ObjectRef, Raw } from '../objects/objects.ts'

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
