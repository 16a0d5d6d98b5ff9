import { isMadeFor, type KubeObject, nameKey, namesFor, type ObjectRef, type ProvisionedNames, refKey } from '../objects/objects.ts'
import { type DeleteDeps, deleteOwn } from './delete-own.ts'
import type { WriteOutcome, WriteTask } from './write-queue.ts'

export interface RemoverDeps extends DeleteDeps {
  /** What the label `app.kubernetes.io/managed-by` says of what is ours. */
  readonly managedBy: string
  readonly find: (ref: ObjectRef) => KubeObject | undefined
}

/** The Service that clients reach comes last: while it is there, what was begun is found again. */
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
    const isOurs = (object: KubeObject): boolean => isMadeFor(object, uid, deps.managedBy)
    const why = 'its Gateway is served by another controller'
    const outcome = await deleteOwn({ group, kind, namespace, name: names[which] }, deps, { isOurs, why, signal })
    if (signal.aborted) return 'done'
    if (outcome !== 'done') return outcome
  }
  return 'done'
}
