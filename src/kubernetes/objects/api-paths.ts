import { apiVersionOf, type Kind, kindOf } from './kinds.ts'
import type { KubeObject, ObjectRef } from './object.ts'
import { refOf } from './world.ts'

/** The API server's path of a kind's objects in a namespace; the namespace is of no matter for cluster-scoped kinds. */
export function collectionPath(kind: Kind, namespace: string): string {
  const root = kind.group === '' ? `/api/${apiVersionOf(kind)}` : `/apis/${apiVersionOf(kind)}`
  return kind.isNamespaced ? `${root}/namespaces/${encodeURIComponent(namespace)}/${kind.plural}` : `${root}/${kind.plural}`
}

/** The API server's path of one object; undefined for a kind that is not in the table of kinds. */
export function objectPath({ group, kind, namespace, name }: ObjectRef): string | undefined {
  const known = kindOf(group, kind)
  return known === undefined ? undefined : `${collectionPath(known, namespace)}/${encodeURIComponent(name)}`
}

/** The kind of an object; undefined for a kind that is not in the table of kinds. */
export function kindOfObject(object: KubeObject): Kind | undefined {
  const { group, kind } = refOf(object)
  return kindOf(group, kind)
}
