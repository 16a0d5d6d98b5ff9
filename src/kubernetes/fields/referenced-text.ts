import {
  commandToProvision,
  compare,
  type KubeObject,
  type ObjectRef,
  type Observations,
  rawAt,
  refKey,
  textAt,
  titleOf,
  valueAt,
  type World,
} from '../objects/objects.ts'
import type { PolicyFault } from './policy-fault.ts'

/** What references to Secrets and ConfigMaps are read with. */
export interface Referring {
  readonly world: World
  readonly observed: Observations
}

const objectName = /^[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?$/

/**
 * The object of the same namespace that a field refers to; undefined where it has no valid name, or a kind other than these, of which the
 * first is the default.
 */
export function localRef(value: unknown, namespace: string, kinds: readonly ['ConfigMap' | 'Secret', ...string[]]): ObjectRef | undefined {
  const name = textAt(value, 'name') ?? ''
  const kind = textAt(value, 'kind') ?? kinds[0]
  const isKnown = textAt(value, 'group') === undefined && kinds.includes(kind) && objectName.test(name)
  return isKnown ? { group: '', kind, namespace, name } : undefined
}

/** Whether a Secret or ConfigMap has a text under a key that is not empty. */
export function hasText(ref: ObjectRef, key: string, { world }: Pick<Referring, 'world'>): boolean {
  return ['data', 'stringData'].some((member) => textAt(world.find(ref), member, key) !== undefined)
}

/** A text of a Secret or ConfigMap, or why it can't be used. */
export type ReferencedText = { readonly kind: 'text'; readonly text: string } | Refused

/** All texts of a Secret or ConfigMap by their keys, sorted, or why it can't be used. A value that is not UTF-8 is undefined. */
export type ReferencedTexts = { readonly kind: 'texts'; readonly texts: ReadonlyMap<string, string | undefined> } | Refused

interface Refused {
  readonly kind: 'fault'
  readonly fault: PolicyFault
}

/**
 * Reads the text under a key of a Secret or ConfigMap that a field refers to. Secrets that give access to a cluster or a Gateway can't be
 * referred to. Faults never quote the data.
 * @param place of the field, such as `spec.backend.auth.secretRef`
 */
export function referencedText(ref: ObjectRef, key: string, place: string, from: Referring): ReferencedText {
  const title = titleOf(ref)
  const found = referencedObject(ref, place, from)
  if (found.kind === 'fault') return found
  const { object } = found
  const entry = valueAt(object, 'stringData', key) ?? valueAt(object, 'data', key)
  if (typeof entry !== 'string') return fault(place, `${title}, which has no key ${key}: add it`)
  const text = textOf(object, key, entry)
  if (text === undefined) return fault(place, `${title}, whose key ${key} is not text in UTF-8: correct it`)
  return text.trim() === '' ? fault(place, `${title}, whose key ${key} is empty: fill it`) : { kind: 'text', text }
}

/** Reads the texts of all keys of a Secret or ConfigMap, with the same restrictions. */
export function referencedTexts(ref: ObjectRef, place: string, from: Referring): ReferencedTexts {
  const found = referencedObject(ref, place, from)
  if (found.kind === 'fault') return found
  const { object } = found
  const entries = { ...rawAt(object, 'data'), ...rawAt(object, 'stringData') }
  const texts = Object.entries(entries)
    .sort(([one], [other]) => compare(one, other))
    .map(([key, entry]) => [key, typeof entry === 'string' ? textOf(object, key, entry) : undefined] as const)
  return { kind: 'texts', texts: new Map(texts) }
}

function referencedObject(
  ref: ObjectRef,
  place: string,
  { world, observed }: Referring,
): { readonly kind: 'object'; readonly object: KubeObject } | Refused {
  const title = titleOf(ref)
  if (observed.forbidden.has(refKey(ref)))
    return fault(place, `${title}, which mcplex may not read: ${commandToProvision(ref.namespace, observed.account)}`)
  const unknown = observed.unknown?.get(refKey(ref))
  if (unknown !== undefined) return fault(place, `${title}, ${unknown}`, 'Pending')
  const object = world.find(ref)
  if (object === undefined) return fault(place, `${title}, which does not exist: create it`)
  const reserved = ref.kind === 'Secret' ? reservedFor(object) : undefined
  return reserved === undefined ? { kind: 'object', object } : fault(place, `${title}, which ${reserved}: name another Secret`)
}

function textOf(object: KubeObject, key: string, entry: string): string | undefined {
  const isPlain = object.kind !== 'Secret' || valueAt(object, 'stringData', key) !== undefined
  return isPlain ? entry : decodedOnce(object, key, entry)
}

/**
 * Why a Secret can't be referred to: it is a ServiceAccount's token or a Gateway's own Secret, which has the document and keys that seal
 * sessions. Undefined for any other.
 */
function reservedFor({ metadata, ...object }: KubeObject): string | undefined {
  const { name, labels = {}, ownerReferences = [] } = metadata
  const isOwned = ownerReferences.some(({ kind }) => kind === 'Gateway')
  const isOurs = labels['gateway.networking.k8s.io/gateway-name'] !== undefined
  if (isOwned || isOurs || name.endsWith('-mcplex')) return "is a Gateway's own, by its owner, its labels or the end of its name"
  if (textAt(object, 'type') === 'kubernetes.io/service-account-token') return "is a ServiceAccount's token for the API server"
  return undefined
}

/** Decoded texts by Secret and key, kept for as long as the Secret's object is: many targets can refer to one. */
const texts = new WeakMap<KubeObject, Map<string, string | undefined>>()

function decodedOnce(object: KubeObject, key: string, base64: string): string | undefined {
  const known = texts.get(object) ?? new Map<string, string | undefined>()
  texts.set(object, known)
  if (!known.has(key)) known.set(key, decoded(base64))
  return known.get(key)
}

function decoded(base64: string): string | undefined {
  const compact = base64.replace(/\s/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(compact, 'base64'))
  } catch {
    return undefined
  }
}

function fault(place: string, what: string, reason = 'Invalid'): Refused {
  return { kind: 'fault', fault: { reason, message: `${place} names ${what}`, closes: true } }
}
