import type { KubeObject, Metadata } from './object.ts'
import { isRaw, listAt, type Raw, rawAt } from './raw.ts'
import { compare, readObject } from './world.ts'

/**
 * The object without what a translation does not read: managed fields, the annotation of `kubectl apply`, and for kinds of which a cluster
 * has many (EndpointSlice, Namespace, Service) all but some members. If two versions of an object are equal after this, no new
 * translation is needed.
 */
export function slim(value: unknown): KubeObject | undefined {
  const object = readObject(value)
  if (object === undefined) return undefined
  const { apiVersion, kind } = object
  if (kind === 'EndpointSlice') return slimSlice(object)
  if (kind === 'Namespace') return { apiVersion, kind, metadata: withoutAnnotations(object.metadata) }
  const metadata = withoutLastApplied(object.metadata)
  if (kind !== 'Service') return { ...object, metadata }
  const spec = pick(rawAt(object, 'spec'), [
    'type',
    'ports',
    'clusterIP',
    'clusterIPs',
    'ipFamilies',
    'externalIPs',
    'externalName',
    'selector',
  ])
  return { apiVersion, kind, metadata, spec, status: pick(rawAt(object, 'status'), ['loadBalancer']) }
}

/** Sorted, and without its generation: whoever writes EndpointSlices keeps no order, and each write has a new generation. */
function slimSlice(slice: KubeObject): KubeObject {
  const { generation, ownerReferences, ...metadata } = withoutAnnotations(slice.metadata)
  const ports = listAt(slice, 'ports').map((port) => pick(rawAt(port), ['name', 'port', 'protocol']))
  const endpoints = listAt(slice, 'endpoints').map((one) => ({
    addresses: listAt(one, 'addresses'),
    conditions: pick(rawAt(one, 'conditions'), ['ready', 'serving', 'terminating']),
  }))
  const { apiVersion, kind } = slice
  return { apiVersion, kind, metadata, ...pick(slice, ['addressType']), ports: inOrder(ports), endpoints: inOrder(endpoints) }
}

function inOrder<T>(list: readonly T[]): readonly T[] {
  const byText = list.map((one) => ({ one, text: JSON.stringify(one) }))
  return byText.sort((first, second) => compare(first.text, second.text)).map(({ one }) => one)
}

/** The object's metadata without its annotations. */
export function slimToMetadata(value: unknown): KubeObject | undefined {
  const object = readObject(value)
  return object && { apiVersion: object.apiVersion, kind: object.kind, metadata: withoutAnnotations(object.metadata) }
}

function pick(from: Raw, names: readonly string[]): Raw {
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])))
}

function withoutAnnotations({ annotations, ...rest }: Metadata): Metadata {
  return rest
}

function withoutLastApplied(metadata: Metadata): Metadata {
  const { annotations, ...rest } = metadata
  if (!isRaw(annotations)) return rest
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...kept } = annotations
  return Object.keys(kept).length === 0 ? rest : { ...rest, annotations: kept }
}
