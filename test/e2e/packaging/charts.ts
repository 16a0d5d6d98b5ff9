import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { checkout } from '../setup/cache.ts'
import type { Helm } from '../setup/helm.ts'

/** An object of a manifest. */
export interface Packed {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [member: string]: unknown
}

export interface Container {
  readonly image: string
  readonly imagePullPolicy?: string
  readonly args: readonly string[]
  readonly resources?: unknown
}

/** What a Deployment says of its pods. */
export interface PodTemplate {
  readonly metadata: unknown
  readonly spec: { readonly containers: readonly Container[]; readonly [member: string]: unknown }
}

export const deploy = join(checkout, 'deploy')
export const chart = (name: 'mcplex' | 'mcplex-crds'): string => join(deploy, 'helm', name)
export const own = 'mcplex-system'

/** The objects of a text in YAML; throws where it is none. */
export function objectsOf(text: string): readonly Packed[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors
    if (error !== undefined) throw error
    const object: Packed | null = document.toJS()
    return object === null ? [] : [object]
  })
}

export async function objectsIn(...paths: readonly string[]): Promise<readonly Packed[]> {
  const texts = await Promise.all(paths.map((path) => readFile(join(deploy, path), 'utf8')))
  return texts.flatMap(objectsOf)
}

/** Those of `deploy/crds`. */
export async function definitions(): Promise<readonly Packed[]> {
  return objectsIn(...(await readdir(join(deploy, 'crds'))).toSorted().map((name) => `crds/${name}`))
}

/** `helm template`, in the namespace that the documentation names. */
export async function rendered(helm: Helm, name: 'mcplex' | 'mcplex-crds', ...args: readonly string[]): Promise<readonly Packed[]> {
  return objectsOf(await helm.must('template', name, chart(name), '--namespace', own, ...args))
}

/** By which objects of two manifests are compared, whatever their order. */
export function byTitle(objects: readonly Packed[]): Readonly<Record<string, Packed>> {
  const named = objects.map((object) => [[object.kind, object.metadata.namespace ?? '', object.metadata.name].join(' '), object] as const)
  return Object.fromEntries(named.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** That of a Deployment with one container. */
export function containerOf(deployment: { readonly [member: string]: unknown } | undefined): Container {
  const { template } = (deployment?.['spec'] ?? {}) as { readonly template?: PodTemplate }
  const [container, ...others] = template?.spec.containers ?? []
  assert.ok(container !== undefined && others.length === 0)
  return container
}
