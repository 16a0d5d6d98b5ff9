import type { KubeObject, ObjectRef } from './object.ts'
import type { Raw } from './raw.ts'

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
