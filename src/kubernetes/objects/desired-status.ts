import type { KubeObject, ObjectRef } from './object.ts'
import type { Raw } from './raw.ts'

/**
 * What an object's status should say. Its conditions have an `observedGeneration` but no `lastTransitionTime`, which the writer adds.
 * - `whole`: the members of `status` are ours to set; others stay as they are.
 * - `entries`: of the list `parents` (HTTPRoute) or `ancestors` (policies) the entries with our controllerName are to be exactly these.
 */
export type DesiredStatus = (
  | { readonly kind: 'whole'; readonly status: Raw }
  | { readonly kind: 'entries'; readonly list: 'parents' | 'ancestors'; readonly entries: readonly Raw[] }
) & {
  readonly object: KubeObject
  /** Secrets and ConfigMaps that it depends on: it is written once it is known whether they exist. Absent: none. */
  readonly waitsFor?: readonly ObjectRef[]
}
