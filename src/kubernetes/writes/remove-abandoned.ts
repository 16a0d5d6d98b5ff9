import { isMadeFor, type KubeObject, nameKey, namesFor, type ObjectRef, type ProvisionedNames, refKey } from '../objects/objects.ts'
import { type DeleteDeps, deleteOwn } from './delete-own.ts'
import type { WriteOutcome, WriteTask } from './write-queue.ts'

/** What removing needs. */
export interface RemoverDeps extends DeleteDeps {
  /** The value of the label `app.kubernetes.io/managed-by` of our objects. */
  readonly managedBy: string
  readonly find: (ref: ObjectRef) => KubeObject | undefined
}

/**
 * What is deleted, in this order. The Service of the clients comes last: abandoned Gateways are recognized by it, so that a removal that
 * was interrupted goes on.
 */
const made: readonly (readonly [group: string, kind: string, name: keyof ProvisionedNames])[] = [
  ['autoscaling', 'HorizontalPodAutoscaler', 'workload'],
  ['apps', 'Deployment', 'workload'],
  ['policy', 'PodDisruptionBudget', 'workload'],
  ['', 'Service', 'peers'],
  ['rbac.authorization.k8s.io', 'RoleBinding', 'config'],
  ['rbac.authorization.k8s.io', 'Role', 'config'],
  ['', 'ServiceAccount', 'config'],
  ['', 'Secret', 'config'],
  ['', 'Service', 'workload'],
]

/** Removes what was provisioned for Gateways that another controller serves now. */
export interface Remover {
  /** A task for each of these Gateways for which objects of ours may still exist. */
  tasks(gateways: readonly ObjectRef[]): readonly WriteTask[]
}

/**
 * Deletes only objects that belong to the Gateway and carry our label. Its tasks come after all others. A Gateway of which nothing is left is
 * looked at again only when its Service has changed.
 */
export function createRemover(deps: RemoverDeps): Remover {
  const { find } = deps
  /** By the `refKey` of Gateways in the last list: the wish after which nothing of ours was left to delete. */
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
    const isOurs = (object: KubeObject): boolean => isMadeFor(object, uid, deps.managedBy)
    const why = 'its Gateway is served by another controller'
    const outcome = await deleteOwn({ group, kind, namespace, name: names[which] }, deps, { isOurs, why, signal })
    if (signal.aborted) return 'done'
    if (outcome !== 'done') return outcome
  }
  return 'done'
}
