import { managedBy } from './managed-by.ts'
import type { KubeObject, ObjectRef } from './object.ts'
import { listAt, textAt, valueAt } from './raw.ts'
import { nameKey, refOf, titleOf } from './world.ts'

const label = 'app.kubernetes.io/managed-by'

/** Whether a controller whose label says `maker` made the object for the Gateway of that uid. */
export function isMadeFor(object: unknown, uid: string | undefined, maker: string | undefined): boolean {
  return maker !== undefined && isOwnedBy(object, uid) && textAt(object, 'metadata', 'labels', label) === maker
}

/**
 * Whether what the API server has is ours, and belongs to the Gateway that the desired object is for: it has our label, or it had, as we
 * have applied it, and no other controller has. Without its `managedFields` it is known by the label alone.
 */
export function isOwn(existing: unknown, desired: KubeObject): boolean {
  const uid = gatewayUid(desired)
  const maker = desired.metadata.labels?.[label]
  return isMadeFor(existing, uid, maker) || (maker !== undefined && isOwnedBy(existing, uid) && isRelabelled(existing, maker))
}

/** Controllers apply their label; people, and tools that find an object there, write over ours. */
function isRelabelled(existing: unknown, maker: string): boolean {
  const applied = listAt(existing, 'metadata', 'managedFields').filter((entry) => textAt(entry, 'operation') === 'Apply')
  const isOurs = (entry: unknown): boolean => managedBy({ controllerName: textAt(entry, 'manager') ?? '' }) === maker
  const isLabelling = (entry: unknown): boolean => valueAt(entry, 'fieldsV1', 'f:metadata', 'f:labels', `f:${label}`) !== undefined
  const isByHand = (entry: unknown): boolean => textAt(entry, 'manager')?.startsWith('kubectl') === true
  return applied.some(isOurs) && !applied.some((entry) => !isOurs(entry) && !isByHand(entry) && isLabelling(entry))
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
function gatewayUid(object: unknown): string | undefined {
  return textAt(
    listAt(object, 'metadata', 'ownerReferences').find((owner) => valueAt(owner, 'controller') === true),
    'uid',
  )
}

function isOwnedBy(object: unknown, uid: string | undefined): boolean {
  return uid !== undefined && gatewayUid(object) === uid
}

function listOf(refs: readonly ObjectRef[]): string {
  return refs.map((ref) => `${ref.kind} ${nameKey(ref)}`).join(' and ')
}
