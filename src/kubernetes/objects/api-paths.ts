import { apiVersionOf, type Kind, kindOf } from './kinds.ts'
import type { KubeObject, ObjectRef } from './object.ts'
import { refOf } from './world.ts'

/** Where the API server keeps the objects of a kind; the namespace is empty for kinds without one. */
export function collectionPath(kind: Kind, namespace: string): string {
  const root = kind.group === '' ? `/api/${apiVersionOf(kind)}` : `/apis/${apiVersionOf(kind)}`
  return kind.isNamespaced ? `${root}/namespaces/${encodeURIComponent(namespace)}/${kind.plural}` : `${root}/${kind.plural}`
}

/** Where the API server keeps one object; undefined for a kind that the controller has nothing to do with. */
export function objectPath({ group, kind, namespace, name }: ObjectRef): string | undefined {
  const known = kindOf(group, kind)
  return known === undefined ? undefined : `${collectionPath(known, namespace)}/${encodeURIComponent(name)}`
}

/** The kind of an object, where the controller has to do with it. */
export function kindOfObject(object: KubeObject): Kind | undefined {
  const { group, kind } = refOf(object)
  return kindOf(group, kind)
}
