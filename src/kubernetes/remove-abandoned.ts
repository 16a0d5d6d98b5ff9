import type { ApiClient } from '../kube/kube.ts'
import type { Log } from '../observe/observe.ts'
import { objectPath } from './api-paths.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import type { KubeObject, ObjectRef } from './model.ts'
import { namesFor, type ProvisionedNames } from './provisioned-names.ts'
import { nameKey, readObject, refOf, titleOf } from './world.ts'
import type { WriteOutcome, WriteTask } from './write-queue.ts'
import { outcomeOf } from './write-status.ts'

export interface RemoverDeps {
  readonly client: ApiClient
  /** What the label `app.kubernetes.io/managed-by` says of what is ours. */
  readonly managedBy: string
  readonly find: (ref: ObjectRef) => KubeObject | undefined
  readonly log: Log
  readonly metrics: ControllerMetrics
}

/** The Service that clients reach comes last: while it is there, what was begun is found again. */
const made: readonly (readonly [group: string, kind: string, name: keyof ProvisionedNames])[] = [
  ['apps', 'Deployment', 'workload'],
  ['policy', 'PodDisruptionBudget', 'workload'],
  ['', 'Service', 'peers'],
  ['rbac.authorization.k8s.io', 'RoleBinding', 'config'],
  ['rbac.authorization.k8s.io', 'Role', 'config'],
  ['', 'ServiceAccount', 'config'],
  ['', 'Secret', 'config'],
  ['', 'Service', 'workload'],
]

/** Tasks that take away what was made for Gateways which are ours no more: only what belongs to that Gateway and carries our label. */
export function removalTasks(gateways: readonly ObjectRef[], deps: RemoverDeps): readonly WriteTask[] {
  return gateways.flatMap((ref) => {
    const uid = deps.find(ref)?.metadata.uid
    if (uid === undefined) return []
    const run = (signal: AbortSignal) => removeAll(ref, uid, deps, signal)
    return [{ key: `gateway ${nameKey(ref)}`, rank: 1, wish: `removed ${uid}`, run }]
  })
}

async function removeAll({ namespace, name }: ObjectRef, uid: string, deps: RemoverDeps, signal: AbortSignal): Promise<WriteOutcome> {
  const names = namesFor(name)
  for (const [group, kind, which] of made) {
    const outcome = await remove({ group, kind, namespace, name: names[which] }, uid, deps, signal)
    if (signal.aborted) return 'done'
    if (outcome !== 'done') return outcome
  }
  return 'done'
}

async function remove(ref: ObjectRef, owner: string, deps: RemoverDeps, signal: AbortSignal): Promise<WriteOutcome> {
  const { client, managedBy, log, metrics } = deps
  const path = objectPath(ref)
  if (path === undefined) return 'done'
  const found = await client.request({ method: 'GET', path, signal })
  if (found.kind === 'unreachable' || found.status >= 500) return 'soon'
  if (found.status === 404) return 'done'
  const object = found.status < 300 ? readObject(found.body) : undefined
  if (object === undefined) return 'later'
  const { uid, labels, ownerReferences = [] } = object.metadata
  const isOurs =
    labels?.['app.kubernetes.io/managed-by'] === managedBy && ownerReferences.some((one) => one.controller && one.uid === owner)
  if (!isOurs || uid === undefined) return 'done'
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid }, propagationPolicy: 'Background' }
  const reply = await client.request({ method: 'DELETE', path, body, signal })
  metrics.countWrite(ref.kind, outcomeOf(reply))
  if (reply.kind === 'unreachable' || reply.status >= 500 || reply.status === 429) return 'soon'
  if (reply.status < 300) log.info({ object: titleOf(refOf(object)) }, 'deleted: its Gateway is served by another controller')
  return reply.status < 300 || reply.status === 404 || reply.status === 409 ? 'done' : 'later'
}
