import { isGranted } from './grants.ts'
import type { KubeObject, Metadata, ObjectRef, OwnerReference } from './object.ts'
import { isRaw, listAt, numberAt, rawAt, textAt, textsOf } from './raw.ts'

/** The objects of a cluster, found by kind and name, in an order that does not depend on how they came. */
export interface World {
  /** All objects of a kind, the oldest first, equally old ones by namespace and name. */
  all(group: string, kind: string): readonly KubeObject[]
  find(ref: ObjectRef): KubeObject | undefined
  /**
   * Whether an object of this kind and namespace may refer to another: in its own namespace always, elsewhere where a ReferenceGrant allows
   * it.
   */
  isAllowed(from: Pick<ObjectRef, 'group' | 'kind' | 'namespace'>, to: ObjectRef): boolean
}

/**
 * Of several objects with the same kind and name the one whose JSON sorts first counts, so that their order is of no matter. Values without
 * kind or name are left out.
 */
export function createWorld(objects: readonly unknown[]): World {
  const kinds = new Map<string, Map<string, KubeObject>>()
  for (const object of objects.map(readObject)) {
    if (object === undefined) continue
    const ref = refOf(object)
    const kind = `${ref.group}/${ref.kind}`
    const known = kinds.get(kind) ?? new Map<string, KubeObject>()
    kinds.set(kind, known)
    const key = nameKey(ref)
    const other = known.get(key)
    if (other === undefined || JSON.stringify(object) < JSON.stringify(other)) known.set(key, object)
  }
  const sorted = new Map<string, readonly KubeObject[]>()
  const all = (group: string, kind: string): readonly KubeObject[] => {
    const key = `${group}/${kind}`
    const known = sorted.get(key)
    if (known !== undefined) return known
    const list = [...(kinds.get(key)?.values() ?? [])].sort(byAge)
    sorted.set(key, list)
    return list
  }
  return {
    all,
    find: (ref) => kinds.get(`${ref.group}/${ref.kind}`)?.get(nameKey(ref)),
    isAllowed: (from, to) => from.namespace === to.namespace || isGranted(all('gateway.networking.k8s.io', 'ReferenceGrant'), from, to),
  }
}

/** The reference that names an object. */
export function refOf({ apiVersion, kind, metadata }: KubeObject): ObjectRef {
  const slash = apiVersion.indexOf('/')
  return { group: slash < 0 ? '' : apiVersion.slice(0, slash), kind, namespace: metadata.namespace ?? '', name: metadata.name }
}

/** `namespace/name`: unique among the objects of one kind, and their name in documents. */
export function nameKey({ namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`
}

/** A text that is unique among all objects. */
export function refKey({ group, kind, namespace, name }: ObjectRef): string {
  return `${group}/${kind}/${namespace}/${name}`
}

/** An object as messages name it, such as `HTTPRoute kgateway-system/mcp-route`. */
export function titleOf({ kind, namespace, name }: Pick<ObjectRef, 'kind' | 'namespace' | 'name'>): string {
  return `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`
}

/** Sorts the oldest first, equally old ones by namespace and name (Gateway API, conflict resolution). */
export function byAge(one: KubeObject, other: KubeObject): number {
  return compare(one.metadata.creationTimestamp ?? '', other.metadata.creationTimestamp ?? '') || byName(one, other)
}

/** Sorts by namespace, then by name. */
export function byName(one: KubeObject, other: KubeObject): number {
  return compare(one.metadata.namespace ?? '', other.metadata.namespace ?? '') || compare(one.metadata.name, other.metadata.name)
}

/** Compares by code units, so that the machine's language is of no matter. */
export function compare(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

/** Checks a value's apiVersion, kind and metadata; undefined where one of them or the name is missing. */
export function readObject(value: unknown): KubeObject | undefined {
  const apiVersion = textAt(value, 'apiVersion')
  const kind = textAt(value, 'kind')
  const name = textAt(value, 'metadata', 'name')
  if (!isRaw(value) || apiVersion === undefined || kind === undefined || name === undefined) return undefined
  return { ...value, apiVersion, kind, metadata: readMetadata(value, name) }
}

function readMetadata(value: unknown, name: string): Metadata {
  const raw = rawAt(value, 'metadata')
  const texts = Object.fromEntries(
    (['namespace', 'uid', 'resourceVersion', 'creationTimestamp'] as const).flatMap((key) => {
      const text = textAt(raw, key)
      return text === undefined ? [] : [[key, text]]
    }),
  )
  const generation = numberAt(raw, 'generation')
  const owners = listAt(raw, 'ownerReferences').flatMap(readOwner)
  const managers = statusManagersOf(raw)
  return {
    name,
    ...texts,
    ...(generation === undefined ? {} : { generation }),
    ...(isRaw(raw['labels']) ? { labels: textsOf(raw['labels']) } : {}),
    ...(isRaw(raw['annotations']) ? { annotations: textsOf(raw['annotations']) } : {}),
    ...(owners.length === 0 ? {} : { ownerReferences: owners }),
    ...(managers.length === 0 ? {} : { statusManagers: managers }),
  }
}

function statusManagersOf(metadata: unknown): readonly string[] {
  const known = listAt(metadata, 'statusManagers').filter((name) => typeof name === 'string')
  const managers = listAt(metadata, 'managedFields').flatMap((entry) =>
    textAt(entry, 'subresource') === 'status' ? [textAt(entry, 'manager') ?? ''] : [],
  )
  return [...new Set([...known, ...managers])].sort()
}

function readOwner(value: unknown): readonly OwnerReference[] {
  const apiVersion = textAt(value, 'apiVersion')
  const kind = textAt(value, 'kind')
  const name = textAt(value, 'name')
  const uid = textAt(value, 'uid')
  if (apiVersion === undefined || kind === undefined || name === undefined || uid === undefined) return []
  return [{ apiVersion, kind, name, uid, controller: isRaw(value) && value['controller'] === true }]
}
