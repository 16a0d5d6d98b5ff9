import type { ApiClient } from '../kube/kube.ts'
import type { Log } from '../observe/observe.ts'
import { objectPath } from './api-paths.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import type { KubeObject, ObjectRef } from './model.ts'
import { isMadeFor } from './ownership.ts'
import { namesFor, type ProvisionedNames } from './provisioned-names.ts'
import { nameKey, readObject, refKey, refOf, titleOf } from './world.ts'
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

export interface Remover {
  /** A task for each of these Gateways of which something may still be there. */
  tasks(gateways: readonly ObjectRef[]): readonly WriteTask[]
}

/**
 * Takes away what was made for Gateways which are ours no more: only what belongs to that Gateway and carries our label. Comes after all
 * else that is to be written, and looks again only where the Service by which they were found has changed.
 */
export function createRemover(deps: RemoverDeps): Remover {
  const { find } = deps
  /** By `refKey` of Gateways in the last list: what was found when nothing of ours was left to delete. */
  let done = new Map<string, string>()

  function wishOf(ref: ObjectRef, uid: string): string {
    const service = find({ group: '', kind: 'Service', namespace: ref.namespace, name: namesFor(ref.name).workload })
    return `removed ${uid} ${service?.metadata.uid} ${service?.metadata.resourceVersion}`
  }

  return {
    tasks(gateways) {
      const keys = new Set(gateways.map(refKey))
      done = new Map([...done].filter(([key]) => keys.has(key)))
      return gateways.flatMap((ref) => {
        const uid = find(ref)?.metadata.uid
        if (uid === undefined) return []
        const wish = wishOf(ref, uid)
        if (done.get(refKey(ref)) === wish) return []
        const run = async (signal: AbortSignal) => {
          const outcome = await removeAll(ref, uid, deps, signal)
          if (outcome === 'done' && !signal.aborted) done.set(refKey(ref), wish)
          return outcome
        }
        return [{ key: `gateway ${nameKey(ref)}`, rank: 4, wish, run }]
      })
    },
  }
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
  const { uid } = object.metadata
  if (!isMadeFor(object, owner, managedBy) || uid === undefined) return 'done'
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid }, propagationPolicy: 'Background' }
  const reply = await client.request({ method: 'DELETE', path, body, signal })
  metrics.countWrite(ref.kind, outcomeOf(reply))
  if (reply.kind === 'unreachable' || reply.status >= 500 || reply.status === 429) return 'soon'
  if (reply.status < 300) log.info({ object: titleOf(refOf(object)) }, 'deleted: its Gateway is served by another controller')
  return reply.status < 300 || reply.status === 404 || reply.status === 409 ? 'done' : 'later'
}
