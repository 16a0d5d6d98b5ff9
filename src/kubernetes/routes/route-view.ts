import type { GatewayView } from '../gateways/gateways.ts'
import type { Fault, KubeObject, ObjectRef, Raw } from '../objects/objects.ts'

/** An HTTPRoute with a Gateway of ours among its parents, or one that had and still has an entry of ours in its status. */
export interface RouteView {
  readonly object: KubeObject
  /** `ns/name`. */
  readonly key: string
  readonly parents: readonly ParentView[]
  readonly rules: readonly RuleView[]
  /** Parts of it that have no effect and restrict nothing, so that its status only mentions them. */
  readonly remarks: readonly Fault[]
}

/** A parentRef that names a Gateway of ours. */
export interface ParentView {
  /** The parentRef as it is written. */
  readonly parentRef: Raw
  readonly gateway: GatewayView
  /** Names of the listeners that the route attaches to, also of those that are not served. */
  readonly listeners: readonly string[]
  /** The hostnames of the route that match one of these listeners; empty where the route has none, and so takes any. */
  readonly hostnames: readonly string[]
  /** Why the route attaches to no listener; then `listeners` and `hostnames` are empty. */
  readonly faults: readonly Fault[]
}

/** A rule of an HTTPRoute. */
export interface RuleView {
  /** Such as `spec.rules[0]`. */
  readonly place: string
  readonly name: string | undefined
  /** Its matches as the document has them. */
  readonly matches: readonly Raw[]
  /** Its matches of which a part can't be expressed in the document. */
  readonly uncarried: readonly UncarriedMatch[]
  /** Its timeouts as they are written. A `request` of zero means no limit, whatever policies say. */
  readonly timeouts: Raw
  readonly backendRefs: readonly BackendRefView[]
  /** What of the rule can't be done. Where there is anything, its requests are answered with 500. */
  readonly faults: readonly Fault[]
}

/** A match of which a part can't be expressed in the document. */
export interface UncarriedMatch {
  /** Such as `spec.rules[0].matches[1]`. */
  readonly place: string
  /**
   * The match without that part, which is wider: the requests that it matches are answered with 500. Undefined where its path can't be
   * expressed.
   */
  readonly refusal: Raw | undefined
  readonly faults: readonly Fault[]
}

/** A backendRef of a rule. */
export interface BackendRefView {
  /** Such as `spec.rules[0].backendRefs[1]`. */
  readonly place: string
  readonly ref: ObjectRef
  readonly weight: number
  /** What of it can't be done, such as filters of its own. */
  readonly faults: readonly Fault[]
}
