import type { KubeObject, ObjectRef } from './model.ts'
import { nameKey, refOf, titleOf } from './world.ts'

const label = 'app.kubernetes.io/managed-by'

/** Whether a controller whose label says `managedBy` made the object for the Gateway of that uid. */
export function isMadeFor(object: KubeObject, uid: string | undefined, managedBy: string | undefined): boolean {
  return managedBy !== undefined && isOwnedBy(object, uid) && object.metadata.labels?.[label] === managedBy
}

/** Whether an object belongs to the Gateway that the desired one is for, and its maker's label is the same. */
export function isOwn(existing: KubeObject, desired: KubeObject): boolean {
  return isMadeFor(existing, gatewayUid(desired), desired.metadata.labels?.[label])
}

/** Why nothing is made beside objects that are not ours, as a sentence with its remedy. */
export function foreignSentence(foreign: readonly KubeObject[], desired: KubeObject): string {
  const uid = gatewayUid(desired)
  const others = foreign.filter((object) => !isOwnedBy(object, uid))
  const made = foreign.filter((object) => isOwnedBy(object, uid))
  const makers = [...new Set(made.map(({ metadata }) => metadata.labels?.[label] ?? 'another controller'))]
  const names = made.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`)
  const switching =
    `${listOf(made.map(refOf))} ${made.length === 1 ? 'was' : 'were'} made for this Gateway by ${makers.join(' and ')} and ` +
    `${made.length === 1 ? 'is' : 'are'} left as ${made.length === 1 ? 'it is' : 'they are'}. When you are ready to switch: ` +
    `kubectl delete ${names.join(' ')} -n ${desired.metadata.namespace}; then mcplex makes its own`
  return [
    ...others.map((object) => `${titleOf(refOf(object))} exists and belongs to something else: rename the Gateway or that ${object.kind}`),
    ...(made.length === 0 ? [] : [switching]),
  ].join('. ')
}

/** The uid of the Gateway that it is to belong to. */
function gatewayUid({ metadata }: KubeObject): string | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid
}

function isOwnedBy(object: KubeObject, uid: string | undefined): boolean {
  return uid !== undefined && gatewayUid(object) === uid
}

function listOf(refs: readonly ObjectRef[]): string {
  return refs.map((ref) => `${ref.kind} ${nameKey(ref)}`).join(' and ')
}
