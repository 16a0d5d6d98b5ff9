import type { KubeObject, Metadata, Raw } from './model.ts'
import { isRaw, listAt, rawAt, valueAt } from './raw.ts'
import { readObject } from './world.ts'

/**
 * The object without what no translation reads: managed fields, what kubectl last applied, and, for kinds of which a cluster has many that
 * are not ours, all but the members listed here. Two versions that are equal after this need no new translation.
 */
export function slim(value: unknown): KubeObject | undefined {
  const object = readObject(value)
  if (object === undefined) return undefined
  const { apiVersion, kind } = object
  if (kind === 'EndpointSlice') {
    const metadata = withoutAnnotations(object.metadata)
    // Whether any pod is ready matters, not which and how many.
    const isReady = listAt(object, 'endpoints').some((endpoint) => valueAt(endpoint, 'conditions', 'ready') !== false)
    return { apiVersion, kind, metadata, endpoints: [{ conditions: { ready: isReady } }] }
  }
  if (kind === 'Namespace') return { apiVersion, kind, metadata: withoutAnnotations(object.metadata) }
  const metadata = withoutLastApplied(object.metadata)
  if (kind !== 'Service') return { ...object, metadata }
  const spec = pick(rawAt(object, 'spec'), ['type', 'ports', 'clusterIP', 'clusterIPs', 'externalIPs', 'externalName', 'selector'])
  return { apiVersion, kind, metadata, spec, status: pick(rawAt(object, 'status'), ['loadBalancer']) }
}

/** The object's name and version alone. */
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
