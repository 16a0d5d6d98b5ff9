/** A JSON object whose members nobody has looked at yet. */
export type Raw = Readonly<Record<string, unknown>>

/** An object as the API server or a file has it; all but its name is unknown until a reader narrows it. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Metadata
  readonly [member: string]: unknown
}

export interface Metadata {
  readonly name: string
  /** Absent for kinds without namespaces. */
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  /** RFC 3339. */
  readonly creationTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
  /** Field managers that have written the status, from `managedFields`, which is not kept. */
  readonly statusManagers?: readonly string[]
}

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
}

/** Names one object. The group is empty for core kinds, the namespace for kinds without one. */
export interface ObjectRef {
  readonly group: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** What the installation decides, not the cluster's objects. */
export interface Settings {
  /** Of the classes that are ours, and in the status entries that we own. */
  readonly controllerName: string
  /** GatewayClasses that are made where they are absent. */
  readonly classes: readonly string[]
  /** Of mcplex; goes into each Config and onto what is provisioned. */
  readonly version: string
  /** Of the pods that serve. */
  readonly image: string
  readonly imagePullSecrets: readonly string[]
  /** Such as `cluster.local`. */
  readonly clusterDomain: string
}

/** What the controller has found out beside the objects. Empty where files are translated. */
export interface Observations {
  /** By `ns/name` of the Gateway: why what it needs could not be written, as a sentence with its remedy. */
  readonly provisioning: ReadonlyMap<string, string>
  /** Secrets and ConfigMaps, by `refKey`, that may not be read. */
  readonly forbidden: ReadonlySet<string>
  /** Those of which it is not known whether they are there, by `refKey`: why, as the end of a sentence. Absent: none. */
  readonly unknown?: ReadonlyMap<string, string>
  /** By `ns/name` of the Gateway: what those of its proxies that answer said last. Absent: nobody asks them. */
  readonly proxies?: ReadonlyMap<string, readonly ProxyReport[]>
  /** Gateways, by `ns/name`, whose proxies have hardly had the time to take the newest document. Absent: none. */
  readonly settling?: ReadonlySet<string>
  /** By `ns/name` the digest of the document that `settling` speaks of: one with another document settles too. Absent: as it is now. */
  readonly digests?: ReadonlyMap<string, string>
  /** Who the controller is, as the API server calls it: named where it lacks a right. Absent: as `deploy/rbac.yaml` has it. */
  readonly account?: string | undefined
}

/** What a proxy says of itself at `/status`, as far as statuses of objects tell of it. */
export interface ProxyReport {
  /** `digestOfDocument` of the one that it serves. */
  readonly digest: string
  /** Of mcplex. */
  readonly version: string
  /** Why it does not serve the newest document that it has seen, and the digest of that one. */
  readonly refused: { readonly digest: string; readonly text: string } | undefined
  readonly servers: readonly ServerReport[]
  readonly agents: readonly { readonly name: string; readonly tools: number }[]
}

export interface ServerReport {
  /** In the document. */
  readonly backend: string
  readonly name: string
  readonly state: 'connecting' | 'ready' | 'down'
  /** `legacy` or `modern`, once it is known. */
  readonly era: string | undefined
  readonly tools: number
  readonly lastError: string | undefined
}

export const nothingObserved: Observations = { provisioning: new Map(), forbidden: new Set() }

/** All that follows from a cluster's objects. */
export interface Translation {
  /** Of our Gateways, by name. */
  readonly gateways: readonly GatewayPlan[]
  readonly statuses: readonly DesiredStatus[]
  /** GatewayClasses that are to be made, as none of that name is there. */
  readonly classes: readonly KubeObject[]
  /** Secrets and ConfigMaps that objects name: to be fetched and watched one by one. */
  readonly wanted: readonly ObjectRef[]
  /** Services, by `ns/name`, whose EndpointSlices count: a change of another one's needs no new translation. */
  readonly services: ReadonlySet<string>
  /** Of Gateways that are ours no more though what was provisioned for them is still there: what to delete. */
  readonly abandoned: readonly ObjectRef[]
}

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

/** A condition without its time and generation, which the writer adds. */
export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  /** CamelCase. */
  readonly reason: string
  /** For people: names the object and the remedy. */
  readonly message: string
}

/**
 * What an object's status should say. Conditions in it have `observedGeneration` and no `lastTransitionTime`: that is the writer's.
 * - `whole`: the members of `status` are ours; others stay.
 * - `entries`: of the list `parents` (HTTPRoute) or `ancestors` (policies) the entries with our controllerName are to be exactly these.
 */
export type DesiredStatus = (
  | { readonly kind: 'whole'; readonly status: Raw }
  | { readonly kind: 'entries'; readonly list: 'parents' | 'ancestors'; readonly entries: readonly Raw[] }
) & {
  readonly object: KubeObject
  /** Secrets and ConfigMaps that it depends on. Absent: none. */
  readonly waitsFor?: readonly ObjectRef[]
}

/** Something about an object that keeps it, or a part of it, from doing what it says. */
export interface Fault {
  /** Of the condition that tells of it. */
  readonly reason: string
  /** A sentence that names the place, such as `spec.mcp.targets[2]`, and the remedy. */
  readonly message: string
}
