import type { Fault, KubeObject, Raw } from '../objects/objects.ts'

/** A Gateway of ours as the later steps of a translation see it. */
export interface GatewayView {
  readonly object: KubeObject
  /** `ns/name`. */
  readonly key: string
  readonly listeners: readonly ListenerView[]
  /** Members of a GatewayParameters' spec: its own, and those of its class where it has none. */
  readonly parameters: Raw
  /** Why it is not Accepted; empty where it is. */
  readonly faults: readonly Fault[]
  /** Parts of it that have no effect and restrict nothing, so that its status only mentions them. */
  readonly remarks: readonly Fault[]
}

/** A listener of a Gateway as the later steps of a translation see it. */
export interface ListenerView {
  readonly name: string
  readonly port: number
  readonly protocol: string
  readonly hostname: string | undefined
  /** The listener as the document has it; undefined where it is not served. Routes may attach to it all the same. */
  readonly fragment: Raw | undefined
  /** Why routes of a namespace may not attach to it; undefined where they may. */
  refusal(namespace: string): Fault | undefined
  readonly supportedKinds: readonly Raw[]
  readonly isAcceptingRoutes: boolean
  /** What is wrong with it, by the condition that reports it. Conflicts with other listeners are not among those of Accepted. */
  readonly faults: {
    readonly Accepted: readonly Fault[]
    readonly ResolvedRefs: readonly Fault[]
    readonly Conflicted: readonly Fault[]
  }
}
