import type { KubeObject, ObjectRef, Raw } from '../objects/objects.ts'

/** What the cluster must have for a Gateway. */
export interface GatewayPlan {
  readonly namespace: string
  readonly name: string
  /** Its document in the long form, as `parsePlain` reads it; undefined where the last one must stay as it is. */
  readonly document: Raw | undefined
  /** The digest (`digestOfDocument`) of the document, by which proxies report that they serve it; empty without a document. */
  readonly digest: string
  /** The objects that it needs in its namespace, among them the Secret with its document, without that Secret's random parts. */
  readonly objects: readonly KubeObject[]
  /** Secrets and ConfigMaps that its document depends on. Absent: none. */
  readonly waitsFor?: readonly ObjectRef[]
  /** Titles of the GatewayParameters that its objects are made with, the Gateway's own first. Absent: none. */
  readonly parameters?: readonly string[]
}
