import type { Fault, KubeObject, Raw } from '../objects/objects.ts'

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
