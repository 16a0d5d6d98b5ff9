import { type KubeObject, listAt, type ObjectRef, type Raw, textAt, valueAt } from '../objects/objects.ts'
import type { GatewayPlan } from '../provision/provision.ts'

/** Whether the number of its pods follows their load. */
export function isScaled({ objects }: GatewayPlan): boolean {
  return objects.some(({ kind }) => kind === 'HorizontalPodAutoscaler')
}

/** The autoscaler that its Deployment is to have no more; undefined where it is to have one, or is itself left as it is. */
export function unwantedAutoscaler(plan: GatewayPlan): { readonly ref: ObjectRef; readonly beside: KubeObject } | undefined {
  const beside = plan.objects.find(({ kind }) => kind === 'Deployment')
  if (beside === undefined || isScaled(plan)) return undefined
  const { name, namespace = '' } = beside.metadata
  return { ref: { group: 'autoscaling', kind: 'HorizontalPodAutoscaler', namespace, name }, beside }
}

/** Whether this manager has applied the number of pods of what the API server sent. */
export function hasReplicasOf(body: unknown, manager: string): boolean {
  return listAt(body, 'metadata', 'managedFields').some(
    (entry) =>
      textAt(entry, 'manager') === manager &&
      textAt(entry, 'operation') === 'Apply' &&
      valueAt(entry, 'fieldsV1', 'f:spec', 'f:replicas') !== undefined,
  )
}

/**
 * The number of pods that a Deployment has, to be applied by another manager: who takes a field back that nobody else owns sets it to its
 * default, which is one pod.
 */
export function replicasOf({ apiVersion, kind, metadata, ...rest }: KubeObject): Raw {
  const { name, namespace, uid } = metadata
  return { apiVersion, kind, metadata: { name, namespace, uid }, spec: { replicas: valueAt(rest, 'spec', 'replicas') } }
}
