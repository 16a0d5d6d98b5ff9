import type { KubeObject, ObjectRef, Raw } from '../objects/objects.ts'

export interface GatewayPlan {
  readonly namespace: string
  readonly name: string
  /** Its Config as a plain document in the long form, which `parsePlain` takes; absent where it may not be changed: the last one stays. */
  readonly document: Raw | undefined
  /** `digestOfDocument` of it, by which proxies say that they serve it; empty without a document. */
  readonly digest: string
  /** What it needs in its namespace, its Secret with the document among it, without the parts that are made at random. */
  readonly objects: readonly KubeObject[]
  /** Secrets and ConfigMaps that its document depends on. Absent: none. */
  readonly waitsFor?: readonly ObjectRef[]
  /** Titles of the GatewayParameters that have a say in its objects, the Gateway's own first. Absent: none. */
  readonly parameters?: readonly string[]
}
