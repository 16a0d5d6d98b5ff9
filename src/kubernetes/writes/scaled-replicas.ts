import { type KubeObject, listAt, type ObjectRef, type Raw, textAt, valueAt } from '../objects/objects.ts'
import type { GatewayPlan } from '../provision/provision.ts'

/** Whether a Gateway's pods are scaled by a HorizontalPodAutoscaler. */
export function isScaled({ objects }: GatewayPlan): boolean {
  return objects.some(({ kind }) => kind === 'HorizontalPodAutoscaler')
}

/**
 * The HorizontalPodAutoscaler that a Gateway must not have any more; undefined where it is to have one, or its Deployment is not written.
 */
export function unwantedAutoscaler(plan: GatewayPlan): { readonly ref: ObjectRef; readonly beside: KubeObject } | undefined {
  const beside = plan.objects.find(({ kind }) => kind === 'Deployment')
  if (beside === undefined || isScaled(plan)) return undefined
  const { name, namespace = '' } = beside.metadata
  return { ref: { group: 'autoscaling', kind: 'HorizontalPodAutoscaler', namespace, name }, beside }
}

/** Whether this field manager has applied `spec.replicas` of an object of the API server. */
export function hasReplicasOf(body: unknown, manager: string): boolean {
  return listAt(body, 'metadata', 'managedFields').some(
    (entry) =>
      textAt(entry, 'manager') === manager &&
      textAt(entry, 'operation') === 'Apply' &&
      valueAt(entry, 'fieldsV1', 'f:spec', 'f:replicas') !== undefined,
  )
}

/**
 * The Deployment's present number of pods, to be applied by another field manager before the controller gives the field up: a field that no
 * manager owns goes back to its default, which is one pod.
 */
export function replicasOf({ apiVersion, kind, metadata, ...rest }: KubeObject): Raw {
  const { name, namespace, uid } = metadata
  return { apiVersion, kind, metadata: { name, namespace, uid }, spec: { replicas: valueAt(rest, 'spec', 'replicas') } }
}
