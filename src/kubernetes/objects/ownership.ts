import { managedBy } from './managed-by.ts'
import type { KubeObject, ObjectRef } from './object.ts'
import { listAt, textAt, valueAt } from './raw.ts'
import { nameKey, refOf, titleOf } from './world.ts'

const label = 'app.kubernetes.io/managed-by'

/** Whether an object belongs to the Gateway with this uid and carries `maker` in its label `app.kubernetes.io/managed-by`. */
export function isMadeFor(object: unknown, uid: string | undefined, maker: string | undefined): boolean {
  return maker !== undefined && isOwnedBy(object, uid) && textAt(object, 'metadata', 'labels', label) === maker
}

/**
 * Whether an object of the API server is ours and belongs to the Gateway that the desired object is for. It is ours if it carries our label,
 * or if by its `managedFields` we have applied it and no other controller has set the label since.
 */
export function isOwn(existing: unknown, desired: KubeObject): boolean {
  const uid = gatewayUid(desired)
  const maker = desired.metadata.labels?.[label]
  return isMadeFor(existing, uid, maker) || (maker !== undefined && isOwnedBy(existing, uid) && isRelabelled(existing, maker))
}

/** Whether the label was changed by people or their tools rather than by another controller: controllers apply their label server-side. */
function isRelabelled(existing: unknown, maker: string): boolean {
  const applied = listAt(existing, 'metadata', 'managedFields').filter((entry) => textAt(entry, 'operation') === 'Apply')
  const isOurs = (entry: unknown): boolean => managedBy({ controllerName: textAt(entry, 'manager') ?? '' }) === maker
  const isLabelling = (entry: unknown): boolean => valueAt(entry, 'fieldsV1', 'f:metadata', 'f:labels', `f:${label}`) !== undefined
  const isByHand = (entry: unknown): boolean => textAt(entry, 'manager')?.startsWith('kubectl') === true
  return applied.some(isOurs) && !applied.some((entry) => !isOurs(entry) && !isByHand(entry) && isLabelling(entry))
}

/** Why nothing is created where objects of the same names are not ours: a sentence with the remedy. */
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

/** The uid of the object's controller, which is its Gateway. */
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
